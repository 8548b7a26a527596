package cli

import (
	"strings"

	"sotto/net/call"
	"sotto/settings/advice"
	"sotto/ui/tui"
)

// commands are the command line's words for what can be done. The history on disk has
// them too: what stands in it stays readable as long as these stay.
var commands = advice.Words{
	advice.SetUp:            ": run sotto setup",
	advice.ChooseRelay:      "; choose one with sotto settings set relay.address HOST:PORT#PIN, or local for this machine",
	advice.PutInToken:       " and set relay.admission",
	advice.DropProxy:        `, or take the proxy out with sotto settings set relay.proxy ""`,
	advice.TurnCallingOn:    "; turn it on with sotto settings set calls.enabled on",
	advice.LookForName:      "; run sotto contacts to see who is",
	advice.RenameContact:    "; sotto contacts rename changes it",
	advice.InviteAgain:      "; make a new one with sotto invite",
	advice.InviteAndTell:    "; make a new code with sotto invite and say it again",
	advice.SeeDevices:       "; sotto devices lists those there are",
	advice.DoWithoutDevices: ", or use --mic null --speaker null",
}

// told is an error, or a sentence, in the command line's words.
func told(err error) string { return commands.Say(err) }

// record writes a call that is over into the history, whose entries say why in the
// command line's words.
func (a *app) record(info call.Info) error {
	entry := info.Entry()
	entry.Why = told(info.Detail)
	return a.profile.Record(entry)
}

// onScreens is why a call in the history went as it did, in the screens' words.
func onScreens(why string) string {
	for kind, words := range commands {
		if what, rest, found := strings.Cut(why, words); found && words != "" {
			return tui.OnScreens(advice.Text{What: what, Do: advice.Kind(kind), Rest: rest})
		}
	}
	return why
}
