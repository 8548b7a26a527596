//go:build linux

package bench

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// warmUp is how long a call settles before it is measured: an idle null sink takes
// up to 0.9 s to its first callback, and playout buffers need a few seconds.
const warmUp = 6 * time.Second

var losses = []float64{0, 0.10, 0.20, 0.30}

// row is what was measured of one program.
type row struct {
	name        string
	median, p95 float64 // mouth to ear without loss, ms
	cpu         float64 // both ends, % of a core
	mb          float64 // both ends
	estoi       []float64
	delay       []float64 // median at each loss, ms
}

func BenchmarkSound(b *testing.B) {
	r := newRig(b)
	speech := loadSpeech(b)
	programs := []program{
		{"sotto, two relays, 20 ms frames", always, sotto("--voice", "off", "--frame", "20"), false},
		{"sotto, two relays, 10 ms frames", always, sotto("--voice", "off", "--frame", "10"), false},
		{"sotto, two relays, 20 ms frames, all voice processing", always, processed("--frame", "20"), true},
		{"Chromium, direct", have("chromium"), chromium, false},
		{"baresip, direct", have("baresip"), baresip, false},
	}
	var rows []row
	for range b.N {
		rows = nil
		for _, p := range programs {
			if only := os.Getenv("SOTTO_BENCH_ONLY"); only != "" && !strings.Contains(p.name, only) {
				continue
			}
			if !p.installed() {
				b.Logf("%s is not installed", p.name)
				continue
			}
			rows = append(rows, r.measure(p, speech))
		}
	}
	if len(rows) == 0 {
		b.Fatal("nothing was measured")
	}
	text := table(rows, r.lossy)
	fmt.Println(text)
	if path := os.Getenv("SOTTO_BENCH_TABLE"); path != "" {
		if err := writeSection(path, "bench-sound", text); err != nil {
			b.Fatal(err)
		}
	}
	for _, got := range rows {
		name := strings.ReplaceAll(strings.ReplaceAll(got.name, ", ", "-"), " ", "-")
		b.ReportMetric(got.median, name+"-ms")
	}
	b.ReportMetric(0, "ns/op")
}

// quick measures without loss, and says less: for a look while working.
func quick() bool { return os.Getenv("SOTTO_BENCH_QUICK") != "" }

func (r *rig) measure(p program, speech []float32) row {
	call := p.call(r)
	defer call.stop()
	time.Sleep(warmUp)
	got := row{name: p.name}
	for _, loss := range losses {
		if loss > 0 && (!r.lossy || p.lossless || quick()) {
			break
		}
		if loss > 0 {
			r.lose(loss, call.ports())
			time.Sleep(warmUp)
		}
		before, began := usageOf(call.ends), time.Now()
		said, heard := r.say(speech)
		after, took := usageOf(call.ends), time.Since(began)
		found := delays(said, heard)
		if loss == 0 {
			got.median, got.p95 = quantile(found, 0.5), quantile(found, 0.95)
			got.cpu, got.mb = 100*(after.cpu-before.cpu).Seconds()/took.Seconds(), after.mb
		}
		got.estoi = append(got.estoi, estoi(r.b, said, heard))
		got.delay = append(got.delay, quantile(found, 0.5))
	}
	if r.lossy {
		r.lose(0, nil)
	}
	r.b.Logf("%+v", got)
	return got
}

// table is the rows in Markdown, figures first, then each as a multiple of the first row's.
func table(rows []row, lossy bool) string {
	var out strings.Builder
	fmt.Fprintf(&out, "Measured on %s, %s.\n\n", machine(), time.Now().UTC().Format("2006-01-02"))
	out.WriteString("| | mouth to ear, median | 95 % | CPU, both ends | memory, both ends | ratios to the first row: delay, CPU, memory |\n|---|---|---|---|---|---|\n")
	for _, got := range rows {
		fmt.Fprintf(&out, "| %s | %.0f ms | %.0f ms | %.1f %% | %.0f MB | %.2f, %.2f, %.1f |\n", got.name, got.median, got.p95, got.cpu, got.mb,
			got.median/rows[0].median, got.cpu/rows[0].cpu, got.mb/rows[0].mb)
	}
	if !lossy || quick() {
		out.WriteString("\nLoss was not measured: the packet filter could not be used.\n")
		return out.String()
	}
	out.WriteString("\n| ESTOI (delay) with random loss on one leg | 0 % | 10 % | 20 % | 30 % |\n|---|---|---|---|---|\n")
	for _, got := range rows {
		if len(got.estoi) < len(losses) {
			continue
		}
		fmt.Fprintf(&out, "| %s |", got.name)
		for i := range got.estoi {
			fmt.Fprintf(&out, " %.3f (%.0f ms) |", got.estoi[i], got.delay[i])
		}
		out.WriteString("\n")
	}
	return out.String()
}

// writeSection puts text between the section's markers in a Markdown file, or at
// the end of it with markers of its own.
func writeSection(path, section, text string) error {
	begin, end := "<!-- "+section+" -->\n", "<!-- /"+section+" -->\n"
	raw, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	page := string(raw)
	if !strings.Contains(page, begin) {
		page += "\n" + begin + end
	}
	before, rest, _ := strings.Cut(page, begin)
	_, after, found := strings.Cut(rest, end)
	if !found {
		return fmt.Errorf("%s: the end of section %s is missing", path, section)
	}
	return os.WriteFile(path, []byte(before+begin+"\n"+text+"\n"+end+after), 0o644)
}
