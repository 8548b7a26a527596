package tui

import "sotto/settings/advice"

// onScreens are the words on the screens for what can be done.
var onScreens = advice.Words{
	advice.SetUp:            ": start Sotto again",
	advice.ChooseRelay:      "; choose one in the settings, under Relay",
	advice.PutInToken:       " and put it into the settings, under Relay's token",
	advice.DropProxy:        ", or empty the line Proxy in the settings",
	advice.TurnCallingOn:    ". Press s and turn it on first; echo can be called without it",
	advice.LookForName:      "; look at the name again",
	advice.RenameContact:    "; rename them there",
	advice.InviteAgain:      "; start again for a new one",
	advice.InviteAndTell:    "; start again for a new code, and say that one",
	advice.SeeDevices:       "; the settings list those there are",
	advice.DoWithoutDevices: ", or choose none in the settings",
}

// OnScreens is an error, or a sentence, in the words of the screens; "" for nil.
func OnScreens(err error) string { return onScreens.Say(err) }
