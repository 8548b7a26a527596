package settings

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Kind is the form of a setting's value.
type Kind string

const (
	Text   Kind = "text"   // any line
	Switch Kind = "switch" // on or off; true or false in the file
	Choice Kind = "choice" // one of Values
)

// Key describes one setting.
type Key struct {
	Name    string   // "calls.who"
	Doc     string   // one line
	Kind    Kind     //
	Values  []string // what may be written, for switches and choices
	Default string   //

	comment string // what the file says above it
	text    func(*Settings) *string
	flag    func(*Settings) *bool
}

// What callers branch on; the errors that are these say which setting and why.
var (
	ErrUnknownKey = errors.New("there is no such setting")
	ErrBadValue   = errors.New("the setting does not take this value")
	ErrBadFile    = errors.New("the settings file has a mistake")
)

func badValue(format string, arguments ...any) error {
	return &sentenceError{sentence: fmt.Sprintf(format, arguments...), cause: ErrBadValue}
}

const (
	maxName = 64
	maxText = 1024
)

var onOff = []string{"on", "off"}

// keys lists the settings in the order of the file; tables stay together.
var keys = []Key{
	{
		Name: "name", Kind: Text, Default: "",
		Doc:     "your name, as people you give your card to see it",
		comment: "Your name. People you give your card to see it; no relay does.",
		text:    func(s *Settings) *string { return &s.Name },
	},
	{
		Name: "calls.enabled", Kind: Switch, Values: onOff, Default: "off",
		Doc: "whether you can call and be called at all",
		comment: "Whether you can call and be called at all.\n" +
			"While this is false Sotto does not touch the network: nobody can reach you,\n" +
			"and nobody can tell that you are there.",
		flag: func(s *Settings) *bool { return &s.Calls.Enabled },
	},
	{
		Name: "calls.who", Kind: Choice, Default: string(Contacts),
		Values: []string{string(Nobody), string(Verified), string(Contacts), string(Anyone)},
		Doc:    "whose calls ring here",
		comment: "Whose calls ring here:\n" +
			"  \"nobody\"    nobody's; you can still call others\n" +
			"  \"verified\"  contacts whose keys you have compared with them\n" +
			"  \"contacts\"  all your contacts, if they have added you too\n" +
			"  \"anyone\"    also strangers who were given your card\n" +
			"Everyone else hears it ring out, as if you were not there.",
		text: func(s *Settings) *string { return (*string)(&s.Calls.Who) },
	},
	{
		Name: "calls.ringing", Kind: Switch, Values: onOff, Default: "on",
		Doc: "whether a contact who calls is told that it rings here",
		comment: "Whether a contact who calls is told that it rings here.\n" +
			"Set it to false if even your contacts shall not know that you are online\n" +
			"before you answer. Strangers are never told.",
		flag: func(s *Settings) *bool { return &s.Calls.Ringing },
	},
	{
		Name: "calls.direct", Kind: Switch, Values: onOff, Default: "off",
		Doc: "whether a call may leave the relays; not available yet",
		comment: "Whether a call may go straight from your computer to theirs. That would show\n" +
			"them your network address, and so roughly where you are.\n" +
			"It is not available yet: all calls go through relays. Leave it false.",
		flag: func(s *Settings) *bool { return &s.Calls.Direct },
	},
	{
		Name: "relay.address", Kind: Text, Default: "",
		Doc: "the relay that carries your calls: host[:port][#pin], or local",
		comment: "The relay that carries your calls. The people you talk to see its address\n" +
			"instead of yours; it cannot hear you, but it sees your address.\n" +
			"  \"\"                        none chosen yet\n" +
			"  \"local\"                   one on this computer, for trying things out\n" +
			"  \"relay.example.org\"       one with a certificate that browsers trust\n" +
			"  \"203.0.113.7:443#PIN\"     one named by its own key, as it prints it",
		text: func(s *Settings) *string { return &s.Relay.Address },
	},
	{
		Name: "relay.admission", Kind: Text, Default: "",
		Doc: "the token your relay asks for, if it asks for one",
		comment: "The token your relay asks for, if it asks for one. All people of that relay\n" +
			"share it, so it does not say who you are.",
		text: func(s *Settings) *string { return &s.Relay.Admission },
	},
	{
		Name: "sound.mic", Kind: Text, Default: "default",
		Doc: "the microphone: default, device:NAME, or null for none",
		comment: "The microphone: \"default\", \"device:NAME\" as `sotto devices` names it, or \"null\"\n" +
			"for none. It is opened only while you are in a call.",
		text: func(s *Settings) *string { return &s.Sound.Mic },
	},
	{
		Name: "sound.speaker", Kind: Text, Default: "default",
		Doc:     "the speaker: default, device:NAME, or null for none",
		comment: "The speaker or headphones, written the same way.",
		text:    func(s *Settings) *string { return &s.Sound.Speaker },
	},
}

