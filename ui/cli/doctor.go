package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/spf13/cobra"

	"sotto/audio"
	"sotto/net/call"
	"sotto/net/profile"
	"sotto/net/reach"
	"sotto/net/world"
	"sotto/settings"
)

// finding is what one check of the doctor came to.
type finding struct {
	name   string
	detail string
	mend   string // what to do; "" when all is well

	figures map[string]float64 // measured, for scripts; docs/json.md names them
}

// figure adds something that was measured.
func (f finding) figure(name string, value float64) finding {
	if f.figures == nil {
		f.figures = map[string]float64{}
	}
	f.figures[name] = rounded(value)
	return f
}

func well(name, format string, arguments ...any) finding {
	return finding{name: name, detail: fmt.Sprintf(format, arguments...)}
}

// wrong is a finding from an error, whose text says what happened and, after a
// semicolon, what to do; mend is for those that do not.
func wrong(name string, err error, mend string) finding {
	detail, own, found := strings.Cut(strings.TrimPrefix(told(err), audio.ErrDevice.Error()+": "), "; ")
	if found {
		mend = own
	}
	return finding{name: name, detail: detail, mend: mend}
}

// doctor looks at one thing after another.
type doctor struct {
	*program
	opened       *profile.Profile
	loaded       settings.Settings
	mic, speaker string // the words in force
	deviceless   bool   // the sound server knows no device, or was asked in vain
	failed, done int
}

func (p *program) doctorCommand() *cobra.Command {
	var recording bool
	command := &cobra.Command{
		Use:   "doctor",
		Short: "Check devices, relay and delay, and say what to do",
		Long: "Checks the settings, the microphone and its level, the speaker, your relay, the clock, whether sound passes\n" +
			"over UDP or only over TLS, and what delay this computer adds. Each failure says what to do. It connects to your own relay,\n" +
			"also while calling is off, and to nothing else. Status 1 if anything fails.",
		Example: "  sotto doctor\n  sotto doctor --audio\n  sotto doctor --json",
		Args:    noArguments,
		RunE:    func(*cobra.Command, []string) error { return p.doctor(recording) },
	}
	command.Flags().BoolVar(&recording, "audio", false, "check the sound only: record three seconds and play them back")
	return command
}

func (p *program) doctor(recording bool) error {
	if err := p.checkWords(); err != nil {
		return err
	}
	opened, err := p.open()
	if err != nil {
		return err
	}
	defer opened.Close()
	oneProcessor() // as in a call, whose delay is measured
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	interrupted, stop := interrupts()
	defer stop()
	go func() {
		select {
		case <-interrupted:
			cancel()
		case <-ctx.Done():
		}
	}()
	d := &doctor{program: p, opened: opened}
	d.settings()
	d.sound(ctx, recording)
	if !recording {
		d.relay(ctx)
		d.delay(ctx)
	}
	if ctx.Err() != nil {
		return fail(statusFailed, errors.New("interrupted"))
	}
	return d.close()
}

// tell prints a finding as soon as there is one, and returns whether all is well.
func (d *doctor) tell(f finding) (ok bool) {
	ok = f.mend == ""
	d.done++
	if !ok {
		d.failed++
	}
	if d.json {
		d.emit(struct {
			header
			Name   string `json:"name"`
			OK     bool   `json:"ok"`
			Detail string `json:"detail"`
			Mend   string `json:"mend,omitempty"`

			Figures map[string]float64 `json:"figures,omitempty"`
		}{now("doctor.check"), f.name, ok, f.detail, f.mend, f.figures})
		return ok
	}
	mark := "ok"
	if !ok {
		mark = "no"
	}
	d.say("%s", folded(fmt.Sprintf("%s  %-11s ", mark, f.name), f.detail))
	if !ok {
		d.say("%s", folded(strings.Repeat(" ", 16)+"-> ", f.mend))
	}
	return ok
}

