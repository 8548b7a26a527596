package tui

import (
	"strings"

	tea "charm.land/bubbletea/v2"
)

// action is what a key can do. Screens offer actions; keys are found here only.
type action int

const (
	none action = iota
	leave
	help
	accept
	back
	up
	down
	pageUp
	pageDown
	dial
	addContact
	renameContact
	removeContact
	showCard
	copyCard
	openSettings
	hangUp
	answer
	decline
	mute
	hold
	switchView
	callAgain
	search
	reset
	palette
	openContact
	verify
	block
	showProof
	silence
	declineWith
	deafen
	writeText
	answerWaiting
	declineWaiting
	showPicture
	copyCode
	complete
	openHistory
	forget
	openDevices
	setRing
	setDirect
	toRelays
	pushTalk
	setPresence
)

// bind joins an action to its keys and to the words that the footer and the help show.
type bind struct {
	act    action
	keys   []string // as Bubble Tea names them; the first is the one shown
	does   string   // in the footer: a word or two
	means  string   // in the help: what it does, when does is not enough
	silent bool     // only in the help
	name   string   // in look.keys, where its letter can be changed; "": it cannot
}

// table is every key of the program.
var table = map[action]bind{
	leave:          {keys: []string{"ctrl+c"}, does: "leave", means: "leave Sotto; a call is hung up first"},
	help:           {name: "help", keys: []string{"?", "f1"}, does: "help"},
	accept:         {keys: []string{"enter"}, does: "accept"},
	back:           {keys: []string{"esc"}, does: "back"},
	up:             {keys: []string{"up", "k"}, does: "move up", silent: true},
	down:           {keys: []string{"down", "j"}, does: "move down", silent: true},
	pageUp:         {keys: []string{"pgup"}, does: "scroll a page up", silent: true},
	pageDown:       {keys: []string{"pgdown"}, does: "scroll a page down", silent: true},
	dial:           {keys: []string{"enter"}, does: "call", means: "call the selected contact"},
	addContact:     {name: "add", keys: []string{"a"}, does: "add", means: "add a contact, by a code or a card"},
	renameContact:  {name: "rename", keys: []string{"r"}, does: "rename", means: "rename the selected contact"},
	removeContact:  {name: "remove", keys: []string{"d", "delete"}, does: "remove", means: "remove the selected contact"},
	showCard:       {name: "card", keys: []string{"c"}, does: "my card", means: "show the card that lets others reach you"},
	copyCard:       {name: "copy", keys: []string{"c"}, does: "copy", means: "copy the card to the clipboard"},
	openSettings:   {name: "settings", keys: []string{"s"}, does: "settings", means: "settings and privacy"},
	hangUp:         {name: "hang-up", keys: []string{"h"}, does: "hang up"},
	answer:         {name: "answer", keys: []string{"enter", "a"}, does: "answer"},
	decline:        {name: "decline", keys: []string{"d"}, does: "decline"},
	mute:           {name: "mute", keys: []string{"m", "space"}, does: "mute", means: "mute or unmute your microphone"},
	hold:           {name: "hold", keys: []string{"o"}, does: "hold", means: "hold: neither side is heard until you resume"},
	switchView:     {keys: []string{"tab"}, does: "contacts", means: "look at your contacts; the call goes on"},
	search:         {name: "find", keys: []string{"/"}, does: "find", means: "find by a few letters"},
	reset:          {name: "reset", keys: []string{"x"}, does: "reset", means: "back to what a fresh profile has"},
	palette:        {name: "everything", keys: []string{":", "ctrl+p"}, does: "everything", means: "find anything that can be done, by its name"},
	openContact:    {name: "more", keys: []string{"i"}, does: "more", means: "everything about the selected contact"},
	verify:         {name: "verify", keys: []string{"v"}, does: "verify"},
	block:          {name: "block", keys: []string{"b"}, does: "block"},
	silence:        {name: "silence", keys: []string{"s"}, does: "silence", means: "stop the ringing here; the caller is told nothing new"},
	declineWith:    {name: "decline-with", keys: []string{"t"}, does: "decline with a line", means: "decline, and tell the caller why in a line of text"},
	deafen:         {name: "deafen", keys: []string{"d"}, does: "deafen", means: "hear nothing, and be heard by nobody"},
	writeText:      {name: "write", keys: []string{"t"}, does: "write", means: "write a line of text to the other side"},
	answerWaiting:  {name: "take-waiting", keys: []string{"w"}, does: "answer", means: "hang up this call and answer the one that waits"},
	declineWaiting: {name: "decline-waiting", keys: []string{"x"}, does: "decline", means: "decline the call that waits; this one goes on"},
	openHistory:    {name: "history", keys: []string{"h"}, does: "history", means: "the calls that are over"},
	forget:         {name: "delete-history", keys: []string{"x"}, does: "delete all", means: "delete the whole history"},
	openDevices:    {name: "devices", keys: []string{"g"}, does: "devices", means: "use another microphone or speaker in this call"},
	setRing:        {name: "ring", keys: []string{"s"}, does: "ring", means: "how this contact's calls ring here"},
	setDirect:      {name: "direct", keys: []string{"e"}, does: "direct", means: "agree to direct calls with this contact, or take that back"},
	setPresence:    {name: "presence", keys: []string{"p"}, does: "presence", means: "let this contact see when you are here, if they let you, or take that back"},
	toRelays:       {name: "to-relays", keys: []string{"e"}, does: "to relays", means: "take this direct call back to the relays"},
	showPicture:    {name: "picture", keys: []string{"p"}, does: "picture", means: "show it as a picture for a camera"},
	copyCode:       {name: "copy-code", keys: []string{"c"}, does: "copy", means: "copy the code to the clipboard"},
	complete:       {keys: []string{"tab"}, does: "complete", means: "complete the word, or show those that begin like it"},
	showProof:      {name: "proof", keys: []string{"p"}, does: "proof", means: "everything the live connection shows about itself"},
	pushTalk:       {keys: []string{"space"}, does: "talk"},
	callAgain:      {name: "call-again", keys: []string{"r"}, does: "call again"},
}

