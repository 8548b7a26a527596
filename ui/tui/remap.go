package tui

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"sotto/settings"
)

// keymap are the keys that a person chose over the table's: one for each action
// named there, in place of its letter. Named keys such as enter always stay.
type keymap map[action]string

// contexts are the actions that meet on one screen, so that one key there cannot
// mean two things. Keys of all screens are in every one.
var contexts = map[string][]action{
	"the contacts": {
		dial, up, down, accept, back, addContact, openSettings, showCard, search, openContact,
		renameContact, removeContact, switchView, openHistory,
	},
	"the history": {accept, up, down, search, back, forget},
	"a past call": {callAgain, block, openContact, back, up, down},
	"a contact":   {dial, verify, block, setRing, setDirect, setPresence, renameContact, removeContact, back, up, down},
	"a call": {
		hangUp, mute, hold, deafen, writeText, showProof, verify, switchView, back, up, down, answerWaiting, declineWaiting,
		openDevices, toRelays,
	},
	"an incoming call": {answer, decline, declineWith, silence, up, down, back},
	"the end of a call": {
		back, callAgain, up, down,
	},
	"the settings":  {accept, up, down, search, back, reset},
	"an invitation": {showPicture, copyCode, back, up, down},
	"my card":       {copyCard, showPicture, back, up, down},
}

var everywhere = []action{leave, help, palette, pageUp, pageDown}

// remappable are the actions with a key of their own, in the order of the settings.
var remappable = sync.OnceValue(func() []action {
	var all []action
	for act, entry := range table {
		if entry.name != "" {
			all = append(all, act)
		}
	}
	slices.Sort(all)
	return all
})

// letterOf is the key of a binding that may be changed: its single letter.
func letterOf(keys []string) (string, int) {
	for i, key := range keys {
		if writes(key) {
			return key, i
		}
	}
	return "", -1
}

// key is the letter of an action as it is in force.
func (k keymap) key(act action) string {
	if chosen, ok := k[act]; ok {
		return chosen
	}
	letter, _ := letterOf(table[act].keys)
	return letter
}

// apply puts the chosen keys into bindings.
func (k keymap) apply(binds []bind) []bind {
	if len(k) == 0 {
		return binds
	}
	mapped := make([]bind, len(binds))
	for i, one := range binds {
		mapped[i] = one
		chosen, ok := k[one.act]
		if _, at := letterOf(one.keys); ok && at >= 0 {
			mapped[i].keys = slices.Clone(one.keys)
			mapped[i].keys[at] = chosen
		}
	}
	return mapped
}

// taken names what a key already does on a screen that act is on, and that screen.
func (k keymap) taken(act action, key string) (does, where string) {
	for _, place := range slices.Sorted(mapKeys(contexts)) {
		here := append(slices.Clone(contexts[place]), everywhere...)
		if !slices.Contains(here, act) {
			continue
		}
		for _, other := range here {
			if other == act {
				continue
			}
			keys := k.apply([]bind{leaving(false)})[0].keys
			if other != leave {
				keys = k.apply([]bind{on(other)})[0].keys
			}
			if slices.Contains(keys, key) {
				return on(other).does, place
			}
		}
	}
	return "", ""
}

func mapKeys(m map[string][]action) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for key := range m {
			if !yield(key) {
				return
			}
		}
	}
}

