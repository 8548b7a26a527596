package identity

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// DefaultPort is the port of a relay whose address names none.
const DefaultPort = 443

// Address names a relay. Two addresses are the same relay if they are equal (==):
// host names are lower case, IP addresses in their shortest form.
type Address struct {
	Host   string // a DNS name or an IP address, without brackets
	Port   uint16
	Pin    [32]byte // SHA-256 of the relay's SubjectPublicKeyInfo, if Pinned
	Pinned bool
}

// ErrBadAddress is in every error of ParseAddress.
var ErrBadAddress = errors.New("this is not a relay address: write it as host, host:port or host:port#pin")

func badAddress(hint string) error { return fmt.Errorf("%w: %s", ErrBadAddress, hint) }

// ParseAddress reads "host[:port][#pin]"; IPv6 goes in brackets, the pin is 43
// letters of base64url.
func ParseAddress(text string) (Address, error) {
	var address Address
	rest, pin, pinned := strings.Cut(text, "#")
	if pinned {
		raw, err := decodeBase64(pin)
		if err != nil || len(raw) != len(address.Pin) {
			return Address{}, badAddress("the pin after # is damaged, copy the whole address again")
		}
		address.Pin, address.Pinned = [32]byte(raw), true
	}
	host, port, err := splitPort(rest)
	if err != nil {
		return Address{}, err
	}
	address.Port = port
	if address.Host, err = canonicalHost(host, strings.HasPrefix(rest, "[")); err != nil {
		return Address{}, err
	}
	return address, nil
}

func splitPort(text string) (host string, port uint16, err error) {
	host, digits := text, ""
	switch {
	case strings.HasPrefix(text, "["):
		inside, after, found := strings.Cut(text[1:], "]")
		if !found || after != "" && !strings.HasPrefix(after, ":") {
			return "", 0, ErrBadAddress
		}
		if after == "" {
			return inside, DefaultPort, nil
		}
		host, digits = inside, after[1:]
	case strings.Count(text, ":") > 1:
		return "", 0, badAddress("put an IPv6 address in brackets, as in [2001:db8::1]:443")
	case strings.Contains(text, ":"):
		host, digits, _ = strings.Cut(text, ":")
	default:
		return text, DefaultPort, nil
	}
	number, err := strconv.ParseUint(digits, 10, 16)
	if err != nil || number == 0 || digits[0] < '1' {
		return "", 0, badAddress("the port is a number from 1 to 65535")
	}
	return host, uint16(number), nil
}

// canonicalHost gives the one spelling that is signed, compared and dialled. It
// refuses what resolvers read as an IPv4 address in disguise (127.1, 0x7f000001).
func canonicalHost(host string, bracketed bool) (string, error) {
	if ip, err := netip.ParseAddr(host); err == nil {
		plain := ip.Unmap()
		if ip.Is6() != bracketed || ip.Zone() != "" || plain.IsUnspecified() || plain.IsMulticast() {
			return "", ErrBadAddress
		}
		return plain.String(), nil
	}
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if bracketed || host == "" || len(host) > 253 {
		return "", ErrBadAddress
	}
	labels := strings.Split(host, ".")
	for _, label := range labels {
		if !validLabel(label) {
			return "", ErrBadAddress
		}
	}
	if last := labels[len(labels)-1]; last[0] >= '0' && last[0] <= '9' {
		return "", ErrBadAddress
	}
	return host, nil
}

func validLabel(label string) bool {
	if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
		return false
	}
	for _, letter := range []byte(label) {
		if letter != '-' && letter != '_' && (letter < '0' || letter > '9') && (letter < 'a' || letter > 'z') {
			return false
		}
	}
	return true
}

// HostPort gives "host:port", the form that is dialled and signed.
func (a Address) HostPort() string {
	return net.JoinHostPort(a.Host, strconv.Itoa(int(a.Port)))
}

// String gives the form that ParseAddress reads.
func (a Address) String() string {
	text := a.HostPort()
	if a.Port == DefaultPort {
		text = strings.TrimSuffix(text, ":443")
	}
	if a.Pinned {
		text += "#" + base64.RawURLEncoding.EncodeToString(a.Pin[:])
	}
	return text
}

// IsLoopback says whether only people on this machine can reach the relay.
func (a Address) IsLoopback() bool {
	if ip, err := netip.ParseAddr(a.Host); err == nil {
		return ip.IsLoopback()
	}
	return a.Host == "localhost" || strings.HasSuffix(a.Host, ".localhost")
}

// decodeBase64 reads base64url without padding and refuses what the standard
// decoder forgives: line breaks anywhere and stray bits at the end.
func decodeBase64(text string) ([]byte, error) {
	if strings.ContainsAny(text, "\r\n") {
		return nil, base64.CorruptInputError(strings.IndexAny(text, "\r\n"))
	}
	return base64.RawURLEncoding.Strict().DecodeString(text)
}
