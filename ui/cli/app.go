package cli

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"syscall"
	"time"

	"sotto/audio"
	"sotto/audio/hotplug"
	"sotto/audio/open"
	"sotto/net/call"
	"sotto/net/identity"
	"sotto/net/profile"
	"sotto/net/world"
	"sotto/settings"
	"sotto/ui/tui"
)

// open finds the profile for reading, beside whichever process owns it, and opens it
// if it has a passphrase.
func (p *program) open() (*profile.Profile, error) {
	opened, err := p.openLocked()
	if err == nil {
		err = p.unlock(opened)
	}
	if err != nil {
		return nil, err
	}
	return opened, nil
}

// openLocked is open for what needs no more than the settings.
func (p *program) openLocked() (*profile.Profile, error) {
	if info, err := os.Stat(p.home); p.home != "" && (err == nil && !info.IsDir() || errors.Is(err, syscall.ENOTDIR)) {
		return nil, usage("a profile is a folder, and %s is a file or inside one; choose another place with --home DIR", p.home)
	}
	return profile.Open(p.home)
}

// owned is a profile that this process alone may change and call with.
type owned struct {
	profile *profile.Profile
	lock    *settings.ProfileLock
}

// own takes the profile for this process and opens it.
func (p *program) own() (*owned, error) {
	o, err := p.ownLocked()
	if err != nil {
		return nil, err
	}
	if err = p.unlock(o.profile); err == nil {
		err = settings.Mend(o.profile.Paths)
	}
	if err != nil {
		o.release()
		return nil, err
	}
	return o, nil
}

// ownLocked is own for what needs no more than the settings.
func (p *program) ownLocked() (*owned, error) {
	opened, err := p.openLocked()
	if err != nil {
		return nil, err
	}
	lock, err := settings.Lock(opened.Paths)
	if err != nil {
		return nil, err
	}
	return &owned{profile: opened, lock: lock}, nil
}

func (o *owned) release() {
	_ = o.profile.Close()
	_ = o.lock.Release()
}

// app is an owned profile with its engine: what the interface, listen and call run on.
type app struct {
	*owned
	engine       *call.Engine
	hardware     *hotplug.Hardware
	mic, speaker string // from the command line; "" takes the settings'
	using        using
	voice        string // --voice
	frames       audio.Frames
	processing   processing

	changes  chan struct{} // capacity 1; written by watch: the profile's files are others now
	watching sync.WaitGroup
	ringing  sync.WaitGroup // goroutines of ring, which may outlive the ringing
	stop     context.CancelFunc

	mu      sync.Mutex // held while settings are read and put in force; guards the following
	applied footing
}

// footing are the settings that decide where the engine stands.
type footing struct {
	calls                         bool
	name, relay, admission, proxy string
}

func footingOf(s settings.Settings) footing {
	return footing{s.Calls.Enabled, s.Name, s.Relay.Address, s.Relay.Admission, s.Relay.Proxy}
}

// start makes the app; autoAnswer are verified contacts whose calls are taken at once.
func (p *program) start(owned *owned, autoAnswer map[identity.Key]bool) *app {
	oneProcessor()
	a := &app{owned: owned, hardware: hotplug.New(), mic: p.mic, speaker: p.speaker, voice: p.voice, frames: frames[p.frame], changes: make(chan struct{}, 1)}
	a.engine = call.New(call.Config{
		Book:       owned.profile,
		OpenSound:  a.openSound,
		Ring:       a.ring,
		AutoAnswer: func(key identity.Key) bool { return autoAnswer[key] },
		Echo:       world.Echo,
		Record:     a.record,
	})
	ctx, cancel := context.WithCancel(context.Background())
	a.stop = cancel
	a.watching.Go(func() { a.watch(ctx) })
	return a
}

// oneProcessor keeps a caller's Go code on one processor at a time. A call wakes
// up some hundred times a second for a few microseconds each; handing that from
// processor to processor cost more than the call itself (10 % of a core against
// 4 %) and made sound leave less evenly. Codec and sound server have threads of
// their own either way. GOMAXPROCS in the environment overrules it.
func oneProcessor() {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(1)
	}
}

// closeSoon is close for somebody who waits at the keyboard: it takes at most
// leaveWithin, and what has not been let go of by then ends with the process.
func (a *app) closeSoon() {
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		a.close()
	}()
	select {
	case <-closed:
	case <-time.After(leaveWithin):
	}
}

const leaveWithin = 700 * time.Millisecond

// close hangs up, leaves the relay and lets go of the profile.
func (a *app) close() {
	a.stop()
	a.watching.Wait()
	_ = a.engine.Close()
	a.ringing.Wait()
	a.release()
}

// apply puts the engine where the settings say: on the relay, or off the network.
func (a *app) apply() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	loaded, err := a.profile.Settings()
	if err != nil {
		a.engine.Leave(err)
		return err
	}
	a.applied = footingOf(loaded)
	if !loaded.Calls.Enabled {
		a.engine.Leave(nil)
		return nil
	}
	account, err := a.profile.Account()
	if err != nil {
		a.engine.Leave(err)
		return err
	}
	return a.engine.Configure(account)
}

