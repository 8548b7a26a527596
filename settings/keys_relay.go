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
}
