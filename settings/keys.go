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

// Group is a part of the settings screen.
type Group string

const (
	GroupCalls   Group = "Calls"
	GroupPrivacy Group = "Privacy"
	GroupSound   Group = "Sound"
	GroupRelay   Group = "Relay"
	GroupKeys    Group = "Keys"
	GroupLook    Group = "Look"
)

// Key describes one setting.
type Key struct {
	Name    string   // "calls.who"
	Doc     string   // one line
	Kind    Kind     //
	Values  []string // what may be written, for switches and choices
	Default string   //
	Group   Group    // where the settings screen shows it

	// What a switch that concerns privacy means, a sentence each; "" for the others.
	Sees      string // who can see what
	Costs     string // what it costs
	Overrules string // who or what overrules it

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
var keys = slices.Concat(callKeys, relayKeys, soundKeys, lookKeys)

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