// folded puts text beside a head, in lines of at most 80 cells where its words allow that.
func folded(head, text string) string {
	const cells = 80
	margin := "\n" + strings.Repeat(" ", len(head))
	var out strings.Builder
	out.WriteString(head)
	used := len(head)
	for i, word := range strings.Split(text, " ") {
		width := ansi.StringWidth(word)
		switch {
		case i == 0:
		case used+1+width > cells:
			out.WriteString(margin)
			used = len(head)
		default:
			out.WriteByte(' ')
			used++
		}
		out.WriteString(word)
		used += width
	}
	return out.String()
}

func (d *doctor) close() error {
	if d.json {
		d.emit(struct {
			header
			OK     bool `json:"ok"`
			Checks int  `json:"checks"`
			Failed int  `json:"failed"`
		}{now("doctor.report"), d.failed == 0, d.done, d.failed})
	}
	if d.failed > 0 {
		return &failure{statusFailed, fmt.Errorf("%d of %d checks failed; what to do is said with each", d.failed, d.done), true}
	}
	if !d.json {
		d.say("All is well.")
	}
	return nil
}

func (d *doctor) settings() {
	loaded, err := d.opened.Settings()
	if err != nil {
		d.loaded = settings.Defaults()
		d.tell(wrong("settings", err, "mend the settings file with sotto settings edit"))
	} else {
		d.loaded = loaded
		d.tell(well("settings", "read from %s", d.opened.Paths.Settings))
	}
	d.mic, d.speaker = d.program.mic, d.program.speaker
	if d.mic == "" {
		d.mic = d.loaded.Sound.Mic
	}
	if d.speaker == "" {
		d.speaker = d.loaded.Sound.Speaker
	}
}

const (
	chooseRelay = "choose one: sotto setup --relay HOST[:PORT][#PIN], or --relay local to try things out on this computer"

	clockLimit = 60 * time.Second // half of what messages may be off by
	lossLimit  = 0.1
	slowLimit  = 150 * time.Millisecond // more than two browsers need
)

// relay looks at the person's own relay, and connects to nothing else.
func (d *doctor) relay(ctx context.Context) {
	if d.loaded.Relay.Address == "" {
		d.tell(finding{name: "relay", detail: "none is chosen, so nothing was connected to", mend: chooseRelay})
		return
	}
	if !d.opened.IsSetUp() {
		d.tell(finding{name: "relay", detail: "this profile has no identity yet, so nothing was connected to", mend: "run sotto setup"})
		return
	}
	account, err := d.opened.Account()
	if err != nil {
		d.tell(wrong("relay", err, chooseRelay))
		return
	}
	if !d.json {
		d.say("    This connects to your relay, %s, and to nothing else.", account.Relay.HostPort())
	}
	here, err := d.host(ctx, account)
	if err != nil {
		d.tell(wrong("relay", err, "end the program that uses its port, or choose another relay"))
		return
	}
	defer here.Close()
	found := reach.Check(ctx, account, call.Network{})
	if found.Line != nil {
		d.tell(wrong("relay", found.Line, "check the network and the relay's address"))
		return
	}
	d.tell(well("relay", "%s answers after %.0f ms", account.Relay.HostPort(), milliseconds(found.OpenedIn)).figure("answers_after_ms", milliseconds(found.OpenedIn)))
	d.tell(clock(found))
	if !found.Admitted {
		d.tell(finding{name: "token", detail: "the relay does not carry calls for you: it asks for a token", mend: "ask whoever runs it for the token, then type sotto settings set relay.admission TOKEN"})
		return
	}
	if way := found.UDP; way != nil {
		if way.Err != nil {
			d.tell(finding{name: "udp", detail: "the relay answers over TLS only, not over UDP", mend: blocked(found)})
		} else {
			d.tell(sound("udp", "UDP", way))
		}
	}
	if way := found.TLS; way != nil {
		over := "TLS"
		if account.Proxy != "" {
			over = "TLS, behind the proxy " + account.Proxy
		}
		d.tell(sound("tls", over, way))
	}
}

