package leaktest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// endpoint is somewhere a packet may go: "tcp" or "udp" (or "raw"), address and port.
type endpoint struct {
	protocol string
	at       netip.AddrPort
}

// socket is one of the process's, or what a packet shows of one.
type socket struct {
	protocol      string
	local, remote netip.AddrPort // remote is unspecified for one that hears anybody
}

// lookEvery is how often the process's sockets are listed: one that came and went in between
// is missed.
const lookEvery = 10 * time.Millisecond

// errNoInventory: the system does not tell which sockets this process has.
var errNoInventory = errors.New("this system does not list a process's sockets")

// watch follows the process's sockets until stop.
type watch struct {
	allowed map[endpoint]string
	strayed chan struct{} // closed at the first stray
	done    chan struct{}
	ended   sync.WaitGroup
	tap     *tap // nil: no packets are counted

	// owned by run, and by stop after it
	seen  map[socket]bool
	bound map[socket]bool // at the last look, sockets that hear anybody
	blind bool            // the inventory does not work here
	found bool            // strayed is closed
}

func watchFor(allowed map[endpoint]string) *watch {
	w := &watch{allowed: allowed, strayed: make(chan struct{}), done: make(chan struct{}), seen: make(map[socket]bool)}
	if opened, err := openTap(); err == nil {
		w.tap = opened
	}
	w.ended.Go(w.run)
	return w
}

func (w *watch) run() {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		w.look()
		select {
		case <-tick.C:
		case <-w.done:
			w.look()
			return
		}
	}
}

func (w *watch) look() {
	sockets, err := inventory()
	if err != nil {
		w.blind = true
		return
	}
	before := w.bound
	w.bound = make(map[socket]bool)
	for _, one := range sockets {
		if one.remote.Port() == 0 && !before[one] {
			w.bound[one] = true // for an instant every UDP socket is bound and not connected yet
			continue
		}
		w.bound[one] = one.remote.Port() == 0
		w.seen[one] = true
		if !w.found && w.verdict(one) == "" {
			w.found = true
			close(w.strayed)
		}
	}
}

// verdict is what a socket's peer is to us, "" for a stray.
func (w *watch) verdict(s socket) string { return w.allowed[endpoint{s.protocol, s.remote}] }

// wait lets time pass, or returns at the first stray.
func (w *watch) wait(ctx context.Context, during time.Duration) error {
	select {
	case <-time.After(during):
		return nil
	case <-w.strayed:
		return ErrStray
	case <-ctx.Done():
		return ctx.Err()
	}
}

// stop ends the watch and writes down what it saw.
func (w *watch) stop(report *Report) {
	close(w.done)
	w.ended.Wait()
	report.Inventory = !w.blind
	packets := make(map[socket]int)
	if w.tap != nil {
		report.Captured = true
		packets = w.tap.close()
	}
	report.Rows = w.rows(packets)
	for _, row := range report.Rows {
		report.Packets += row.Packets
		if row.Stray {
			report.Strays += max(1, row.Packets)
		}
	}
}

// rows are the process's sockets, and where packets of theirs went that the sockets do not show.
func (w *watch) rows(packets map[socket]int) []Row {
	type port struct {
		protocol string
		local    uint16
	}
	ours := make(map[port]bool)
	for s := range w.seen {
		ours[port{s.protocol, s.local.Port()}] = true
	}
	all := make(map[socket]int)
	for s := range w.seen {
		all[s] = 0
	}
	for s, n := range packets {
		if ours[port{s.protocol, s.local.Port()}] {
			all[s] += n
		}
	}
	merged := make(map[Row]int)
	for s, n := range all {
		row := Row{Socket: fmt.Sprintf("%s port %d", s.protocol, s.local.Port()), Peer: s.remote.String(), Verdict: w.verdict(s)}
		if !s.remote.IsValid() || s.remote.Addr().IsUnspecified() {
			row.Peer = "anybody"
		}
		if row.Verdict == "" {
			row.Stray, row.Verdict = true, "STRAY"
		}
		merged[row] += n
	}
	rows := make([]Row, 0, len(merged))
	for row, n := range merged {
		row.Packets = n
		rows = append(rows, row)
	}
	slices.SortFunc(rows, func(a, b Row) int {
		if a.Stray != b.Stray {
			if a.Stray {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(a.Verdict, b.Verdict), cmp.Compare(a.Peer, b.Peer), cmp.Compare(a.Socket, b.Socket))
	})
	return rows
}
