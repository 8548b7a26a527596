package identity

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

func TestCleanName(t *testing.T) {
	for name, want := range map[string]string{
		"Alice":                             "Alice",
		"  two \t\n words  ":                "two words",
		"a\x1b[31mb\x1b]0;title\x07c":       "a[31mb]0;titlec",
		"a\x9b31mb\u009b":                   "a31mb", // C1 control, as byte and as rune
		"evil\u202egpj.exe":                 "evilgpj.exe",
		"\u2066iso\u2069\u200e\u200f\u061c": "iso",
		"ze\u200bro\u200d\u200c\ufeff":      "zero",
		"so\u00adft\u034f":                  "soft",
		"tag\U000e0041\U000e007f":           "tag",
		"\u115f\u3164\uffa0\u2800\u17b4":    "",
		"private\ue000\U000f0000":           "private",
		"bad\xff\xfe\ufffd":                 "bad",
		"line\u2028sep\u00a0x\u3000y":       "line sep x y",
		"\u0301leading":                     "leading",
		"Zoe\u0308":                         "Zoe\u0308",
		"Nguyễn":                            "Nguyễn",
		"李小龍":                               "李小龍",
		"z" + strings.Repeat("\u0300", 60):  "z\u0300\u0300\u0300",
		strings.Repeat("a", 40):             strings.Repeat("a", 32),
		strings.Repeat("李", 40):             strings.Repeat("李", 16),
		strings.Repeat("a", 31) + "李":       strings.Repeat("a", 31),
		strings.Repeat("a", 31) + " b":      strings.Repeat("a", 31),
		strings.Repeat("é", 40):             strings.Repeat("é", 32),
		"":                                  "",
		"\n":                                "",
	} {
		if got := CleanName(name); got != want {
			t.Errorf("%q became %q, want %q", name, got, want)
		}
	}
}

func FuzzCleanName(f *testing.F) {
	f.Add("a\x1b[31m \u202e李\u0301\u200d👨\u200d👩\u200d👧 x")
	f.Add(strings.Repeat("e\u0301", 50))
	f.Add("\U0001F1E9\U0001F1EA\U0001F1E9 \u1100\u1161\u11a8")
	f.Fuzz(func(t *testing.T, name string) {
		clean := CleanName(name)
		if again := CleanName(clean); again != clean {
			t.Errorf("%q becomes %q, then %q", name, clean, again)
		}
		if len(clean) > MaxNameSize || uniseg.StringWidth(clean) > maxNameWidth || !utf8.ValidString(clean) {
			t.Errorf("%q is too much", clean)
		}
		for _, r := range clean {
			if unicode.In(r, unicode.C, unicode.Zl, unicode.Zp, unicode.Bidi_Control, unicode.Join_Control) {
				t.Errorf("%q holds %U", clean, r)
			}
		}
	})
}