// watchEvery leaves half a second for what follows from a change.
const watchEvery = 500 * time.Millisecond

// watch follows the profile's files: contacts that another command adds and
// settings edited by hand take effect within a second. A settings file with a
// mistake in it changes nothing.
func (a *app) watch(ctx context.Context) {
	seen, _ := a.profile.Changed(profile.Stamp{})
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			a.followVoice()
			now, changed := a.profile.Changed(seen)
			if !changed {
				continue
			}
			seen = now
			_ = a.profile.TidyHistory() // a damaged one is told when it is looked at
			if loaded, err := a.profile.Settings(); err == nil && a.moved(footingOf(loaded)) {
				_ = a.apply() // the line's state says what is wrong
			}
			_ = a.followDevices() // what cannot be used stays as it is
			a.engine.PolicyChanged()
			select {
			case a.changes <- struct{}{}:
			default: // whoever reads it has not come to the last one yet, and will see this one too
			}
		}
	}
}

// moved reports whether the engine stands elsewhere than the settings say. Before
// the first apply it stands nowhere, and nothing has moved.
func (a *app) moved(to footing) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.applied != footing{} && a.applied != to
}

// sound are the words in force: the command line's before the settings'; "" is the default device.
func (a *app) sound() (mic, speaker string) {
	mic, speaker = a.mic, a.speaker
	loaded, err := a.profile.Settings()
	if err != nil {
		return mic, speaker
	}
	if mic == "" {
		mic = loaded.Sound.Mic
	}
	if speaker == "" {
		speaker = loaded.Sound.Speaker
	}
	return mic, speaker
}

// using are the words in force in the live call.
type using struct {
	mu           sync.Mutex // guards the following; held while they are changed
	mic, speaker string
}

// openSound begins to keep the devices of one call; it waits for no sound server.
func (a *app) openSound() (call.Sound, error) {
	mic, speaker := a.sound()
	a.using.mu.Lock()
	a.using.mic, a.using.speaker = mic, speaker
	a.using.mu.Unlock()
	notices := make(chan audio.Notice)
	source, err := open.Microphone(a.hardware, mic, notices)
	if err != nil {
		return call.Sound{}, err
	}
	sink, err := open.Speaker(a.hardware, speaker, notices)
	if err != nil {
		_ = source.Close()
		return call.Sound{}, err
	}
	opened := call.Sound{Source: source, Sink: sink, Frames: a.frames, Notices: notices, MicWords: mic, SpeakerWords: speaker, Use: func(mic, speaker string) error {
		return errors.Join(open.Change(source, mic), open.Change(sink, speaker))
	}}
	if voice := a.openVoice(mic, source, sink); voice != nil {
		opened.Voice = voice
	}
	return opened, nil
}

// followDevices takes a live call to the devices that the settings name now.
func (a *app) followDevices() error {
	a.using.mu.Lock()
	defer a.using.mu.Unlock()
	mic, speaker := a.sound()
	newMic, newSpeaker := mic, speaker
	if mic == a.using.mic {
		newMic = ""
	}
	if speaker == a.using.speaker {
		newSpeaker = ""
	}
	if newMic == "" && newSpeaker == "" {
		return nil
	}
	err := a.engine.UseDevices(newMic, newSpeaker)
	if errors.Is(err, call.ErrNoCall) {
		return nil // the next call opens them
	}
	if err == nil {
		a.using.mic, a.using.speaker = mic, speaker
	}
	return err
}

// checkDevices finds a device or file that was named and is not there, before
// anybody is called.
func (a *app) checkDevices() error {
	mic, speaker := a.sound()
	if err := open.CheckSource(mic); err != nil {
		return err
	}
	return open.CheckSink(speaker)
}

// checkWords finds a --mic or --speaker that means nothing, before anything else is
// looked at. With the sound on standard output, what is said goes to standard error.
func (p *program) checkWords() error {
	if err := errors.Join(p.checkVoice(), p.checkFrame()); err != nil {
		return err
	}
	if err := open.MeansSource(p.mic); err != nil {
		return err
	}
	if p.speaker == open.Pipe {
		p.stdout = p.stderr
	}
	return open.MeansSink(p.speaker)
}

// openInterface is the bare sotto.
func (p *program) openInterface() error {
	if err := p.checkWords(); err != nil {
		return err
	}
	plainly, err := p.plainly()
	if err != nil {
		return err
	}
	owned, err := p.own()
	if err != nil {
		return err
	}
	a := p.start(owned, nil)
	defer a.closeSoon()
	// The network comes up behind the first screen.
	a.watching.Go(func() {
		if owned.profile.IsSetUp() {
			_ = a.apply() // the line's state says what is wrong
		}
	})
	ctx, stop := signal.NotifyContext(context.Background(), leaving()...)
	defer stop()
	if plainly {
		return p.runPlain(ctx, a)
	}
	err = tui.Run(ctx, tui.Config{Calls: a.engine, Profile: screens{a}})
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}
