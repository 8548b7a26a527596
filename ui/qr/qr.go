// Package qr draws a text as a square of modules (ISO/IEC 18004) for a camera, in
// letters of a terminal.
package qr

import (
	"strings"

	"rsc.io/qr"
)

// quiet is the light frame around the modules. The standard asks for four; cameras
// are content with two, and rows are dear on a terminal.
const quiet = 2

// Lines draws text, light modules in the terminal's foreground, for a dark
// background; cameras read it on a light one as well. With blocks, one letter holds
// two modules, one above the other; without, a module is two letters of ASCII. All
// lines are equally long. The error is a text that no code can hold (2953 bytes).
func Lines(text string, blocks bool) ([]string, error) {
	code, err := qr.Encode(text, qr.L)
	if err != nil {
		return nil, err
	}
	light := func(x, y int) bool { return !code.Black(x, y) } // outside it is light
	first, end := -quiet, code.Size+quiet
	var lines []string
	if !blocks {
		for y := first; y < end; y++ {
			var line strings.Builder
			for x := first; x < end; x++ {
				line.WriteString(map[bool]string{true: "##", false: "  "}[light(x, y)])
			}
			lines = append(lines, line.String())
		}
		return lines, nil
	}
	for y := first; y < end; y += 2 {
		var line strings.Builder
		for x := first; x < end; x++ {
			line.WriteString(half(light(x, y), y+1 < end && light(x, y+1)))
		}
		lines = append(lines, line.String())
	}
	return lines, nil
}

func half(above, below bool) string {
	switch {
	case above && below:
		return "█"
	case above:
		return "▀"
	case below:
		return "▄"
	}
	return " "
}
