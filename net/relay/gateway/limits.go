package gateway

import (
	"net"
	"net/netip"
	"reflect"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Rate is so many events a second, and how many may come at once.
type Rate struct {
	PerSecond float64
	Burst     int
}

func (r Rate) limiter() *rate.Limiter { return rate.NewLimiter(rate.Limit(r.PerSecond), r.Burst) }

// Limits bound what lines, the networks they come from and drops may use.
type Limits struct {
	LineSends   Rate // envelopes from one line
	RelaySends  Rate // envelopes from another relay's shared line
	PrefixSends Rate // envelopes from one /24 or /56
	DropFills   Rate // envelopes for one drop
	Frames      Rate // messages and pings of one line, of any kind; beyond it the line is cut
	Requests    Rate // registrations and credentials asked for by one line

	PrefixConns Rate // new connections from one prefix
	PrefixLines int  // connections at once from one prefix
	Lines       int  // connections at once, in all

	Patience time.Duration // with a stranger: for TLS with the request's headers, and for the hello

	DropsPerLine   int
	DropsPerPrefix int // registered by all lines of one prefix
	Drops          int // registered ids in all, each counted once
	HostsPerLine   int // different relays one line may reach in ten minutes
	HostsPerPrefix int // different relays one prefix may keep this one connected to
	Replays        int // envelope ids remembered

	Boxes       int           // open at once
	PrefixBoxes int           // open at once for the lines of one prefix
	BoxTries    Rate          // envelopes for boxes, open or not, from one prefix or relay
	BoxLife     time.Duration // of a box that nobody fills
}

// DefaultLimits suit a relay of some thousand people on one machine.
func DefaultLimits() Limits {
	return Limits{
		LineSends:      Rate{2, 20},
		RelaySends:     Rate{50, 200},
		PrefixSends:    Rate{50, 200},
		DropFills:      Rate{5, 40},
		Frames:         Rate{100, 400},
		Requests:       Rate{2, 80},
		PrefixConns:    Rate{5, 50},
		PrefixLines:    128,
		Lines:          50_000,
		Patience:       5 * time.Second,
		DropsPerLine:   4096,
		DropsPerPrefix: 32_768,
		Drops:          300_000,
		HostsPerLine:   16,
		HostsPerPrefix: 64,
		Replays:        200_000,
		Boxes:          200,
		PrefixBoxes:    8,
		BoxTries:       Rate{0.1, 10},
		BoxLife:        10 * time.Minute,
	}
}

// laboratoryFactor is for relays whose people all have the same address.
const laboratoryFactor = 20

func (l Limits) orDefaults(laboratory bool) Limits {
	standard := DefaultLimits()
	if laboratory {
		for _, r := range []*Rate{&standard.PrefixSends, &standard.PrefixConns, &standard.BoxTries} {
			r.PerSecond *= laboratoryFactor
			r.Burst *= laboratoryFactor
		}
		standard.PrefixLines *= laboratoryFactor
		standard.PrefixBoxes *= laboratoryFactor
		standard.HostsPerPrefix *= laboratoryFactor
		standard.DropsPerPrefix *= laboratoryFactor
	}
	given, defaults := reflect.ValueOf(&l).Elem(), reflect.ValueOf(standard)
	for i := range given.NumField() {
		if given.Field(i).IsZero() {
			given.Field(i).Set(defaults.Field(i))
		}
	}
	return l
}

const (
	// prefixMemory is how long a prefix without connections keeps its limits.
	prefixMemory = 2 * time.Minute

	// maxPrefixes bounds the table; what comes beyond shares one entry.
	maxPrefixes = 1 << 16
)

// prefixTable holds the limits of each /24 (IPv4) and /56 (IPv6).
type prefixTable struct {
	limits Limits

	mu       sync.Mutex // guards the following
	prefixes map[netip.Prefix]*prefix
}

// prefix is one network's share.
type prefix struct {
	name  netip.Prefix
	sends *rate.Limiter
	conns *rate.Limiter
	tries *rate.Limiter

	// guarded by prefixTable.mu
	open  int
	drops int
	left  time.Time // when open last fell to zero
}

func newPrefixTable(limits Limits) *prefixTable {
	return &prefixTable{limits: limits, prefixes: make(map[netip.Prefix]*prefix)}
}

// prefixOf is the network of a connection; the zero Prefix stands for all that
// have no IP address, such as pipes.
func prefixOf(remote net.Addr) netip.Prefix {
	parsed, err := netip.ParseAddrPort(remote.String())
	if err != nil {
		return netip.Prefix{}
	}
	address, bits := parsed.Addr().Unmap().WithZone(""), 24
	if address.Is6() {
		bits = 56
	}
	network, err := address.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return network
}

// enter counts a new connection in, or says that the prefix has its share.
func (t *prefixTable) enter(name netip.Prefix) (*prefix, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.prefixes[name]
	if p == nil && len(t.prefixes) >= maxPrefixes {
		name = netip.Prefix{}
		p = t.prefixes[name]
	}
	if p == nil {
		p = &prefix{
			name: name, sends: t.limits.PrefixSends.limiter(), conns: t.limits.PrefixConns.limiter(),
			tries: t.limits.BoxTries.limiter(),
		}
		t.prefixes[name] = p
	}
	if p.open >= t.limits.PrefixLines || !p.conns.Allow() {
		p.left = time.Now()
		return nil, false
	}
	p.open++
	return p, true
}

func (t *prefixTable) leave(p *prefix) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p.open--
	p.left = time.Now()
}

// reserve counts drops in or, below zero, out; false if the prefix has its share.
func (t *prefixTable) reserve(p *prefix, drops int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if drops > 0 && p.drops+drops > t.limits.DropsPerPrefix {
		return false
	}
	p.drops += drops
	return true
}

func (t *prefixTable) sweep(now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for name, p := range t.prefixes {
		if p.open == 0 && now.Sub(p.left) > prefixMemory {
			delete(t.prefixes, name)
		}
	}
}
