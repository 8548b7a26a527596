package settings

// soundKeys are what you speak into and hear with.
var soundKeys = []Key{
	{
		Name: "sound.mic", Kind: Text, Default: "default",
		Group: GroupSound,
		Doc:   "the microphone: default, device:NAME, or null for none",
		comment: "The microphone: \"default\", \"device:NAME\" as `sotto devices` names it, or \"null\"\n" +
			"for none. It is opened only while you are in a call.",
		text: func(s *Settings) *string { return &s.Sound.Mic },
	},
	{
		Name: "sound.speaker", Kind: Text, Default: "default",
		Group:   GroupSound,
		Doc:     "the speaker: default, device:NAME, or null for none",
		comment: "The speaker or headphones, written the same way.",
		text:    func(s *Settings) *string { return &s.Sound.Speaker },
	},
}
