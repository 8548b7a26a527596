package plain

import (
	"regexp"
	"testing"
)

func TestEveryAdviceHasWordsInLines(t *testing.T) {
	if missing := inLines.Missing(); len(missing) > 0 {
		t.Errorf("plain lines have no words for the advice %v", missing)
	}
	command := regexp.MustCompile(`\bsotto [a-z]|--[a-z]`)
	for _, words := range inLines {
		if found := command.FindString(words); found != "" {
			t.Errorf("%q is told of by %q, which cannot be typed here", words, found)
		}
	}
}