// host runs the relay on this machine for as long as it is looked at, unless another
// Sotto of this profile runs it already, or it is elsewhere.
func (d *doctor) host(ctx context.Context, account call.Account) (io.Closer, error) {
	nothing := closer(func() error { return nil })
	if account.Host == nil {
		return nothing, nil
	}
	lock, err := settings.Lock(d.opened.Paths)
	if errors.Is(err, settings.ErrInUse) {
		return nothing, nil
	}
	if err != nil {
		return nil, err
	}
	running, err := account.Host(ctx)
	if err != nil {
		return nil, errors.Join(err, lock.Release())
	}
	return closer(func() error { return errors.Join(running.Close(), lock.Release()) }), nil
}

type closer func() error

func (c closer) Close() error { return c() }

func clock(found reach.Report) finding {
	return clockOff(found).figure("ahead_s", found.Clock.Seconds())
}

func clockOff(found reach.Report) finding {
	off := found.Clock.Round(time.Second)
	direction := "ahead of"
	if off < 0 {
		off, direction = -off, "behind"
	}
	if off > clockLimit {
		return finding{name: "clock", detail: fmt.Sprintf("this computer's clock is %s %s the relay's, and calls may be refused", off, direction), mend: "set the clock, or let the system set it by itself"}
	}
	return well("clock", "within %.0f s of the relay's", max(off, time.Second).Seconds())
}

// blocked is what to do where UDP does not reach the relay.
func blocked(found reach.Report) string {
	let := "let UDP out to " + found.UDP.Server + " in the firewall, or use another network"
	if found.TLS.Err != nil {
		return let
	}
	return let + "; until then calls go over TLS, with more delay when packets get lost"
}

// sound is how sound passes one way.
func sound(name, over string, way *reach.Way) finding {
	if way.Err != nil {
		f := wrong(name, way.Err, "use another network, or ask whoever runs the relay")
		f.detail = "sound does not pass over " + over + ": " + f.detail
		return f
	}
	lost := "nothing lost"
	if way.Loss > 0 {
		lost = fmt.Sprintf("%.0f %% lost", math.Ceil(100*way.Loss))
	}
	f := well(name, "sound passes over %s, to the relay and back twice in %.1f ms, %s; people you call would see the address %s", over, milliseconds(way.RTT), lost, way.Relayed)
	if way.Loss > lossLimit {
		f.detail = fmt.Sprintf("%.0f %% of the packets are lost on the way to the relay and back", 100*way.Loss)
		f.mend = "use a cable or move closer to the access point, or choose a relay that is nearer"
	}
	if way.RTT > 0 {
		f = f.figure("rtt_ms", milliseconds(way.RTT))
	}
	return f.figure("loss", way.Loss)
}

// delay makes a call inside the program, so that only this computer counts.
func (d *doctor) delay(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, demoWithin)
	defer cancel()
	report, err := world.Demo(ctx, nil)
	if err != nil {
		d.tell(wrong("delay", fmt.Errorf("a call inside this program failed: %w", err), "run sotto demo, which says more"))
		return
	}
	f := well("delay", "this computer alone adds %.0f ms from mouth to ear, without microphone and speaker; a call inside it was connected in %.0f ms and heard %.0f ms after the answer",
		milliseconds(report.MouthToEar), milliseconds(report.Connect), milliseconds(report.AnswerToAudio))
	switch {
	case !report.Holds():
		f.detail, f.mend = "a call inside this program did not go as it should", "run sotto demo, which says which"
	case report.MouthToEar > slowLimit:
		f.detail = fmt.Sprintf("this computer alone adds %.0f ms from mouth to ear", milliseconds(report.MouthToEar))
		f.mend = "end programs that keep the computer busy"
	}
	d.tell(f.figure("mouth_to_ear_ms", milliseconds(report.MouthToEar)).figure("connect_ms", milliseconds(report.Connect)).
		figure("answer_to_audio_ms", milliseconds(report.AnswerToAudio)))
}
