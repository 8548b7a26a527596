//go:build linux

package cli

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	paints  = 20               // starts that the time to the first paint is the median of
	watched = 10 * time.Second // how long a screen's bytes are counted
)

// BenchmarkInterface measures what the interface writes, how soon it shows something
// and what it weighs, beside other programs of the terminal that are installed. It
// prints a table, and puts it between the marks of the file that SOTTO_BENCH_TABLE names.
func BenchmarkInterface(b *testing.B) {
	home := filepath.Join(b.TempDir(), "alice")
	must(b, "--home", home, "setup", "--name", "alice", "--calls", "off", "--yes")
	program := []string{sotto(b), "--home", home, "--mic", "tone", "--speaker", "null"}
	speech := filepath.Join(b.TempDir(), "speech.wav")
	repeated(b, speech, time.Minute)
	speaking := []string{sotto(b), "--home", home, "--mic", "file:" + speech, "--speaker", "null"}
	rows := []string{
		"| Program, view | Bytes a second | First paint, median of 20 | Memory |", "|---|---|---|---|",
		view{"sotto, contacts", "enter call", "", "", nil, program}.row(b),
		view{"sotto, call with a tone", "enter call", "\r", "0:02", nil, program}.row(b),
		view{"sotto, call with speech", "enter call", "\r", "0:02", nil, speaking}.row(b),
		view{"sotto, call with speech, over SSH", "enter call", "\r", "0:02", []string{"SSH_TTY=/dev/pts/9"}, speaking}.row(b),
	}
	for _, peer := range []view{
		{"htop", "F10Quit", "", "", nil, []string{"htop"}},
		{"baresip, waiting for a call", "baresip is ready", "", "", nil, []string{"baresip", "-f", quietBaresip(b)}},
	} {
		if _, err := exec.LookPath(peer.words[0]); err != nil {
			b.Logf("%s is not installed: it is not in the table", peer.words[0])
			continue
		}
		rows = append(rows, peer.row(b))
	}
	load, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		b.Fatal(err)
	}
	table := fmt.Sprintf("%s\n\nMade on %d processors, with a load of %s at the end.", strings.Join(rows, "\n"), runtime.NumCPU(), strings.Fields(string(load))[0])
	fmt.Printf("\n%s\n\n", table)
	if path := os.Getenv("SOTTO_BENCH_TABLE"); path != "" {
		between(b, path, table)
	}
	b.ReportMetric(0, "ns/op")
}

// view is one of a program on a terminal of 80 by 24.
type view struct {
	name    string
	painted string // on the screen once it was drawn
	press   string // what leads to the view; "": nothing
	there   string // on the screen once the view is there
	environ []string
	words   []string
}

func (v view) row(b *testing.B) string {
	b.Helper()
	var first []float64
	for range paints {
		term := v.start(b)
		first = append(first, float64(time.Since(term.began).Microseconds())/1000)
		_ = term.command.Process.Kill()
		<-term.read
		_ = term.command.Wait()
	}
	term := v.start(b)
	if v.press != "" {
		term.press(v.press)
		term.until(v.there)
	}
	time.Sleep(2 * time.Second) // what follows a start is no idling
	before := term.bytes()
	time.Sleep(watched)
	rate := float64(term.bytes()-before) / watched.Seconds()
	weight := float64(resident(b, term.command.Process.Pid)) / 1024
	_ = term.command.Process.Kill()
	<-term.read
	return fmt.Sprintf("| %s | %.0f | %.0f ms (%.0f to %.0f) | %.0f MB |", v.name, rate, median(first), slices.Min(first), slices.Max(first), weight)
}

func (v view) start(b *testing.B) *display {
	b.Helper()
	term := onDisplay(b, 80, 24, atTerminal(b, v.environ...), v.words...)
	term.until(v.painted)
	return term
}

// quietBaresip is the folder of a baresip that knows no server and listens on loopback only.
func quietBaresip(b *testing.B) string {
	b.Helper()
	folder := b.TempDir()
	modules := "/usr/lib/baresip/modules"
	if found, _ := filepath.Glob("/usr/lib/*/baresip/modules"); len(found) > 0 {
		modules = found[0]
	}
	for name, text := range map[string]string{
		"config": "sip_listen 127.0.0.1:0\nmodule_path " + modules +
			"\nmodule stdio.so\nmodule g711.so\nmodule_tmp account.so\nmodule_app menu.so\n",
		"accounts": "<sip:alice@127.0.0.1>;regint=0\n",
		"contacts": "",
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	return folder
}

// between puts a table between the two marks of a page.
func between(b *testing.B, path, table string) {
	b.Helper()
	const from, to = "<!-- made by make bench-ui -->\n", "<!-- end -->"
	page, err := os.ReadFile(path)
	if err != nil {
		b.Fatal(err)
	}
	before, rest, begins := strings.Cut(string(page), from)
	_, after, ends := strings.Cut(rest, to)
	if !begins || !ends {
		b.Fatalf("%s has no place for the table", path)
	}
	if err := os.WriteFile(path, []byte(before+from+"\n"+table+"\n\n"+to+after), 0o644); err != nil {
		b.Fatal(err)
	}
}
