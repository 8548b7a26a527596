package settings

// relayKeys are the way calls take.
var relayKeys = []Key{
	{
		Name: "relay.address", Kind: Text, Default: "",
		Group:     GroupRelay,
		Sees:      "Your relay sees your address, and when and how long you talk. People you call see its address instead of yours.",
		Costs:     "A relay far away makes the way longer.",
		Overrules: "Nobody. No contact and no other relay can choose one for you.",
		Doc:       "the relay that carries your calls: host[:port][#pin], or local",
		comment: "The relay that carries your calls. The people you talk to see its address\n" +
			"instead of yours; it cannot hear you, but it sees your address.\n" +
			"  \"\"                        none chosen yet\n" +
			"  \"local\"                   one on this computer, for trying things out\n" +
			"  \"relay.example.org\"       one with a certificate that browsers trust\n" +
			"  \"203.0.113.7:443#PIN\"     one named by its own key, as it prints it",
		text: func(s *Settings) *string { return &s.Relay.Address },
	},
	{
		Name: "relay.admission", Kind: Text, Default: "",
		Group: GroupRelay,
		Doc:   "the token your relay asks for, if it asks for one",
		comment: "The token your relay asks for, if it asks for one. All people of that relay\n" +
			"share it, so it does not say who you are.",
		text: func(s *Settings) *string { return &s.Relay.Admission },
	},
	{
		Name: "relay.proxy", Kind: Text, Default: "",
		Group:     GroupRelay,
		Sees:      "Your relay sees the proxy's address in place of yours; your own network sees only that you use the proxy.",
		Costs:     "Sound goes over TLS through the proxy: more delay, and a lost packet holds up those behind it. No relay on this machine.",
		Overrules: "Nobody. If the proxy fails nothing is sent another way.",
		Doc:       "a SOCKS5 proxy for everything that is sent: socks5://ADDRESS:PORT, such as Tor's, or nothing",
		comment: "A SOCKS5 proxy that everything goes through, signals and sound, such as Tor's\n" +
			"at socks5://127.0.0.1:9050. Your relay then sees the proxy's address instead of\n" +
			"yours. Names are resolved by the proxy. \"\" is none.",
		text: func(s *Settings) *string { return &s.Relay.Proxy },
	},
}
