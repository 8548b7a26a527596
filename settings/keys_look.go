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
		comment: "Which signs are drawn:\n" +
			"  \"auto\"     lines and bars where the locale is UTF-8\n" +
			"  \"ascii\"    letters and signs that every terminal has\n" +
			"  \"unicode\"  lines and bars, whatever the locale says",
		text: func(s *Settings) *string { return &s.Look.Glyphs },
	},
}
