package settings

// callKeys are who you are and who may call you.
var callKeys = []Key{
	{
		Name: "name", Kind: Text, Default: "",
		Group:   GroupCalls,
		Doc:     "your name, as people you give your card to see it",
		comment: "Your name. People you give your card to see it; no relay does.",
		text:    func(s *Settings) *string { return &s.Name },
	},
	{
		Name: "calls.enabled", Kind: Switch, Values: onOff, Default: "off",
		Group:     GroupCalls,
		Sees:      "While off: nobody, not even a relay. While on: your relay sees your address and when you are online.",
		Costs:     "While off you can neither call nor be called; calling echo still works.",
		Overrules: "Nobody. No contact and no relay can turn it on.",
		Doc:       "whether you can call and be called at all",
		comment: "Whether you can call and be called at all.\n" +
			"While this is false Sotto does not touch the network: nobody can reach you,\n" +
			"and nobody can tell that you are there.",
		flag: func(s *Settings) *bool { return &s.Calls.Enabled },
	},
	{
		Name: "calls.who", Kind: Choice, Default: string(Contacts),
		Group:     GroupPrivacy,
		Sees:      "Whoever may not call you sees the same as if you were away.",
		Costs:     "The stricter, the more people cannot reach you and are not told why.",
		Overrules: "Blocking a contact is stronger than any choice here. One set to ring always does so, unless this is nobody.",
		Values:    []string{string(Nobody), string(Verified), string(Contacts), string(Anyone)},
		Doc:       "whose calls ring here",
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
		Group:     GroupPrivacy,
		Sees:      "While on, a contact who calls sees that you are online before you answer. Strangers never do.",
		Costs:     "While off, callers hear nothing until you answer.",
		Overrules: "Nobody. No caller can ask for it.",
		Doc:       "whether a contact who calls is told that it rings here",
		comment: "Whether a contact who calls is told that it rings here.\n" +
			"Set it to false if even your contacts shall not know that you are online\n" +
			"before you answer. Strangers are never told.",
		flag: func(s *Settings) *bool { return &s.Calls.Ringing },
	},
	{
		Name: "calls.waiting", Kind: Switch, Values: onOff, Default: "off",
		Group:     GroupCalls,
		Sees:      "While off, a contact who calls while you talk hears that you are in another call. While on, it rings there.",
		Costs:     "While on, a second call can show itself in the middle of one. It makes no sound.",
		Overrules: "Nobody. Strangers never wait: they see the same as if you were away.",
		Doc:       "whether a contact's call waits while you talk to somebody else",
		comment: "Whether a contact's call waits, without a sound, while you talk to somebody\n" +
			"else. While this is false they hear that you are in another call.",
		flag: func(s *Settings) *bool { return &s.Calls.Waiting },
	},
	{
		Name: "calls.history", Kind: Choice, Default: string(KeepMonth),
		Group:     GroupPrivacy,
		Sees:      "Whoever can read your files sees whom you talked to and when. No relay and no contact does.",
		Costs:     "While off, you cannot see later who called, or block a stranger who did.",
		Overrules: "Nobody. Choosing off deletes what is there; sotto history clear does so at any time.",
		Values:    []string{string(KeepNothing), string(KeepMonth), string(KeepForever)},
		Doc:       "for how long calls stay in the history",
		comment: "For how long calls stay in the history: \"off\", \"30days\" or \"forever\" (the\n" +
			"latest 5000). It is on this computer only. \"off\" deletes what is there.",
		text: func(s *Settings) *string { return (*string)(&s.Calls.History) },
	},
	{
		Name: "calls.direct", Kind: Switch, Values: onOff, Default: "off",
		Group:     GroupPrivacy,
		Sees:      "While off, nobody you talk to sees your network address. While on, verified contacts you chose for it do.",
		Costs:     "Relays make the way a little longer. An address tells roughly where you are.",
		Overrules: "The other side: both of you must be verified, and have chosen it for each other. Either returns to relays.",
		Doc:       "whether calls may leave the relays, with verified contacts chosen by sotto contacts direct",
		comment: "Whether a call may go straight from your computer to theirs. That shows them\n" +
			"your network address, and so roughly where you are. It takes more than this:\n" +
			"both of you must have verified the other, switched this on, and chosen it for\n" +
			"each other (`sotto contacts direct NAME on`).",
		flag: func(s *Settings) *bool { return &s.Calls.Direct },
	},
	{
		Name: "calls.presence", Kind: Switch, Values: onOff, Default: "off",
		Group:     GroupPrivacy,
		Sees:      "While on, contacts you chose see when you are here, if they chose you too. The relays see a message to each every few minutes.",
		Costs:     "By that rhythm a relay can tell much sooner than by calls which drops, and so which people, belong together.",
		Overrules: "Either of you: both must have chosen the other. Who may not call you sees nothing. Calling being off ends it.",
		Doc:       "whether you and contacts chosen by sotto contacts presence see of each other when you are here",
		comment: "Whether contacts see that you are here, and you that they are. It takes more\n" +
			"than this: both of you must have chosen it for each other (`sotto contacts\n" +
			"presence NAME on`) and have told each other in a call. Then each sends the\n" +
			"other a sealed message every few minutes, and the relays see that rhythm.",
		flag: func(s *Settings) *bool { return &s.Calls.Presence },
	},
}
