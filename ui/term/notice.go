package term

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// noticeID names Sotto's one notification to a terminal that can close it again.
const noticeID = "sotto-call"

// Title sequences of xterm's window operations: the title is put aside on a stack
// that the terminal keeps, and taken from it again.
const (
	KeepTitle = "\x1b[22;2t"
	backTitle = "\x1b[23;2t"
)

// Notices is what a terminal can tell the desktop around it; the zero value is one
// that cannot. Words must hold nothing but what is visible.
type Notices struct {
	number int // of the operating system command: 99, 777 or 9; 0: none
	tmux   bool
}

// NoticesFor finds out from the environment what the terminal understands: 99 is
// Kitty's, 777 urxvt's, also known to foot, ghostty and WezTerm, 9 iTerm2's. Inside
// tmux the variables of the terminal around it count, as far as they reach there.
// GNU screen passes nothing on.
func NoticesFor(environ []string) Notices {
	value := map[string]string{}
	for _, entry := range environ {
		name, text, _ := strings.Cut(entry, "=")
		value[name] = text
	}
	n := Notices{tmux: value["TMUX"] != ""}
	kind, program := value["TERM"], value["TERM_PROGRAM"]
	switch {
	case kind == "dumb", value["STY"] != "" && !n.tmux:
		return Notices{}
	case kind == "xterm-kitty", value["KITTY_WINDOW_ID"] != "":
		n.number = 99
	case kind == "foot", kind == "foot-extra", strings.HasPrefix(kind, "rxvt-unicode"), kind == "xterm-ghostty", kind == "wezterm",
		program == "WezTerm", program == "ghostty", value["GHOSTTY_RESOURCES_DIR"] != "", value["WEZTERM_PANE"] != "":
		n.number = 777
	case program == "iTerm.app", value["LC_TERMINAL"] == "iTerm2", value["ITERM_SESSION_ID"] != "":
		n.number = 9
	}
	return n
}

// Show is what makes the terminal show a notification in place of the one before;
// "" where it cannot.
func (n Notices) Show(title, body string) string {
	switch n.number {
	case 99:
		return n.wrap("\x1b]99;i="+noticeID+":d=0;"+title+"\x1b\\") + n.wrap("\x1b]99;i="+noticeID+":d=1:p=body;"+body+"\x1b\\")
	case 777:
		return n.wrap("\x1b]777;notify;" + strings.ReplaceAll(title, ";", ",") + ";" + body + "\x1b\\")
	case 9:
		return n.wrap("\x1b]9;" + title + ": " + body + "\x1b\\")
	}
	return ""
}

// Close takes the notification away; "" where the terminal cannot, or has none.
func (n Notices) Close() string {
	if n.number != 99 {
		return ""
	}
	return n.wrap("\x1b]99;i=" + noticeID + ":p=close;\x1b\\")
}

// wrap lets tmux pass a sequence on, if its allow-passthrough says so.
func (n Notices) wrap(sequence string) string {
	if n.tmux {
		return ansi.TmuxPassthrough(sequence)
	}
	return sequence
}

// TakeBack makes giving the terminal back also close the notification and bring the
// title from before KeepTitle. It belongs before anything is drawn.
func (g *Guard) TakeBack(notices Notices) { g.also = notices.Close() + backTitle }

// TakeBackBeyond makes giving the terminal back also run undo, once, after it and from
// whatever goroutine panicked. It belongs before anything is drawn.
func (g *Guard) TakeBackBeyond(undo func()) { g.beyond = undo }

// Also is what TakeBack adds to the way out.
func (g *Guard) Also() string { return g.also }
