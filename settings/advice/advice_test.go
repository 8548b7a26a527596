package advice

import (
	"errors"
	"fmt"
	"testing"
)

// other says something else of what it wraps.
type other struct{ error }

func (o other) Error() string { return "it did not work" }
func (o other) Unwrap() error { return o.error }

func TestAdviceStandsBehindWhatItIsFor(t *testing.T) {
	nobody := Text{What: "nobody is there", Do: LookForName}
	words := Words{LookForName: "; look"}
	for want, err := range map[string]error{
		"":                               nil,
		"plain":                          errors.New("plain"),
		"nobody is there; look":          nobody,
		"calling: nobody is there; look": fmt.Errorf("calling: %w", nobody),
		"nobody is there; look (bob)":    fmt.Errorf("%w (bob)", nobody),
		"a: nobody is there; look: b":    fmt.Errorf("a: %w", fmt.Errorf("%w: %w", nobody, errors.New("b"))),
		"b\nnothing to be done\nnobody is there; look": errors.Join(errors.New("b"), Text{What: "nothing to be done"}, nobody),
		"it did not work":            other{nobody},
		"nothing to be done":         Text{What: "nothing to be done"},
		"so: nobody is there; look!": Text{What: "nobody is there", Do: LookForName, Rest: "!"}.After("so: "),
		"no: nobody is there; look!": fmt.Errorf("no: %w", Text{What: "nobody is there", Do: LookForName, Rest: "!"}),
	} {
		if got := words.Say(err); got != want {
			t.Errorf("%#v is told by %q, not %q", err, got, want)
		}
		if err != nil && Of(err).Error() != err.Error() {
			t.Errorf("%q without its advice is %q", err, Of(err).Error())
		}
	}
	if missing := words.Missing(); len(missing) != int(kinds)-2 || missing[0] != None+1 {
		t.Errorf("of one word, %v are missing", missing)
	}
}
