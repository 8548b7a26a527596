package plain

import (
	"errors"

	"sotto/settings"
	"sotto/ui/tui"
)

// secret is the setting whose value is never shown.
const secret = "relay.admission"

var errSettings = errors.New("after settings comes list, get KEY, or set KEY VALUE")

func adjust(p *plain, rest string) error {
	what, rest := first(rest)
	key, value := first(rest)
	switch {
	case what == "" || what == "list" && key == "":
		return p.listSettings()
	case what == "get" && key != "" && value == "":
		return p.saySetting(key)
	case what == "set" && key != "":
		return p.setSetting(key, value)
	}
	return errSettings
}

func (p *plain) listSettings() error {
	inForce, mistake := p.Profile.Settings()
	for _, key := range settings.Keys() {
		p.say("%s is %s. %s", key.Name, spoken(key.Name, inForce[key.Name]), tui.Sentence(key.Doc))
	}
	return mistake
}

func (p *plain) saySetting(name string) error {
	value, err := p.Profile.Get(name)
	if err != nil {
		return err
	}
	p.say("%s is %s.", name, spoken(name, value))
	for _, key := range settings.Keys() {
		if key.Name != name {
			continue
		}
		p.say("%s", tui.Sentence(key.Doc))
		for _, line := range []struct{ label, text string }{
			{"Who can see what: ", key.Sees}, {"What it costs: ", key.Costs}, {"Who overrules it: ", key.Overrules},
		} {
			if line.text != "" {
				p.say("%s%s", line.label, tui.Sentence(line.text))
			}
		}
	}
	return nil
}

// setSetting stores a value and says what is stored.
func (p *plain) setSetting(name, value string) error {
	if p.Check != nil {
		if err := p.Check(name, value); err != nil {
			return err
		}
	}
	if err := p.Profile.Set(name, value); err != nil {
		return err
	}
	stored, err := p.Profile.Get(name)
	if err == nil {
		p.say("Saved: %s is %s.", name, spoken(name, stored))
	}
	return err
}

// spoken is a stored value as it is said.
func spoken(name, value string) string {
	switch {
	case value == "":
		return "not set"
	case name == secret:
		return "set, and not shown"
	}
	return value
}
