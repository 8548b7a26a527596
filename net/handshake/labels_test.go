package handshake

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
)

// The table in net/identity lists every label of the packages, each used for one
// thing.
func TestLabelTableIsComplete(t *testing.T) {
	table, err := os.ReadFile("../identity/doc.go")
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]int{}
	for _, found := range regexp.MustCompile(`(?m)^//\t(sotto/\w+/\w+/\d+) `).FindAllSubmatch(table, -1) {
		listed[string(found[1])]++
	}
	used := map[string]int{}
	for _, folder := range []string{".", "../identity", "../pair"} {
		files, err := filepath.Glob(filepath.Join(folder, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, found := range regexp.MustCompile(`= "(sotto/\w+/\w+/\d+)\\x00"`).FindAllSubmatch(source, -1) {
				used[string(found[1])]++
			}
		}
	}
	if len(used) == 0 || !maps.Equal(listed, used) {
		t.Errorf("the table has %v,\nthe code %v", slices.Sorted(maps.Keys(listed)), slices.Sorted(maps.Keys(used)))
	}
	for label, times := range used {
		if times != 1 {
			t.Errorf("%s stands for %d things", label, times)
		}
	}
}