// on picks an action from the table.
func on(act action) bind {
	found := table[act]
	found.act = act
	return found
}

// as picks an action from the table, with another word for it.
func as(act action, does string) bind {
	found := on(act)
	found.does, found.means = does, ""
	return found
}

// leaving is ctrl+c, and q where a text field does not need the letter.
func leaving(typing bool) bind {
	found := on(leave)
	if !typing {
		found.keys = []string{"q", "ctrl+c"}
	}
	return found
}

// find returns the action of a pressed key; while typing, a key that writes a
// letter belongs to the field.
func find(binds []bind, msg tea.KeyPressMsg, typing bool) (action, bool) {
	name := msg.String()
	for _, candidate := range binds {
		for _, key := range candidate.keys {
			if key == name && !(typing && writes(key)) {
				return candidate.act, true
			}
		}
	}
	return none, false
}

// writes reports whether a key puts a letter into a text field.
func writes(key string) bool {
	return len(key) == 1 || key == "space"
}

// usable drops what a text field would swallow, so that the footer and the
// help never name a key that does not work.
func usable(binds []bind, typing bool) []bind {
	var kept []bind
	for _, candidate := range binds {
		var keys []string
		for _, key := range candidate.keys {
			if !(typing && writes(key)) {
				keys = append(keys, key)
			}
		}
		if len(keys) > 0 {
			candidate.keys = keys
			kept = append(kept, candidate)
		}
	}
	return kept
}

var arrows = map[string]string{"up": "↑", "down": "↓", "left": "←", "right": "→"}

// shown is a key as a person reads it.
func shown(key string, unicode bool) string {
	if arrow, ok := arrows[key]; ok && unicode {
		return arrow
	}
	return key
}

// allShown lists every key of a binding.
func allShown(keys []string, unicode bool) string {
	names := make([]string, len(keys))
	for i, key := range keys {
		names[i] = shown(key, unicode)
	}
	return strings.Join(names, ", ")
}
