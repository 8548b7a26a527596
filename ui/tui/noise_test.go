package tui

import (
	"strings"
	"testing"

	"sotto/settings"
)

// TestNoiseSuppressionThatIsNotBuiltInSaysSo, and only then.
func TestNoiseSuppressionThatIsNotBuiltInSaysSo(t *testing.T) {
	for _, key := range settings.Keys() {
		row := settingRow{key: &key, words: wordsFor(&key)}
		said := false
		for _, paragraph := range row.paragraphs() {
			said = said || strings.Contains(paragraph[1], "built without")
		}
		if want := key.Name == "sound.noise" && !noiseIsBuiltIn(); said != want {
			t.Errorf("%s: told that it is not built in: %v", key.Name, said)
		}
	}
}
