package tui

// settingRow is one setting as the screen shows it: what it is called, what it
// can be, who sees what because of it, and what it costs.
type settingRow struct {
	key, label string
	options    []settingOption // a choice of these
	fixed      string          // a value that cannot be changed, and says so
	text       string          // shown for a line of text that has no words of its own

	// For a line of text: what to type, what an empty line shows, what is said
	// when it must not be empty, and whether blanks are dropped.
	edit  []string
	hint  string
	must  string
	solid bool

	sees, costs string // for rows without options
}

// settingOption is one value with its two plain lines.
type settingOption struct {
	value, label string
	sees, costs  string
}

var settingRows = []settingRow{
	{
		key: "calls.enabled", label: "Calling",
		options: []settingOption{
			{
				"off", "off",
				"Nobody: Sotto opens no connection, and nobody can call you.",
				"you can call nobody but echo.",
			},
			{
				"on", "on",
				"While Sotto is open, your relay sees your address and that you are there. The people you talk to do not see your address.",
				"one connection to your relay stays open.",
			},
		},
	},
	{
		key: "calls.who", label: "Who may call",
		options: []settingOption{
			{"nobody", "nobody", "No call rings here, and callers cannot tell that from your being away.", "you can still call others; nobody can call you back."},
			{"verified", "verified contacts", "Only contacts whose keys you have compared can make it ring. Others cannot tell that from your being away.", "contacts you have not verified do not get through."},
			{"contacts", "contacts", "Only contacts, verified or not, can make it ring, and only if they have added you too.", "an unverified contact may be somebody else: compare the safety words."},
			{"anyone", "anyone with my card", "Whoever has your card can make it ring, also strangers it was passed on to.", "strangers may disturb you."},
		},
	},
	{
		key: "calls.ringing", label: "Show that it rings",
		options: []settingOption{
			{"on", "on", "A contact who calls learns that Sotto is open here, before you answer.", "a contact can find out when you are there by calling."},
			{"off", "off", "A caller learns nothing before you answer.", "callers cannot tell ringing from your being away."},
		},
	},
	{
		key: "calls.direct", label: "Direct calls", fixed: "off (not yet)",
		sees:  "Not available yet. Every call goes over relays: nobody you talk to sees your address.",
		costs: "the way over relays adds a little delay.",
	},
	{
		key: "relay.address", label: "Relay", solid: true,
		edit: []string{relayMeans, "Type its address, or the word local for a relay on this machine, which reaches only people on this computer and has your address."},
		hint: "relay.example.org", must: "Type an address, or the word local.",
		text:  "none",
		sees:  "The relay sees your address, and when and for how long you call; it cannot hear you.",
		costs: "when you change it, the people who have your card need your new one.",
	},
	{
		key: "name", label: "Name",
		edit: []string{"The name stands in your card."}, must: "Type a name.", hint: "your name",
		sees:  "Whoever has your card sees this name.",
		costs: "cards you gave away earlier keep the old name.",
	},
	{
		key: "sound.mic", label: "Microphone",
		edit: []string{"Type default, device: and a device's name, null for silence, tone, or file: and the path of a WAV file."},
		hint: "default", must: "Type default for the system's microphone.",
		sees: "It is open only in a call that you placed or answered.",
	},
	{
		key: "sound.speaker", label: "Speaker",
		edit: []string{"Type default, device: and a device's name, null for silence, or file: and the path of a WAV file."},
		hint: "default", must: "Type default for the system's speaker.",
		sees: "Calls and the ringing are heard here.",
	},
}

// value is what a row shows: the stored value, in words.
func (r *settingRow) value(w *world) string {
	if r.fixed != "" {
		return r.fixed
	}
	stored := w.settings[r.key]
	for i := range r.options {
		if r.options[i].value == stored {
			return r.options[i].label
		}
	}
	switch {
	case stored == "":
		return r.text
	case r.key == "relay.address" && stored == "local":
		return "on this machine"
	}
	return stored
}

// meaning is who sees what, and what it costs, for the value that is stored now.
func (r *settingRow) meaning(w *world) (sees, costs string) {
	stored := w.settings[r.key]
	if r.key == "calls.enabled" && stored == "on" && w.settings["relay.address"] == "local" {
		return "Your relay is this machine, so only people on this computer can reach you, and it has your address.", "a relay runs here while Sotto is open."
	}
	for i := range r.options {
		if r.options[i].value == stored {
			return r.options[i].sees, r.options[i].costs
		}
	}
	if r.key == "relay.address" {
		switch stored {
		case "":
			return "Without a relay there is no connection, and nobody sees anything.", "you can call nobody but echo."
		case "local":
			return "The relay is this computer, so it has your address. It reaches only people on this computer.", "for everybody else you need a relay elsewhere."
		}
	}
	return r.sees, r.costs
}
