package tui

import (
	"strings"

	"sotto/settings"
)

// words are what the settings screen says about one setting beyond the table of
// the settings themselves. A setting without words of its own is shown by its
// name, its values and its one line.
type words struct {
	label   string
	options []option // for values that have a name and a meaning here
	fixed   string   // a value that cannot be changed, and says so

	// For a line of text: what to type, what an empty line shows, what is said
	// when it must not be empty, and whether blanks are dropped.
	edit   []string
	hint   string
	must   string
	none   string // shown where nothing is stored
	solid  bool
	secret bool // never shown, only whether it is there
}

var wording = map[string]words{
	"name": {
		label: "Your name", edit: []string{"The name stands in your card. Cards you gave away earlier keep the old one."},
		must: "Type a name.", hint: "your name",
	},
	"calls.enabled": {label: "Calling"},
	"calls.who": {label: "Who may call", options: []option{
		{value: "nobody", label: "nobody", means: "No call rings here. You can still call others; nobody can call you back."},
		{value: "verified", label: "verified contacts", means: "Only contacts whose keys you have compared can make it ring."},
		{value: "contacts", label: "contacts", means: "Contacts, verified or not, can make it ring, if they have added you too. One that is not verified may be somebody else."},
		{value: "anyone", label: "anyone with my card", means: "Whoever has your card can make it ring, also strangers it was passed on to."},
	}},
	"calls.history": {label: "History", options: []option{
		{value: "off", label: "off", means: "No call is kept, and what is there is deleted."},
		{value: "30days", label: "30 days", means: "Calls are kept for 30 days, on this computer only."},
		{value: "forever", label: "for ever", means: "The latest 5000 calls are kept, on this computer only."},
	}},
	"calls.waiting":  {label: "Call waiting"},
	"calls.ringing":  {label: "Say that it rings"},
	"calls.direct":   {label: "Direct calls"},
	"calls.presence": {label: "Presence"},
	"relay.address": {
		label: "Relay", solid: true, none: "none",
		options: []option{{value: "local", label: "on this machine"}},
		edit: []string{
			relayMeans, "Type its address, or the word local for a relay on this machine, which reaches only people on this computer and has your address.",
			"When you change it, the people who have your card need your new one.",
		},
		hint: "relay.example.org", must: "Type an address, or the word local.",
	},
	"relay.proxy": {
		label: "Proxy", solid: true, none: "none",
		edit: []string{"A SOCKS5 proxy that everything goes through, signals and sound, such as Tor's. Leave the line empty for none."},
		hint: "socks5://127.0.0.1:9050",
	},
	"relay.admission": {
		label: "Relay's token", solid: true, secret: true, none: "none",
		edit: []string{"Some relays admit only people who have a token. Ask whoever runs the relay for it. Leave the line empty for none."},
		hint: "none",
	},
	"sound.mic": {
		label: "Microphone", must: "Type default for the system's microphone.", hint: "default",
		edit: []string{"Type default, device: and a device's name, null for silence, tone, or file: and the path of a WAV file."},
	},
	"sound.ring": {
		label: "Ringing", none: "where you hear the call",
		edit: []string{"Where an incoming call rings. Type device: and a device's name, or leave the line empty for the speaker."},
	},
	"sound.speaker": {
		label: "Speaker", must: "Type default for the system's speaker.", hint: "default",
		edit: []string{"Type default, device: and a device's name, null for silence, or file: and the path of a WAV file."},
	},
	"sound.talk": {label: "Talking", options: []option{
		{value: "open", label: "microphone open", means: "From the answer on, until you mute it."},
		{value: "push", label: "push to talk", means: "Only while you hold space. Where the terminal does not tell when a key is let go, space opens and closes the microphone in turn."},
	}},
	"look.notify": {label: "Notices", options: []option{
		{value: "off", label: "none"},
		{value: "bell", label: "bell and title", means: "The terminal's bell and the window's title. Nobody's name leaves this screen."},
		{value: "full", label: "with the name", means: "The caller's name in the title and in a notification. On a local Linux desktop its buttons answer and decline. Whoever sees your desktop sees the name, on some desktops while it is locked, and its history of notices may keep it."},
	}},
	"look.mouse": {label: "Mouse"},
	"look.colour": {label: "Colours", options: []option{
		{value: "auto", label: "as the terminal has them", means: "The terminal's own sixteen. None where NO_COLOR is set."},
		{value: "16", label: "always", means: "The terminal's own sixteen, also where NO_COLOR asks every program for none."},
		{value: "none", label: "none", means: "Bold and faint letters only. Nothing is said by colour alone."},
	}},
	"look.glyphs": {label: "Signs", options: []option{
		{value: "auto", label: "by the locale", means: "Lines and bars where the locale is UTF-8, plain letters and signs elsewhere."},
		{value: "ascii", label: "plain", means: "Letters and signs that every terminal has."},
		{value: "unicode", label: "lines and bars", means: "For a terminal that shows them although its locale does not say so."},
	}},
}

// wordsFor is what to say about a setting, made up from its table entry where
// nothing better is known.
func wordsFor(key *settings.Key) words {
	found := wording[key.Name]
	if !strings.Contains(key.Doc, "not available yet") {
		found.fixed = ""
	}
	if found.label == "" {
		_, leaf, _ := strings.Cut(key.Name, ".")
		found.label = strings.TrimSuffix(sentence(leaf), ".")
	}
	if len(found.edit) == 0 {
		found.edit = []string{sentence(key.Doc)}
	}
	return found
}

// valueWord is a stored value as a person reads it.
func (w words) valueWord(stored string) string {
	for i := range w.options {
		if w.options[i].value == stored {
			return w.options[i].label
		}
	}
	switch {
	case w.fixed != "":
		return w.fixed
	case stored == "":
		return w.none
	case w.secret:
		return "set"
	}
	return stored
}

// choices are the values a person may choose from, with what each means.
func (w words) choices(key *settings.Key) []option {
	all := make([]option, 0, len(key.Values))
	for _, value := range key.Values {
		entry := option{value: value, label: value}
		for _, worded := range w.options {
			if worded.value == value {
				entry = worded
			}
		}
		all = append(all, entry)
	}
	return all
}
