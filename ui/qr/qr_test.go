package qr

import (
	"strings"
	"testing"
	"unicode/utf8"

	"rsc.io/qr"
)

// modules reads a drawing back: true is dark.
func modules(lines []string, blocks bool) [][]bool {
	var rows [][]bool
	for _, line := range lines {
		letters := []rune(line)
		if !blocks {
			row := make([]bool, len(letters)/2)
			for i := range row {
				row[i] = letters[2*i] == ' '
			}
			rows = append(rows, row)
			continue
		}
		above, below := make([]bool, len(letters)), make([]bool, len(letters))
		for i, letter := range letters {
			above[i] = letter == ' ' || letter == '▄'
			below[i] = letter == ' ' || letter == '▀'
		}
		rows = append(rows, above, below)
	}
	return rows
}

func TestDrawingHoldsTheCode(t *testing.T) {
	for _, text := range []string{"42 apple river stone cloud", "sotto:" + strings.Repeat("A", 400)} {
		want, err := qr.Encode(text, qr.L)
		if err != nil {
			t.Fatal(err)
		}
		for _, blocks := range []bool{true, false} {
			lines, err := Lines(text, blocks)
			if err != nil {
				t.Fatal(err)
			}
			for _, line := range lines {
				if utf8.RuneCountInString(line) != utf8.RuneCountInString(lines[0]) {
					t.Fatal("the lines differ in length")
				}
			}
			drawn := modules(lines, blocks)
			for y := range want.Size {
				for x := range want.Size {
					if drawn[y+quiet][x+quiet] != want.Black(x, y) {
						t.Fatalf("blocks %v: module %d, %d is wrong", blocks, x, y)
					}
				}
			}
			for x := range drawn[0] {
				if drawn[0][x] || drawn[1][x] {
					t.Fatal("the frame above is not light")
				}
			}
		}
	}
}

func TestTooLongIsAnError(t *testing.T) {
	if lines, err := Lines(strings.Repeat("x", 3000), true); err == nil {
		t.Fatalf("%d lines for 3000 letters", len(lines))
	}
}