// parseKeys reads look.keys, as in "mute=u, hold=z". What is wrong is left out and
// said; the rest holds.
func parseKeys(text string) (keymap, error) {
	chosen := keymap{}
	var wrong []string
	for part := range strings.SplitSeq(text, ",") {
		name, key, _ := strings.Cut(part, "=")
		name, key = strings.TrimSpace(name), strings.TrimSpace(key)
		if name == "" && key == "" {
			continue
		}
		act := none
		for _, candidate := range remappable() {
			if table[candidate].name == name {
				act = candidate
			}
		}
		switch {
		case act == none:
			wrong = append(wrong, fmt.Sprintf("nothing with a key is called %q: there are %s", name, actionNames()))
		case !usableKey(key):
			wrong = append(wrong, fmt.Sprintf("%q is no key for %s: take one letter, digit or sign", key, name))
		default:
			chosen[act] = key
		}
	}
	for _, act := range remappable() {
		key, ok := chosen[act]
		if !ok {
			continue
		}
		if does, where := chosen.taken(act, key); does != "" {
			delete(chosen, act)
			wrong = append(wrong, fmt.Sprintf("%s is already %q in %s, so %s keeps %s", key, does, where, table[act].name, chosen.key(act)))
		}
	}
	if len(wrong) > 0 {
		return chosen, fmt.Errorf("look.keys: %s", strings.Join(wrong, "; "))
	}
	return chosen, nil
}

// CheckKeys reports what is wrong with a value of look.keys.
func CheckKeys(text string) error {
	_, err := parseKeys(text)
	return err
}

func actionNames() string {
	var names []string
	for _, act := range remappable() {
		names = append(names, table[act].name)
	}
	return strings.Join(names, ", ")
}

// usableKey reports whether a key can be chosen: one visible sign, one cell wide,
// that the settings can write down.
func usableKey(key string) bool {
	letters := []rune(key)
	return len(letters) == 1 && unicode.IsGraphic(letters[0]) && !unicode.IsSpace(letters[0]) &&
		ansi.StringWidth(key) == 1 && key != "," && key != "="
}

// String is the map as look.keys has it.
func (k keymap) String() string {
	var parts []string
	for _, act := range remappable() {
		if letter, _ := letterOf(table[act].keys); k.key(act) != letter {
			parts = append(parts, table[act].name+"="+k.key(act))
		}
	}
	return strings.Join(parts, ", ")
}

// with is the map with one key changed.
func (k keymap) with(act action, key string) keymap {
	changed := keymap{act: key}
	for other, kept := range k {
		if other != act {
			changed[other] = kept
		}
	}
	return changed
}

// keyRows are the settings of the keys.
func keyRows() []settingRow {
	var rows []settingRow
	for _, act := range remappable() {
		label := strings.ReplaceAll(table[act].name, "-", " ")
		rows = append(rows, settingRow{act: act, group: settings.GroupKeys, words: words{label: strings.TrimSuffix(sentence(label), ".")}})
	}
	return rows
}

// catcher is a screen that takes the next key as it is.
type catcher interface {
	catch(m *model, msg tea.KeyPressMsg) tea.Cmd
}

// keyCatch asks for the new key of an action.
type keyCatch struct {
	act action
}

func (c *keyCatch) heading(w *world) (title, status string) { return "Choose a key", w.status() }

func (c *keyCatch) keys(*world) []bind { return []bind{as(back, "keep it")} }

func (c *keyCatch) render(w *world, width int) page {
	p := page{tight: w.small}
	entry := on(c.act)
	means := entry.means
	if means == "" {
		means = entry.does
	}
	p.say(w.theme.Strong, "Press the new key for: "+means+".", width)
	p.gap()
	p.say(plainStyle, "It is "+w.keymap.key(c.act)+" now. Take one letter, digit or sign.", width)
	return p
}

func (c *keyCatch) do(m *model, chosen action) tea.Cmd {
	if chosen == back {
		m.pop()
	}
	return nil
}

func (c *keyCatch) catch(m *model, msg tea.KeyPressMsg) tea.Cmd {
	key := msg.String()
	switch {
	case key == "esc":
		m.pop()
		return nil
	case !usableKey(key):
		m.tell("That key cannot be used here. Take one letter, digit or sign, or go back with esc.")
		return nil
	}
	if does, where := m.keymap.taken(c.act, key); does != "" {
		m.tell(fmt.Sprintf("%s is already %q in %s. Take another key.", key, does, where))
		return nil
	}
	m.pop()
	return m.save("look.keys", m.keymap.with(c.act, key).String())
}
