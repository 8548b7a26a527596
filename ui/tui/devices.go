package tui

import (
	tea "charm.land/bubbletea/v2"

	"sotto/audio/open"
	"sotto/net/call"
)

// devicePicker lists the microphones, the speakers, or both. It asks the sound
// server once, when it opens.
type devicePicker struct {
	title   string
	kinds   []string // "capture", "playback"
	stored  map[string]string
	list    *choice // nil until the devices are known
	found   []deviceChoice
	chosen  func(m *model, kind, words string) tea.Cmd
	written func(m *model) // opens a line of text to write the words into; nil: not offered
}

type deviceChoice struct{ kind, words string }

const (
	microphone = "capture"
	speaker    = "playback"
)

type devicesFound struct {
	screen  *devicePicker
	devices []open.Described
	err     error
}

func (d *devicePicker) ask(profile Profile) tea.Cmd {
	return func() tea.Msg {
		devices, err := profile.Devices()
		return devicesFound{d, devices, err}
	}
}

// keepDevices makes the list, the stored device selected.
func (m *model) keepDevices(result devicesFound) {
	if result.err != nil {
		m.complain(result.err)
	}
	d := result.screen
	d.list, d.found = &choice{}, nil
	add := func(kind, words, label, means string) {
		if len(d.kinds) > 1 {
			label = map[string]string{microphone: "Microphone: ", speaker: "Speaker: "}[kind] + label
		}
		if d.stored[kind] == words && words != "" {
			label += " (now)"
			if kind == d.kinds[0] {
				d.list.at = len(d.found)
			}
		}
		d.found = append(d.found, deviceChoice{kind, words})
		d.list.options = append(d.list.options, option{value: words, label: label, means: means})
	}
	for _, kind := range d.kinds {
		add(kind, "default", "the system's", systemDevice(result.devices, kind))
		for _, device := range result.devices {
			if device.Kind == kind {
				add(kind, device.Words, onlyPrinted(device.Name), whichOf(result.devices, device))
			}
		}
		if kind == microphone {
			add(kind, "null", "none", "They hear nothing of you.")
		} else {
			add(kind, "null", "none", "You hear nothing.")
		}
	}
	if d.written != nil {
		d.found = append(d.found, deviceChoice{})
		d.list.options = append(d.list.options, option{label: "Something else", means: "Write it down, as for --mic and --speaker."})
	}
}

// systemDevice says which the system's is now; "" where it does not say.
func systemDevice(devices []open.Described, kind string) string {
	for _, device := range devices {
		if device.Kind == kind && device.Default {
			return "Whichever the system uses; now that is " + onlyPrinted(device.Name) + "."
		}
	}
	return ""
}

// whichOf tells devices of one name apart.
func whichOf(devices []open.Described, one open.Described) string {
	for _, other := range devices {
		if other.Kind == one.Kind && other.Name == one.Name && other.Words != one.Words {
			return "Several have this name; this is " + onlyPrinted(one.Words) + "."
		}
	}
	return ""
}

func (d *devicePicker) heading(w *world) (title, status string) { return d.title, w.status() }

func (d *devicePicker) keys(*world) []bind {
	if d.list == nil {
		return []bind{on(back)}
	}
	return []bind{as(accept, "use it"), on(up), on(down), on(back)}
}

func (d *devicePicker) render(w *world, width int) page {
	p := page{tight: true}
	if d.list == nil {
		p.say(w.theme.Faint, "Asking the system which there are.", width)
		return p
	}
	d.list.draw(w, &p, width)
	return p
}

func (d *devicePicker) point(entry int) { d.list.at = entry }

func (d *devicePicker) do(m *model, chosen action) tea.Cmd {
	switch chosen {
	case up:
		d.list.move(-1)
	case down:
		d.list.move(1)
	case back:
		m.pop()
	case accept:
		one := d.found[d.list.at]
		m.pop()
		if one.kind == "" {
			d.written(m)
			return nil
		}
		return d.chosen(m, one.kind, one.words)
	}
	return nil
}

// newCallDevices changes what the call is spoken into and heard with.
func newCallDevices(info *call.Info) *devicePicker {
	return &devicePicker{
		title: "Devices of this call", kinds: []string{microphone, speaker},
		stored: map[string]string{microphone: info.MicWords, speaker: info.SpeakerWords},
		chosen: func(m *model, kind, words string) tea.Cmd {
			calls, mic, loud := m.calls, words, ""
			text := "The microphone was changed for this call."
			if kind == speaker {
				mic, loud, text = "", words, "The speaker was changed for this call."
			}
			return act(func() error { return calls.UseDevices(mic, loud) }, func(m *model) tea.Cmd {
				m.tell(text)
				return m.pull()
			})
		},
	}
}

// newSettingDevices chooses a device for the settings.
func newSettingDevices(w *world, row settingRow, kind string) *devicePicker {
	return &devicePicker{
		title: row.words.label, kinds: []string{kind}, stored: map[string]string{kind: w.settings[row.key.Name]},
		chosen:  func(m *model, _, words string) tea.Cmd { return m.save(row.key.Name, words) },
		written: func(m *model) { m.push(newSettingForm(&m.world, row)) },
	}
}
