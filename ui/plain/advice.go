package plain

import (
	"sotto/settings/advice"
	"sotto/ui/tui"
)

// inLines are the words in plain lines for what can be done.
var inLines = advice.Words{
	advice.SetUp:            ": type setup",
	advice.ChooseRelay:      "; type settings set relay.address and then its address, or local for one on this machine",
	advice.PutInToken:       " and type settings set relay.admission and the token",
	advice.DropProxy:        ", or type settings set relay.proxy with nothing after it to take the proxy out",
	advice.TurnCallingOn:    "; to turn it on, type settings set calls.enabled on; echo can be called without it",
	advice.LookForName:      "; type contacts to hear who is",
	advice.RenameContact:    "; type rename to change it",
	advice.InviteAgain:      "; type invite for a new one",
	advice.InviteAndTell:    "; type invite for a new code, and say that one",
	advice.SeeDevices:       "; type devices to hear those there are",
	advice.DoWithoutDevices: ", or type settings set sound.mic null and settings set sound.speaker null",
}

// told is an error, or a sentence, as a sentence of its own; "" for nil.
func told(err error) string { return tui.Sentence(inLines.Say(err)) }