// Keys lists all settings in the order of the file.
func Keys() []Key { return slices.Clone(keys) }

func find(name string) (Key, error) {
	for _, key := range keys {
		if key.Name == name {
			return key, nil
		}
	}
	return Key{}, &sentenceError{sentence: fmt.Sprintf("there is no setting %q: the settings are %s", name, names()), cause: ErrUnknownKey}
}

func names() string {
	var all []string
	for _, key := range keys {
		all = append(all, key.Name)
	}
	return strings.Join(all, ", ")
}

func (k Key) get(s *Settings) string {
	switch {
	case k.flag == nil:
		return *k.text(s)
	case *k.flag(s):
		return "on"
	default:
		return "off"
	}
}

// put checks a value as the command line writes it and stores it.
func (k Key) put(s *Settings, value string) error {
	if k.flag == nil {
		if err := k.checkText(value); err != nil {
			return err
		}
		*k.text(s) = value
		return nil
	}
	switch value {
	case "on", "true":
		if k.Name == "calls.direct" {
			return badValue("direct calls are not available yet, all calls go through relays: leave %s off", k.Name)
		}
		*k.flag(s) = true
	case "off", "false":
		*k.flag(s) = false
	default:
		return badValue("%s is on or off, not %q", k.Name, value)
	}
	return nil
}

func (k Key) checkText(value string) error {
	limit := maxText
	if k.Name == "name" {
		limit = maxName
	}
	switch {
	case k.Kind == Choice && !slices.Contains(k.Values, value):
		last := len(k.Values) - 1
		return badValue("%s is %s or %s, not %q", k.Name, strings.Join(k.Values[:last], ", "), k.Values[last], value)
	case !utf8.ValidString(value) || strings.ContainsFunc(value, unicode.IsControl):
		return badValue("%s is one line of plain text: leave out line breaks and control characters", k.Name)
	case len(value) > limit:
		return badValue("%s is too long: keep it under %d bytes", k.Name, limit)
	}
	return nil
}

// DefaultFile gives the settings file of a fresh profile, which documents itself.
func DefaultFile() []byte {
	var file strings.Builder
	file.WriteString("# Sotto's settings. Edit this file as you like: comments and order are kept when\n" +
		"# Sotto changes a value. `sotto settings list` shows what is in force.\n")
	table := ""
	for _, key := range keys {
		file.WriteByte('\n')
		within, leaf := split(key.Name)
		if within != table {
			fmt.Fprintf(&file, "[%s]\n\n", within)
			table = within
		}
		for line := range strings.SplitSeq(key.comment, "\n") {
			fmt.Fprintf(&file, "# %s\n", line)
		}
		fmt.Fprintf(&file, "%s = %s\n", leaf, literal(key, key.Default))
	}
	return []byte(file.String())
}

// split gives the table and the last part of a setting's name.
func split(name string) (table, leaf string) {
	if table, leaf, found := strings.Cut(name, "."); found {
		return table, leaf
	}
	return "", name
}
