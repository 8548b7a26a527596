package plain

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// verb is one thing that can be typed. Its name must be typed whole.
type verb struct {
	name   string
	takes  string // words after it, for the help; "" when it takes none
	needs  bool   // it cannot do without them
	does   string
	urgent bool // goes ahead of what takes long
	aside  bool // takes minutes
	run    func(p *plain, rest string) error
}

// verbs is every verb, in the order of the help. It is a function because the help
// is one of them.
func verbs() []verb {
	return append(callVerbs(), profileVerbs()...)
}

func find(name string) *verb {
	for _, candidate := range verbs() {
		if candidate.name == name {
			return &candidate
		}
	}
	return nil
}

// take does what a line says; leaving is true when that is to leave.
func (p *plain) take(line string) (leaving bool) {
	if word := strings.ToLower(line); word == "quit" || word == "exit" {
		return true
	}
	if p.asking != nil {
		p.takeAnswer(line)
		return false
	}
	name, rest, _ := strings.Cut(line, " ")
	rest = strings.TrimSpace(rest)
	name = strings.ToLower(name)
	if name == "" {
		return false
	}
	found := find(name)
	switch {
	case found == nil:
		p.say("There is no command %s. Type help to hear the commands.", name)
	case rest != "" && found.takes == "":
		p.say("Nothing was done: %s stands alone on its line, with no words after it.", name)
	case rest == "" && found.needs:
		p.say("Type %s and after it: %s", name, found.takes)
	case (name == "answer" || line == "waiting answer") && time.Since(p.rang) < grace:
		p.say("This call has only just come in, so it was not answered. Type it again.")
	case name == "setup":
		p.askAgain()
	default:
		p.dispatch(found, rest)
	}
	return false
}

// askAgain asks the questions of the first run; the loop's own, like every question.
func (p *plain) askAgain() {
	if p.Profile.IsSetUp() {
		p.say("You are set up already. Type settings to hear what can be changed.")
		return
	}
	p.asking = newFirstRun(p)
}

func (p *plain) takeAnswer(line string) {
	if !p.asking.take(p, line) {
		return
	}
	asked := p.asking
	p.asking = nil
	made := verb{run: func(p *plain, _ string) error {
		if asked.finish(p) {
			return errors.New("the profile was not made; type setup to be asked again")
		}
		return nil
	}}
	p.dispatch(&made, "")
	if asked.code != "" {
		p.dispatch(asked.joining(), "")
	}
}

func (p *plain) help() error {
	for _, v := range verbs() {
		shown := v.name
		if v.takes != "" {
			shown += " " + v.takes
		}
		p.say("%s: %s", shown, v.does)
	}
	p.say("quit: hang up and leave. Ctrl+c and the end of the input do the same.")
	return nil
}

// first splits off the first word.
func first(text string) (word, rest string) {
	word, rest, _ = strings.Cut(text, " ")
	return word, strings.TrimSpace(rest)
}

// count is a number with its noun.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
