package settings

// lookKeys are how Sotto looks on a terminal.
var lookKeys = []Key{
	{
		Name: "look.colour", Kind: Choice, Default: "auto",
		Group:  GroupLook,
		Values: []string{"auto", "16", "none"},
		Doc:    "whether colours are used",
		comment: "Whether colours are used:\n" +
			"  \"auto\"   the terminal's own sixteen, unless NO_COLOR is set or it has none\n" +
			"  \"16\"     the terminal's own sixteen, also with NO_COLOR\n" +
			"  \"none\"   none; nothing is ever said by colour alone",
		text: func(s *Settings) *string { return &s.Look.Colour },
	},
	{
		Name: "look.glyphs", Kind: Choice, Default: "auto",
		Group:  GroupLook,
		Values: []string{"auto", "ascii", "unicode"},
		Doc:    "which signs are drawn",
		comment: "Which signs are drawn:\n" +
			"  \"auto\"     lines and bars where the locale is UTF-8\n" +
			"  \"ascii\"    letters and signs that every terminal has\n" +
			"  \"unicode\"  lines and bars, whatever the locale says",
		text: func(s *Settings) *string { return &s.Look.Glyphs },
	},
	{
		Name: "look.keys", Kind: Text, Default: "",
		Group: GroupKeys,
		Doc:   "keys of your own, as in \"mute=u, hold=z\"",
		comment: "Keys of your own in place of a letter that Sotto has: \"mute=u, hold=z\".\n" +
			"The settings screen lists what has a key, and says when one is taken.",
		text: func(s *Settings) *string { return &s.Look.Keys },
	},
	{
		Name: "look.mouse", Kind: Switch, Values: onOff, Default: "off",
		Group: GroupLook,
		Doc:   "whether the mouse selects and scrolls",
		comment: "Whether the mouse selects and scrolls in Sotto. While it does, most terminals\n" +
			"mark text only with shift held down.",
		flag: func(s *Settings) *bool { return &s.Look.Mouse },
	},
	{
		Name: "look.notify", Kind: Choice, Default: "bell",
		Group:  GroupLook,
		Values: []string{"off", "bell", "full"},
		Doc:    "how a call makes itself noticed beyond the screen",
		comment: "How a call makes itself noticed beyond the screen:\n" +
			"  \"off\"   not at all\n" +
			"  \"bell\"  the terminal's bell and the window's title, without a name\n" +
			"  \"full\"  with the caller's name in the title and in a notification: on a local\n" +
			"          Linux desktop one to answer and decline with, elsewhere where the\n" +
			"          terminal has them. Whoever sees your desktop sees the name, on some\n" +
			"          desktops while it is locked, and its history of notices may keep it",
		text: func(s *Settings) *string { return &s.Look.Notify },
	},
}
