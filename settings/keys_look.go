package settings

// lookKeys are how Sotto looks on a terminal.
var lookKeys = []Key{
	{
		Name: "look.colour", Kind: Choice, Default: "auto",
		Group:  GroupLook,
		Values: []string{"auto", "none"},
		Doc:    "whether colours are used",
		comment: "Whether colours are used:\n" +
			"  \"auto\"   the terminal's own sixteen, unless NO_COLOR is set or it has none\n" +
			"  \"none\"   none; nothing is ever said by colour alone",
		text: func(s *Settings) *string { return &s.Look.Colour },
	},
	{
		Name: "look.glyphs", Kind: Choice, Default: "auto",
		Group:  GroupLook,
		Values: []string{"auto", "ascii", "unicode"},
		Doc:    "which signs are drawn",
		comment: "Which signs are drawn: \"auto\" goes by the locale, \"ascii\" uses letters and signs\n" +
			"that every terminal has, \"unicode\" draws lines and bars whatever the locale says.",
		text: func(s *Settings) *string { return &s.Look.Glyphs },
	},
}
