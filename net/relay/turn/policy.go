package turn

import (
	"net/netip"
	"sync/atomic"
)

// The relay ports: every relay allocates here, so a peer anywhere else is not a relay (RFC 6056's
// dynamic ports).
const (
	minPort = 49152
	maxPort = 65535
)

// counts is shared by all parts of a server.
type counts struct {
	refusedPeers atomic.Uint64
	overRate     atomic.Uint64
	unanswered   atomic.Uint64
}

// policy says which peers an allocation may reach. It bounds where a client can make this
// relay send; it cannot prove that what listens there is a relay.
type policy struct {
	public netip.Addr
	bind   netip.Addr
	listen uint16 // the server's own port
	allow  []netip.Prefix
}

func newPolicy(public, bind netip.Addr, listen uint16, allow []netip.Prefix) policy {
	p := policy{public: public, bind: bind, listen: listen}
	for _, prefix := range allow {
		if prefix.Addr().Is4In6() { // ::ffff:10.0.0.0/104 means 10.0.0.0/8
			prefix = netip.PrefixFrom(prefix.Addr().Unmap(), max(prefix.Bits()-96, 0))
		}
		p.allow = append(p.allow, prefix.Masked())
	}
	return p
}

// host reports whether an address may be a peer's. A laboratory reaches itself and what was
// allowed; any other relay reaches public unicast addresses and what was allowed.
func (p *policy) host(address netip.Addr) bool {
	address = address.Unmap()
	if address.Zone() != "" {
		return false
	}
	for _, prefix := range p.allow {
		if prefix.Contains(address) {
			return true
		}
	}
	if p.public.IsLoopback() {
		return address == p.public
	}
	return PublicUnicast(address)
}

// peer reports whether packets may go to an address and port.
func (p *policy) peer(at netip.AddrPort) bool {
	host := at.Addr().Unmap()
	if at.Port() < minPort || !p.host(host) {
		return false
	}
	// The server's own socket may lie among the relay ports: a client must not make it talk to itself.
	return at.Port() != p.listen || (host != p.public && host != p.bind)
}

// special are the ranges that are not public unicast: IANA's special-purpose registries (RFC
// 6890 and successors). Of IPv6 only 2000::/3 is looked at, so that ranges outside of it
// (::1, 64:ff9b::, fc00::, fe80::, ff00::) need no entry.
var special = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("10.0.0.0/8"),
	netip.MustParsePrefix("100.64.0.0/10"),
	netip.MustParsePrefix("127.0.0.0/8"),
	netip.MustParsePrefix("169.254.0.0/16"), // link-local, and clouds' metadata
	netip.MustParsePrefix("172.16.0.0/12"),
	netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"),
	netip.MustParsePrefix("192.88.99.0/24"),
	netip.MustParsePrefix("192.168.0.0/16"),
	netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"),
	netip.MustParsePrefix("224.0.0.0/3"),   // multicast, reserved, broadcast
	netip.MustParsePrefix("2001::/23"),     // Teredo and others
	netip.MustParsePrefix("2001:db8::/32"), // documentation
	netip.MustParsePrefix("2002::/16"),     // 6to4 carries an IPv4 address
	netip.MustParsePrefix("3fff::/20"),     // documentation
}

var global6 = netip.MustParsePrefix("2000::/3")

// PublicUnicast reports whether an address is one that only the public Internet routes.
func PublicUnicast(address netip.Addr) bool {
	address = address.Unmap()
	if !address.IsValid() || address.Zone() != "" || address.Is6() && !global6.Contains(address) {
		return false
	}
	for _, prefix := range special {
		if prefix.Contains(address) {
			return false
		}
	}
	return true
}
