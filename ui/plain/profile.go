package plain

import (
	"context"
	"errors"
	"slices"
	"strings"

	"sotto/settings"
	"sotto/ui/tui"
)

// profileVerbs are the verbs about people, settings and what was.
func profileVerbs() []verb {
	return []verb{
		{name: "contacts", does: "the people you know", run: contacts},
		{name: "add", takes: "CARD [NAME]", needs: true, does: "add somebody by their card", run: add},
		{name: "rename", takes: "OLD to NEW", needs: true, does: "give a contact another name", run: rename},
		{name: "remove", takes: "NAME", needs: true, does: "take somebody out of your contacts", run: changing(tui.Profile.RemoveContact, "%s is removed.")},
		{name: "verify", takes: "NAME", needs: true, does: "say that you have compared the safety words with them", run: changing(marking(tui.Profile.VerifyContact, true), "%s is verified.")},
		{name: "unverify", takes: "NAME", needs: true, does: "take that back", run: changing(marking(tui.Profile.VerifyContact, false), "%s is not verified any more.")},
		{name: "block", takes: "NAME", needs: true, does: "let their calls not ring here; they are not told", run: changing(marking(tui.Profile.BlockContact, true), "%s is blocked: their calls do not ring here. They are not told.")},
		{name: "unblock", takes: "NAME", needs: true, does: "take that back", run: changing(marking(tui.Profile.BlockContact, false), "%s is not blocked any more.")},
		{name: "ring", takes: "NAME default, silence or always", needs: true, does: "decide what their calls do here", run: ring},
		{name: "presence", takes: "NAME on or off", needs: true, does: "let them see when you are here, if they let you", run: presence},
		{name: "card", does: "your card, for somebody who may call you", run: card},
		{name: "invite", does: "get a code to say to somebody, and wait until they use it", aside: true, run: invite},
		{name: "join", takes: "CODE", needs: true, does: "use a code that somebody said to you", aside: true, run: join},
		{name: "cancel", does: "give up an invitation or a joining", urgent: true, run: giveUp},
		{name: "settings", takes: "[list, get KEY, or set KEY VALUE]", does: "hear and change the settings", run: adjust},
		{name: "devices", does: "the microphones and speakers there are", run: devices},
		{name: "history", takes: "[forget]", does: "how the latest twenty calls went, or delete them all", run: history},
		{name: "setup", does: "be asked the questions of the first run, if they were not answered", run: nil},
		{name: "help", does: "these commands", run: func(p *plain, _ string) error { return p.help() }},
	}
}

func marking(what func(tui.Profile, string, bool) error, on bool) func(tui.Profile, string) error {
	return func(profile tui.Profile, name string) error { return what(profile, name, on) }
}

func changing(what func(tui.Profile, string) error, done string) func(*plain, string) error {
	return func(p *plain, name string) error {
		if err := what(p.Profile, name); err != nil {
			return err
		}
		p.say(done, name)
		return nil
	}
}

func contacts(p *plain, _ string) error {
	all, err := p.Profile.Contacts()
	if err != nil {
		return err
	}
	here := p.Calls.Snapshot().Here
	p.say("%s, and echo, which is inside Sotto.", count(len(all), "contact"))
	for _, contact := range all {
		marks := "not verified"
		if contact.Verified {
			marks = "verified"
		}
		if contact.Blocked {
			marks += ", blocked"
		}
		switch contact.Ring {
		case settings.RingSilence:
			marks += ", rings in silence"
		case settings.RingAlways:
			marks += ", always rings"
		}
		switch {
		case here[contact.Key]:
			marks += ", here now"
		case contact.Presence.Agreed && contact.Presence.Theirs:
			marks += ", not here now, or there is no line"
		case contact.Presence.Agreed:
			marks += ", may see when you are here once they choose the same"
		}
		p.say("%s: %s.", contact.Name, marks)
	}
	return nil
}

func add(p *plain, rest string) error {
	text, name := first(rest)
	kept, err := p.Profile.AddContact(text, name)
	if err == nil {
		p.say("%s is in your contacts. They need your card too, before either can call. Not verified until you compare safety words in a call.", kept)
	}
	return err
}

func rename(p *plain, rest string) error {
	old, name, found := strings.Cut(rest, " to ")
	if !found {
		return errors.New("type rename, the old name, to, and the new one: rename bob to robert")
	}
	err := p.Profile.RenameContact(strings.TrimSpace(old), strings.TrimSpace(name))
	if err == nil {
		p.say("Renamed.")
	}
	return err
}

func ring(p *plain, rest string) error {
	cut := strings.LastIndexByte(rest, ' ')
	if cut < 0 {
		return errors.New("after ring comes a name, and then default, silence or always")
	}
	name, how := strings.TrimSpace(rest[:cut]), rest[cut+1:]
	err := p.Profile.SetContactRing(name, how)
	if err == nil {
		p.say("Saved.")
	}
	return err
}

