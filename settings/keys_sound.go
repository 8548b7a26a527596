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
	{
		Name: "sound.ring", Kind: Text, Default: "",
		Group: GroupSound,
		Doc:   "where an incoming call rings: device:NAME, null for nowhere, or empty for the speaker",
		comment: "Where an incoming call rings: \"device:NAME\", \"null\" for nowhere, or \"\" for the\n" +
			"speaker that calls are heard on. With a headset there, loudspeakers can ring.",
		text: func(s *Settings) *string { return &s.Sound.Ring },
	},
	{
		Name: "sound.talk", Kind: Choice, Default: "open",
		Group:  GroupSound,
		Values: []string{"open", "push"},
		Doc:    "whether the microphone is open in a call, or only while you hold space",
		comment: "Whether the microphone is open in a call:\n" +
			"  \"open\"  from the answer on, until you mute it\n" +
			"  \"push\"  only while you hold space in Sotto's screens; where a terminal does\n" +
			"          not tell when a key is let go, space opens and closes it in turn",
		text: func(s *Settings) *string { return &s.Sound.Talk },
	},
	{
		Name: "sound.echo", Kind: Choice, Values: offAuto, Default: "auto",
		Group: GroupSound,
		Doc:   "whether what your speaker plays is taken out of what your microphone hears",
		comment: "Whether what your speaker plays is taken out of what your microphone hears, so\n" +
			"that people do not hear themselves: \"auto\" or \"off\". \"auto\" does nothing with a\n" +
			"headset, or where your system does it already. It costs 5 ms of delay.",
		text: func(s *Settings) *string { return &s.Sound.Echo },
	},
	{
		Name: "sound.noise", Kind: Choice, Values: offAuto, Default: "off",
		Group:   GroupSound,
		Doc:     "whether fans and keyboards are taken out of what your microphone hears",
		comment: "Whether fans and keyboards are taken out: \"auto\" or \"off\". Music needs \"off\".",
		text:    func(s *Settings) *string { return &s.Sound.Noise },
	},
	{
		Name: "sound.gain", Kind: Choice, Values: offAuto, Default: "off",
		Group:   GroupSound,
		Doc:     "whether your voice is slowly brought to the usual level",
		comment: "Whether your voice is slowly brought to the usual level: \"auto\" or \"off\".",
		text:    func(s *Settings) *string { return &s.Sound.Gain },
	},
	{
		Name: "sound.highpass", Kind: Choice, Values: offAuto, Default: "off",
		Group:   GroupSound,
		Doc:     "whether rumble below 80 Hz is taken out",
		comment: "Whether rumble below 80 Hz is taken out: \"auto\" or \"off\".",
		text:    func(s *Settings) *string { return &s.Sound.HighPass },
	},
}

var offAuto = []string{"auto", "off"}
