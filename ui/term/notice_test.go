package term

import (
	"strings"
	"testing"
)

func TestNoticesByTerminal(t *testing.T) {
	const e = "\x1b"
	for _, c := range []struct{ environ, shown, closed string }{
		{"TERM=xterm-kitty", e + "]99;i=sotto-call:d=0;Call" + e + "\\" + e + "]99;i=sotto-call:d=1:p=body;bob;x" + e + "\\", e + "]99;i=sotto-call:p=close;" + e + "\\"},
		{"TERM=foot", e + "]777;notify;Call;bob;x" + e + "\\", ""},
		{"TERM=rxvt-unicode-256color", e + "]777;notify;Call;bob;x" + e + "\\", ""},
		{"TERM=xterm-ghostty", e + "]777;notify;Call;bob;x" + e + "\\", ""},
		{"TERM=xterm-256color TERM_PROGRAM=WezTerm", e + "]777;notify;Call;bob;x" + e + "\\", ""},
		{"TERM=xterm-256color TERM_PROGRAM=iTerm.app", e + "]9;Call: bob;x" + e + "\\", ""},
		{"TERM=tmux-256color TMUX=/tmp/t,1,0 LC_TERMINAL=iTerm2", e + "Ptmux;" + e + e + "]9;Call: bob;x" + e + e + "\\" + e + "\\", ""},
		{
			"TERM=tmux-256color TMUX=/tmp/t,1,0 KITTY_WINDOW_ID=1", e + "Ptmux;" + e + e + "]99;i=sotto-call:d=0;Call" + e + e + "\\" + e + "\\" +
				e + "Ptmux;" + e + e + "]99;i=sotto-call:d=1:p=body;bob;x" + e + e + "\\" + e + "\\",
			e + "Ptmux;" + e + e + "]99;i=sotto-call:p=close;" + e + e + "\\" + e + "\\",
		},
		{"TERM=screen STY=1.x KITTY_WINDOW_ID=1", "", ""},
		{"TERM=xterm-256color", "", ""},
		{"TERM=dumb TERM_PROGRAM=iTerm.app", "", ""},
	} {
		n := NoticesFor(strings.Fields(c.environ))
		if got := n.Show("Call", "bob;x"); got != c.shown {
			t.Errorf("%s: shows %q, want %q", c.environ, got, c.shown)
		}
		if got := n.Close(); got != c.closed {
			t.Errorf("%s: closes with %q, want %q", c.environ, got, c.closed)
		}
	}
}
