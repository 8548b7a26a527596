//go:build linux

package hosts_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// row is one scenario's line of the table in docs/privacy.md.
type row struct {
	name                       string
	alice, bob, relayA, relayB int // packets captured on each link, without the kernels' own
	early                      int // of them on people's links before an answer
	direct                     int // packets between alice and bob
	strays                     int // packets that were not for the own relay, or too early
	told                       int // packets that told a side or a relay an address it must not have
	places                     int // outputs, files and memories searched for addresses
	found                      int // of them with one
}

const (
	tableBegins = "<!-- scenarios: written by make test-privacy -->"
	tableEnds   = "<!-- end of scenarios -->"
)

// table is the rows in Markdown.
func table(rows []row) string {
	var text strings.Builder
	text.WriteString("| scenario | packets on Alice's, Bob's, relay A's, relay B's link | before an answer | Alice ↔ Bob | strays | packets that tell an address | places searched | addresses found |\n")
	text.WriteString("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |\n")
	for _, r := range rows {
		fmt.Fprintf(&text, "| %s | %d, %d, %d, %d | %d | %d | %d | %d | %d | %d |\n",
			r.name, r.alice, r.bob, r.relayA, r.relayB, r.early, r.direct, r.strays, r.told, r.places, r.found)
	}
	return text.String()
}

// between puts a text between two markers of a page.
func between(page, begins, ends, text string) (string, error) {
	before, rest, opened := strings.Cut(page, begins)
	_, after, closed := strings.Cut(rest, ends)
	if !opened || !closed {
		return "", fmt.Errorf("the page has no %s … %s", begins, ends)
	}
	return before + begins + "\n" + text + ends + after, nil
}

// write puts the table into the page that make test-privacy names.
func write(t *testing.T, begins, ends, text string) {
	t.Helper()
	path := os.Getenv("SOTTO_PRIVACY_PAGE")
	if path == "" {
		return
	}
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := between(string(page), begins, ends, text)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(fresh), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestBetweenKeepsTheRestOfThePage(t *testing.T) {
	got, err := between("a\n<b>\nold\n<e>\nc\n", "<b>", "<e>", "new\n")
	if err != nil || got != "a\n<b>\nnew\n<e>\nc\n" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := between("a\n<e>\n<b>", "<b>", "<e>", "x"); err == nil {
		t.Error("a page without markers was written")
	}
}
