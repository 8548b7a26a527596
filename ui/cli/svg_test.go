//go:build linux

package cli

import (
	"encoding/xml"
	"fmt"
	"image/color"
	"strings"
	"testing"

	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"
)

// The size of one cell of a picture, and where the line of writing is in it. A
// cell is 0.6 of the letters' size wide, as most fonts of one width have it.
const (
	cellWidth, cellHeight, baseline, letters = 8.4, 18, 13.5, 14
	border                                   = 14
)

// paper and ink are what a terminal's own default colours are in a picture, and
// inks its sixteen.
const paper, ink = "#16181d", "#d4d7dd"

var inks = [16]string{
	"#2b2f38", "#e06c75", "#8fc379", "#d9b86a", "#6aa5e8", "#c586d8", "#5bc0cc", "#c3c7cf",
	"#5c6370", "#f0868e", "#a6d88f", "#ecd08a", "#8cbcf2", "#d8a2e8", "#7ed6e0", "#ffffff",
}

// svg draws the screen: one <text> for each run of cells of one style.
func (term *display) svg() string {
	term.mu.Lock()
	defer term.mu.Unlock()
	columns, rows := term.screen.Width(), term.screen.Height()
	width, height := float64(columns)*cellWidth+2*border, float64(rows)*cellHeight+2*border
	var drawn strings.Builder
	fmt.Fprintf(&drawn, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" width="%.0f" height="%.0f">`+"\n", width, height, width, height)
	fmt.Fprintf(&drawn, `<rect width="100%%" height="100%%" rx="8" fill="%s"/>`+"\n", paper)
	fmt.Fprintf(&drawn, `<g font-family="ui-monospace,Menlo,Consolas,'DejaVu Sans Mono','Noto Sans Mono CJK SC',monospace" font-size="%d" fill="%s" xml:space="preserve">`+"\n", letters, ink)
	for y := range rows {
		for x := 0; x < columns; {
			r := term.stretch(x, y)
			drawn.WriteString(r.draw(x, y))
			x += r.cells
		}
	}
	if at := term.screen.CursorPosition(); !term.screen.CursorHidden() {
		fmt.Fprintf(&drawn, `<rect x="%.1f" y="%d" width="1.5" height="%d" fill="%s"/>`+"\n", border+float64(at.X)*cellWidth, border+at.Y*cellHeight, cellHeight, ink)
	}
	drawn.WriteString("</g>\n</svg>\n")
	return drawn.String()
}

// stretch is cells in a row that look alike.
type stretch struct {
	text  string
	style uv.Style
	cells int
}

// stretch returns the one that begins at a cell. A wide character is one of its own,
// so that it stands in its two cells whatever the font makes of it.
func (term *display) stretch(x, y int) stretch {
	var r stretch
	for ; x < term.screen.Width(); x++ {
		cell := term.screen.CellAt(x, y)
		if cell == nil || cell.Content == "" {
			cell = &uv.EmptyCell
		}
		switch {
		case r.cells == 0:
			r = stretch{cell.Content, cell.Style, cell.Width}
			if cell.Width > 1 {
				return r
			}
		case cell.Width > 1 || !cell.Style.Equal(&r.style):
			return r
		default:
			r.text, r.cells = r.text+cell.Content, r.cells+1
		}
	}
	return r
}

func (r stretch) draw(x, y int) string {
	front, back := colourOf(r.style.Fg, ink), colourOf(r.style.Bg, paper)
	if r.style.Attrs&uv.AttrReverse != 0 {
		front, back = back, front
	}
	var drawn strings.Builder
	if back != paper {
		fmt.Fprintf(&drawn, `<rect x="%.1f" y="%d" width="%.1f" height="%d" fill="%s"/>`+"\n",
			border+float64(x)*cellWidth, border+y*cellHeight, float64(r.cells)*cellWidth, cellHeight, back)
	}
	left := len(r.text) - len(strings.TrimLeft(r.text, " "))
	text := strings.TrimSpace(r.text)
	if text == "" {
		return drawn.String()
	}
	more := ""
	if front != ink {
		more += fmt.Sprintf(` fill="%s"`, front)
	}
	if r.style.Attrs&uv.AttrBold != 0 {
		more += ` font-weight="bold"`
	}
	if r.style.Attrs&uv.AttrFaint != 0 {
		more += ` opacity=".6"`
	}
	var escaped strings.Builder
	_ = xml.EscapeText(&escaped, []byte(text))
	cells := r.cells - left - (len(r.text) - left - len(text))
	fmt.Fprintf(&drawn, `<text x="%.1f" y="%.1f" textLength="%.1f" lengthAdjust="spacingAndGlyphs"%s>%s</text>`+"\n",
		border+float64(x+left)*cellWidth, border+float64(y*cellHeight)+baseline, float64(cells)*cellWidth, more, escaped.String())
	return drawn.String()
}

// colourOf is one of the sixteen, or what stands for the terminal's own.
func colourOf(c color.Color, own string) string {
	switch c := c.(type) {
	case nil:
		return own
	case ansi.BasicColor:
		return inks[c]
	}
	red, green, blue, _ := c.RGBA()
	return fmt.Sprintf("#%02x%02x%02x", red>>8, green>>8, blue>>8)
}

// TestAPictureOfAScreen checks that what a program draws is in the picture, where it drew it.
func TestAPictureOfAScreen(t *testing.T) {
	t.Parallel()
	term := onDisplay(t, 30, 3, atTerminal(t), "printf", `a \033[1;31mbold <&\033[0m\r\n李小龍 ──\r\n\033[2mfaint\033[0m \033[7mreverse\033[0m`)
	if status := term.left(); status != 0 {
		t.Fatal(status)
	}
	picture := term.svg()
	for _, want := range []string{
		`<text x="14.0" y="27.5" textLength="8.4" lengthAdjust="spacingAndGlyphs">a</text>`,
		`fill="` + inks[1] + `" font-weight="bold">bold &lt;&amp;</text>`,
		`<text x="30.8" y="45.5" textLength="16.8" lengthAdjust="spacingAndGlyphs">小</text>`,
		`<text x="72.8" y="45.5" textLength="16.8" lengthAdjust="spacingAndGlyphs">──</text>`,
		`opacity=".6">faint</text>`,
		`<rect x="64.4" y="50" width="58.8" height="18" fill="` + ink + `"/>`,
		`fill="` + paper + `">reverse</text>`,
	} {
		if !strings.Contains(picture, want) {
			t.Errorf("%s is not in the picture:\n%s", want, picture)
		}
	}
}