func presence(p *plain, rest string) error {
	cut := strings.LastIndexByte(rest, ' ')
	if cut < 0 || rest[cut+1:] != "on" && rest[cut+1:] != "off" {
		return errors.New("after presence comes a name, and then on or off")
	}
	name, agreed := strings.TrimSpace(rest[:cut]), rest[cut+1:] == "on"
	if err := p.Profile.SetContactPresence(name, agreed); err != nil {
		return err
	}
	if !agreed {
		p.say("%s does not see any more when you are here, nor you when they are.", name)
		return nil
	}
	tells := "%s may see when you are here, and you when they are, once they have chosen the same and a call has said so."
	if all, err := p.Profile.Contacts(); err == nil {
		for _, contact := range all {
			if contact.Name == name && contact.Presence.Theirs {
				tells = "You have both chosen it: %s sees when you are here, and you when they are."
			}
		}
	}
	p.say(tells, name)
	if inForce, _ := p.Profile.Settings(); inForce["calls.presence"] != "on" {
		p.say("It takes effect when you switch presence on: settings set calls.presence on")
	}
	return nil
}

func card(p *plain, _ string) error {
	text, err := p.Profile.Card()
	if err == nil {
		p.say("%s", text)
	}
	return err
}

// pairing runs what takes a code, one at a time; cancel ends it.
func (p *plain) pairing(work func(ctx context.Context) (string, error)) error {
	ctx, cancel := context.WithCancel(p.ctx)
	defer cancel()
	p.mu.Lock()
	busy := p.stop != nil
	if !busy {
		p.stop = cancel
	}
	p.mu.Unlock()
	if busy {
		return errors.New("a code is being used already; type cancel to give it up")
	}
	name, err := work(ctx)
	p.mu.Lock()
	p.stop = nil
	p.mu.Unlock()
	switch {
	case ctx.Err() != nil && err != nil:
		return nil // given up, or on the way out
	case err == nil:
		p.say("%s is in your contacts, verified.", name)
	}
	return err
}

func invite(p *plain, _ string) error {
	return p.pairing(func(ctx context.Context) (string, error) {
		return p.Profile.Invite(ctx, func(code string) {
			p.say("Say this to the person you want to add, and to them alone: %s", code)
			p.say("They type join and the code. It works once, right or wrong, for ten minutes. To give it up, type: cancel")
		})
	})
}

func join(p *plain, code string) error {
	return p.pairing(func(ctx context.Context) (string, error) {
		p.say("Connecting to them. This takes a few seconds.")
		return p.Profile.Join(ctx, code, "")
	})
}

func giveUp(p *plain, _ string) error {
	p.mu.Lock()
	stop := p.stop
	p.mu.Unlock()
	if stop == nil {
		return errors.New("there is no code to give up; to end a call, type hangup")
	}
	stop()
	p.say("Given up.")
	return nil
}

func devices(p *plain, _ string) error {
	all, err := p.Profile.Devices()
	if err != nil {
		return err
	}
	if len(all) == 0 {
		p.say("There is no microphone and no speaker.")
	}
	for _, device := range all {
		standing := ""
		if device.Default {
			standing = ", the default"
		}
		p.say("%s%s: %s, %s", device.Kind, standing, device.Name, device.Words)
	}
	return nil
}

// historyLines is how many calls are told; the command sotto history has them all.
const historyLines = 20

func history(p *plain, what string) error {
	switch what {
	case "":
	case "forget":
		err := p.Profile.ForgetHistory()
		if err == nil {
			p.say("The history is deleted.")
		}
		return err
	default:
		return errors.New("after history comes nothing, or forget")
	}
	all, _, err := p.Profile.History()
	if err != nil {
		return err
	}
	if len(all) == 0 {
		p.say("There was no call yet, or none is kept.")
	}
	for _, entry := range all[:min(len(all), historyLines)] {
		way := "to"
		if entry.Incoming {
			way = "from"
		}
		p.say("%s, %s %s: %s. %s", entry.Time.Local().Format("2 January 15:04"), way, entry.Name, tui.Outcome(entry), entry.Receipt)
	}
	return p.Profile.LookAtHistory()
}

// missed says how many calls were missed since the person last heard the history.
func (p *plain) missed() {
	all, looked, err := p.Profile.History()
	if err != nil {
		p.complain(err)
		return
	}
	var names []string
	n := 0
	for _, entry := range all {
		if entry.Missed() && entry.Time.After(looked) {
			if n++; !slices.Contains(names, entry.Name) {
				names = append(names, entry.Name)
			}
		}
	}
	if n > 0 {
		p.say("%s, from %s. Type history to hear more.", count(n, "missed call"), strings.Join(names[:min(len(names), 5)], ", "))
	}
}
