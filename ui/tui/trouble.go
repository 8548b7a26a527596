package tui

import "strings"

// toDo are the pieces of errors that name a command, and what to do instead where
// one is: on the screens, and in plain lines.
var toDo = []struct{ command, screens, lines string }{
	{
		"calling is off; turn it on with sotto settings set calls.enabled on",
		"calling is off. Press s and turn it on first; echo can be called without it",
		"calling is off; to turn it on, type settings set calls.enabled on; echo can be called without it",
	},
	{
		"choose one with sotto settings set relay.address HOST:PORT#PIN, or local for this machine",
		"choose one in the settings, under Relay",
		"type settings set relay.address and then its address, or local for one on this machine",
	},
	{
		`take the proxy out with sotto settings set relay.proxy ""`,
		"empty the line Proxy in the settings",
		"type settings set relay.proxy with nothing after it to take the proxy out",
	},
	{"ask whoever runs it for the token and set relay.admission", "ask whoever runs it for the token and put it into the settings, under Relay's token", "ask whoever runs it for the token and type settings set relay.admission and the token"},
	{"run sotto contacts to see who is", "look at the name again", "type contacts to hear who is"},
	{"sotto contacts rename changes it", "rename them there", "type rename to change it"},
	{"make a new code with sotto invite and say it again", "start again for a new code, and say that one", "type invite for a new code, and say that one"},
	{"make a new one with sotto invite", "start again for a new one", "type invite for a new one"},
	{"sotto devices lists those there are", "the settings list those there are", "type devices to hear those there are"},
	{"plug one in, or use --mic null --speaker null", "plug one in, or choose none in the settings", "plug one in, or type settings set sound.mic null and settings set sound.speaker null"},
	{"restart it, or use --mic null --speaker null", "restart it, or choose none in the settings", "restart it, or type settings set sound.mic null and settings set sound.speaker null"},
	{"run sotto setup", "start Sotto again", "type setup"},
}

// inScreens says in terms of the screens what a command would be told in terms of
// the command line.
func inScreens(text string) string {
	for _, piece := range toDo {
		text = strings.ReplaceAll(text, piece.command, piece.screens)
	}
	return text
}

// InLines does the same for the plain lines.
func InLines(text string) string {
	for _, piece := range toDo {
		text = strings.ReplaceAll(text, piece.command, piece.lines)
	}
	return text
}
