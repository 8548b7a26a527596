//go:build linux

package bench

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkLongCall is one call between sound cards, as long as SOTTO_BENCH_LONG says:
// does the delay, does memory grow? Then a short one, whose packets are watched while
// the caller speaks, says nothing, is muted and holds the call.
func BenchmarkLongCall(b *testing.B) {
	length, err := time.ParseDuration(os.Getenv("SOTTO_BENCH_LONG"))
	if err != nil {
		b.Skip("a long call: run it with make bench-long")
	}
	r := newRig(b)
	speech := loadSpeech(b)
	text := fmt.Sprintf("Measured on %s, %s.\n\n", machine(), time.Now().UTC().Format("2006-01-02")) + r.longCall(speech, length) + "\n" + r.states(speech)
	fmt.Println(text)
	if path := os.Getenv("SOTTO_BENCH_TABLE"); path != "" {
		if err := writeSection(path, "bench-long", text); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(0, "ns/op")
}

// longCall measures over and over, and has a row for the first, then every fifth minute.
func (r *rig) longCall(speech []float32, length time.Duration) string {
	p := newPair(r)
	defer p.stop()
	var madeUp atomic.Value // share of what was played, so far
	madeUp.Store(0.0)
	bob := p.listen(func(event map[string]any) {
		if share, ok := event["concealed_ratio"].(float64); ok {
			madeUp.Store(share)
		}
	}, "--voice", "off", "--frame", "20")
	ends := []int{p.call("--voice", "off", "--frame", "20"), bob}
	time.Sleep(warmUp)
	var out strings.Builder
	out.WriteString("| minutes | mouth to ear, median | 95 % | ESTOI | made up so far | CPU, both ends | memory, both ends |\n|---|---|---|---|---|---|---|\n")
	var all, tenMinutes []float64
	began := time.Now()
	for from := time.Duration(0); from < length; from = time.Since(began) {
		var found []float64
		var clear, pieces float64
		before, at := usageOf(ends), time.Now()
		for time.Since(at) < min(5*time.Minute, length) {
			said, heard := r.say(speech)
			found = append(found, delays(said, heard)...)
			clear, pieces = clear+estoi(r.b, said, heard), pieces+1
		}
		after, took := usageOf(ends), time.Since(at)
		all = append(all, found...)
		if from < 10*time.Minute {
			tenMinutes = append(tenMinutes, found...)
		}
		fmt.Fprintf(&out, "| %.0f to %.0f | %.0f ms | %.0f ms | %.3f | %.2f %% | %.1f %% | %.1f MB |\n", from.Minutes(), time.Since(began).Minutes(),
			quantile(found, 0.5), quantile(found, 0.95), clear/pieces, 100*madeUp.Load().(float64), 100*(after.cpu-before.cpu).Seconds()/took.Seconds(), after.mb)
		r.b.Log(out.String()[strings.LastIndex(strings.TrimSpace(out.String()), "\n")+1:])
	}
	fmt.Fprintf(&out, "\nThe first ten minutes: %.0f ms median, %.0f ms for 95 of 100 seconds; the whole call: %.0f and %.0f ms.\n",
		quantile(tenMinutes, 0.5), quantile(tenMinutes, 0.95), quantile(all, 0.5), quantile(all, 0.95))
	return out.String()
}

// states watches the caller's packets to their relay in each state of a call.
func (r *rig) states(speech []float32) string {
	const each = 25 * time.Second
	p := newPair(r)
	defer p.stop()
	connected := make(chan struct{}, 8)
	p.listen(func(event map[string]any) {
		if event["event"] == "call.connected" {
			connected <- struct{}{}
		}
	}, "--voice", "off", "--frame", "20")
	caller := exec.Command(sottoBinary(), "--home", p.homes["alice"], "--plain", "--voice", "off", "--frame", "20",
		"--mic", "device:callermic", "--speaker", "device:callerear")
	keys, err := caller.StdinPipe()
	if err != nil {
		r.b.Fatal(err)
	}
	p.stops = append(p.stops, r.start(caller))
	typed := func(line string) { _, _ = fmt.Fprintln(keys, line) }
	typed("call bob")
	select {
	case <-connected:
	case <-time.After(patience):
		r.b.Fatal("the caller was not answered")
	}
	time.Sleep(warmUp)
	wire := r.watch(p.turn)
	var out strings.Builder
	out.WriteString("| the caller | packets | sizes | spacing, median | 5 to 95 % | KS distance from speech |\n|---|---|---|---|---|---|\n")
	var first []float64
	for _, state := range []struct{ name, on, off string }{{"speaks", "", ""}, {"says nothing", "", ""}, {"is muted", "mute", "unmute"}, {"holds the call", "hold", "resume"}} {
		if state.on != "" {
			typed(state.on)
			time.Sleep(time.Second)
		}
		wire.take()
		if state.name == "says nothing" {
			time.Sleep(each)
		} else {
			r.say(speech[:min(len(speech), int(each.Seconds())*48000)])
		}
		packets := wire.take()
		if state.off != "" {
			typed(state.off)
		}
		var spacing []float64
		sizes := map[int]bool{}
		for i, packet := range packets {
			sizes[packet.size] = true
			if i > 0 {
				spacing = append(spacing, packet.at.Sub(packets[i-1].at).Seconds()*1000)
			}
		}
		slices.Sort(spacing)
		if first == nil {
			first = spacing
		}
		fmt.Fprintf(&out, "| %s | %d | %d | %.1f ms | %.1f to %.1f ms | %.3f |\n", state.name, len(packets), len(sizes),
			quantile(spacing, 0.5), quantile(spacing, 0.05), quantile(spacing, 0.95), kolmogorov(first, spacing))
	}
	return out.String()
}

// kolmogorov is the two-sample Kolmogorov-Smirnov statistic of sorted samples: the
// largest distance between their distribution functions.
func kolmogorov(a, b []float64) (largest float64) {
	for i, j := 0, 0; i < len(a) && j < len(b); {
		at := min(a[i], b[j])
		for i < len(a) && a[i] <= at {
			i++
		}
		for j < len(b) && b[j] <= at {
			j++
		}
		largest = max(largest, max(float64(i)/float64(len(a))-float64(j)/float64(len(b)), float64(j)/float64(len(b))-float64(i)/float64(len(a))))
	}
	return largest
}
