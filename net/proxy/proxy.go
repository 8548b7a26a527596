// Package proxy is the way to a person's relay through a SOCKS5 proxy (RFC 1928), such
// as Tor's: whoever carries the packets here learns only the proxy, and the relay does
// not learn this address. Names are resolved by the proxy. With a proxy chosen nothing
// else is dialled, whatever fails.
package proxy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"

	"golang.org/x/net/proxy"

	"sotto/net/line"
)

// ErrBadProxy is in every error of Parse.
var ErrBadProxy = errors.New("this is not a proxy: write it as socks5://ADDRESS:PORT with an IP address or localhost, such as socks5://127.0.0.1:9050")

// Proxy is one proxy.
type Proxy struct {
	address string
	auth    *proxy.Auth
}

// Parse reads socks5://[USER:PASSWORD@]ADDRESS:PORT. The address is an IP address or
// localhost: another name would have to be resolved outside the proxy.
func Parse(text string) (Proxy, error) {
	parsed, err := url.Parse(text)
	if err != nil || parsed.Scheme != "socks5" && parsed.Scheme != "socks5h" || parsed.Path != "" && parsed.Path != "/" || parsed.RawQuery != "" || parsed.Fragment != "" {
		return Proxy{}, ErrBadProxy
	}
	host := parsed.Hostname()
	if host == "localhost" {
		host = "127.0.0.1"
	}
	ip, err := netip.ParseAddr(host)
	port, portErr := strconv.ParseUint(parsed.Port(), 10, 16)
	if err != nil || portErr != nil || port == 0 || ip.IsUnspecified() || ip.IsMulticast() {
		return Proxy{}, ErrBadProxy
	}
	p := Proxy{address: netip.AddrPortFrom(ip.Unmap(), uint16(port)).String()}
	if parsed.User != nil {
		password, _ := parsed.User.Password()
		if p.auth = (&proxy.Auth{User: parsed.User.Username(), Password: password}); len(p.auth.User) == 0 || len(p.auth.User) > 255 || len(password) > 255 {
			return Proxy{}, ErrBadProxy
		}
	}
	return p, nil
}

// String is the proxy without what it asks for.
func (p Proxy) String() string { return "socks5://" + p.address }

// Endpoint is where the proxy listens: all that Dial sends goes there.
func (p Proxy) Endpoint() netip.AddrPort {
	at, _ := netip.ParseAddrPort(p.address) // never fails: Parse wrote it
	return at
}

// Dial connects to host:port, a name or an IP address, by asking the proxy for it. Its
// errors are line.ErrProxy.
func (p Proxy) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	if network != "tcp" && network != "tcp4" && network != "tcp6" {
		return nil, fmt.Errorf("%w: %s does not pass through it", line.ErrProxy, network)
	}
	dialer, err := proxy.SOCKS5("tcp", p.address, p.auth, &net.Dialer{})
	if err != nil {
		return nil, fmt.Errorf("%w (%w)", line.ErrProxy, err)
	}
	conn, err := dialer.(proxy.ContextDialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%w (%w)", line.ErrProxy, err)
	}
	return conn, nil
}
