package hotplug

import (
	"errors"
	"slices"
	"sync"
	"time"

	"sotto/audio"
	"sotto/audio/device"
)

const (
	pollEvery = 2 * time.Second        // miniaudio tells nobody of a device that comes or goes
	pollSoon  = 500 * time.Millisecond // while a Keeper has no device

	// On a machine without sound there is nothing to hurry for, and each question
	// costs memory that the sound libraries never give back (22 KB where no sound server
	// answers, 0.3 KB where one does).
	pollSeldom   = 30 * time.Second
	emptyAnswers = 60 // in a row, after which the next question waits longer each time
)

// Hardware is the sound devices of this machine, shared by the Keepers of a process.
// While there is one it asks the sound server every two seconds which devices there are.
type Hardware struct {
	open func(kind, name string, period time.Duration) (device.Stream, error)
	list func() ([]device.Device, error)

	poke chan struct{} // capacity 1: ask now

	mu       sync.Mutex // guards the following
	watchers map[*Keeper]bool
	cancel   chan struct{}  // ends the asking; nil while nobody watches
	asking   chan struct{}  // closed when it has ended
	stumbles map[string]int // device.Periods to begin with, by kind and id
	urgent   int            // Keepers without a device
	empty    int            // answers in a row that named no device
}

// listing is an answer of the sound server.
type listing struct {
	devices []device.Device
	err     error
	asked   time.Time
}

// New makes a Hardware of the real devices. It asks for none yet.
func New() *Hardware { return newHardware(device.Open, device.List) }

func newHardware(open func(string, string, time.Duration) (device.Stream, error), list func() ([]device.Device, error)) *Hardware {
	return &Hardware{
		open: open, list: list, poke: make(chan struct{}, 1),
		watchers: make(map[*Keeper]bool), stumbles: make(map[string]int),
	}
}

// watch adds a Keeper to those that are told of devices; the first one starts the
// asking. The last one to leave ends it and waits for that.
func (h *Hardware) watch(k *Keeper) (leave func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.watchers[k] = true
	if h.cancel == nil {
		h.cancel, h.asking = make(chan struct{}), make(chan struct{})
		go h.ask(h.cancel, h.asking)
	}
	return func() {
		h.mu.Lock()
		delete(h.watchers, k)
		if len(h.watchers) > 0 {
			h.mu.Unlock()
			return
		}
		close(h.cancel)
		h.cancel = nil
		asking := h.asking
		h.mu.Unlock()
		<-asking
	}
}

// ask runs until cancel is closed. A server that hangs holds it, and nothing else.
func (h *Hardware) ask(cancel <-chan struct{}, ended chan<- struct{}) {
	defer close(ended)
	timer := time.NewTimer(pollEvery)
	defer timer.Stop()
	for {
		select {
		case <-cancel:
			return
		case <-timer.C:
		case <-h.poke:
		}
		asked := time.Now()
		devices, err := h.list()
		if errors.Is(err, audio.ErrNoDevices) {
			devices, err = nil, nil
		}
		timer.Reset(h.tell(listing{devices, err, asked}))
	}
}

// tell gives an answer to the Keepers and returns when to ask again.
func (h *Hardware) tell(answer listing) time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	for k := range h.watchers {
		select {
		case <-k.devices: // an older one that nobody read
		default:
		}
		k.devices <- answer // has room, and only tell writes
	}
	return h.pause(len(answer.devices) == 0)
}

// pause is how long to wait until the next question. The caller holds mu.
func (h *Hardware) pause(empty bool) time.Duration {
	h.empty++
	if !empty {
		h.empty = 0
	}
	switch beyond := h.empty - emptyAnswers; {
	case beyond > 0:
		return min(pollEvery+time.Duration(beyond)*time.Second, pollSeldom)
	case h.urgent > 0:
		return pollSoon
	}
	return pollEvery
}

// hurry makes the asking more frequent while a Keeper has no device.
func (h *Hardware) hurry(by int) {
	h.mu.Lock()
	h.urgent += by
	h.mu.Unlock()
	if by > 0 {
		select {
		case h.poke <- struct{}{}:
		default:
		}
	}
}

// period is how long the pieces of a device are: longer ones for one that stumbled.
func (h *Hardware) period(kind, id string) time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	return device.Periods[h.stumbles[kind+" "+id]]
}

// stumbled notes that a device runs dry at its period, and reports whether there is
// a longer one. It is remembered for the next call.
func (h *Hardware) stumbled(kind, id string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	step := h.stumbles[kind+" "+id] + 1
	if step == len(device.Periods) {
		return false
	}
	h.stumbles[kind+" "+id] = step
	return true
}

// target is a device to open.
type target struct {
	name     string // for device.Open
	id       string // which it is then; "" unknown
	fallback bool   // it is not what was wished for
}

// pick finds what to open: the first of names that is there, or else the default
// device; no names ask for that one. ok is false when there is no device of the kind.
func pick(devices []device.Device, kind string, names []string) (found target, ok bool) {
	for _, name := range names {
		if d, err := device.Find(devices, kind, name); err == nil {
			return target{name: d.ID, id: d.ID}, true
		}
	}
	at := slices.IndexFunc(devices, func(d device.Device) bool { return d.Kind == kind && d.Default })
	if at < 0 {
		at = slices.IndexFunc(devices, func(d device.Device) bool { return d.Kind == kind })
	}
	if at < 0 {
		return target{}, false
	}
	return target{id: devices[at].ID, fallback: len(names) > 0}, true
}
