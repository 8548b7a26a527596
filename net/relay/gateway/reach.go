package gateway

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
)

// errNotPublic: a relay's name leads only to addresses that are not for the public.
var errNotPublic = errors.New("that relay's address is not a public one; allow it with --allow-peer if it is one of yours")

// reserved are the IPv4 ranges that are no public unicast (RFC 6890 and its
// successors in IANA's registry), and what of 2000::/3 is none: protocol
// assignments with Teredo, documentation, 6to4. Everything else outside 2000::/3
// is refused as well, which covers ::1, fc00::/7, fe80::/10, ff00::/8, 64:ff9b::/96
// and the IPv4-compatible addresses.
var reserved = prefixes(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
	"192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
	"198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
	"2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
)

var globalUnicast6 = netip.MustParsePrefix("2000::/3")

func prefixes(texts ...string) []netip.Prefix {
	parsed := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		parsed[i] = netip.MustParsePrefix(text)
	}
	return parsed
}

// publicUnicast tells whether address, unmapped and without a zone, may belong to
// anybody's relay.
func publicUnicast(address netip.Addr) bool {
	if !address.IsValid() || address.Is4In6() || address.Zone() != "" {
		return false
	}
	if address.Is6() && !globalUnicast6.Contains(address) {
		return false
	}
	return !slices.ContainsFunc(reserved, func(p netip.Prefix) bool { return p.Contains(address) })
}

// reachable tells whether this relay may connect to address for its people.
func (c *Config) reachable(address netip.Addr) bool {
	return publicUnicast(address) ||
		c.Laboratory && address.IsLoopback() ||
		slices.ContainsFunc(c.AllowPeers, func(p netip.Prefix) bool { return p.Contains(address) })
}

// maxAddresses is how many of a name's addresses are tried.
const maxAddresses = 4

// dialChecked connects to host:port if it is reachable. What is checked is what is
// dialled: a name is resolved here, once, and the dialler sees addresses only.
func (c *Config) dialChecked(ctx context.Context, network, hostPort string) (net.Conn, error) {
	host, portText, err := net.SplitHostPort(hostPort)
	if err != nil {
		return nil, err
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return nil, err
	}
	addresses, err := c.resolve(ctx, host)
	if err != nil {
		return nil, err
	}
	tried, failure := 0, errNotPublic
	for _, address := range addresses {
		address = address.Unmap()
		if !c.reachable(address) || tried == maxAddresses {
			continue
		}
		tried++
		conn, err := c.dial(ctx, network, netip.AddrPortFrom(address, uint16(port)).String())
		if err == nil {
			return conn, nil
		}
		failure = err
	}
	return nil, fmt.Errorf("relay %s: %w", host, failure)
}

func (c *Config) resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	if literal, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{literal}, nil
	}
	if c.Resolve != nil {
		return c.Resolve(ctx, host)
	}
	return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
}

func (c *Config) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if c.Dial != nil {
		return c.Dial(ctx, network, address)
	}
	return (&net.Dialer{Timeout: dialTimeout}).DialContext(ctx, network, address)
}
