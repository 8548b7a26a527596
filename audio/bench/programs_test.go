//go:build linux

package bench

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	_ "embed"
)

// program is something that two people can call each other with.
type program struct {
	name      string
	installed func() bool
	call      func(r *rig) *running
	lossless  bool // it is measured without loss only
}

// running is a call under way from callermic to ear.
type running struct {
	ends  []int // process ids of caller and callee, whose children count as theirs
	ports func() []int
	stop  func()
}

func always() bool { return true }

func have(tool string) func() bool {
	return func() bool { _, err := exec.LookPath(tool); return err == nil }
}

// pair is two people with a relay each, who know each other.
type pair struct {
	r     *rig
	homes map[string]string
	turn  int // port of the caller's relay, whose packets from the caller are the lossy leg
	stops []func()
}

func newPair(r *rig) *pair {
	folder, err := os.MkdirTemp(r.folder, "sotto-")
	if err != nil {
		r.b.Fatal(err)
	}
	run := r.sotto
	p := &pair{r: r, homes: map[string]string{}}
	for _, name := range []string{"alice", "bob"} {
		ready, _ := p.follow("relay.ready", nil, "relay", "--listen", "127.0.0.1:0", "--turn-listen", "127.0.0.1:0", "--public-ip", "127.0.0.1",
			"--admission", "open", "--dir", filepath.Join(folder, "relay-"+name), "--json")
		if name == "alice" {
			_, port, _ := strings.Cut(ready["turn"].(string), ":")
			_, _ = fmt.Sscan(port, &p.turn)
		}
		p.homes[name] = filepath.Join(folder, name)
		run("--home", p.homes[name], "setup", "--name", name, "--relay", ready["address"].(string), "--calls", "on", "--yes")
	}
	run("--home", p.homes["alice"], "contacts", "add", run("--home", p.homes["bob"], "card"), "--name", "bob", "--verified")
	run("--home", p.homes["bob"], "contacts", "add", run("--home", p.homes["alice"], "card"), "--name", "alice", "--verified")
	return p
}

// sotto runs a command to its end and returns what it said.
func (r *rig) sotto(words ...string) string {
	r.b.Helper()
	out, err := exec.Command(sottoBinary(), words...).CombinedOutput()
	if err != nil {
		r.b.Fatalf("sotto %v: %v\n%s", words, err, out)
	}
	return strings.TrimSpace(string(out))
}

// follow starts a command and waits for an event of it; each, if any, gets all that follow.
func (p *pair) follow(event string, each func(map[string]any), words ...string) (map[string]any, int) {
	command := exec.Command(sottoBinary(), words...)
	out, err := command.StdoutPipe()
	if err != nil {
		p.r.b.Fatal(err)
	}
	told := awaitEvent(out, event, each)
	p.stops = append(p.stops, p.r.start(command))
	got, open := <-told
	if !open {
		p.r.b.Fatalf("sotto %v ended without %s", words, event)
	}
	return got, command.Process.Pid
}

// listen lets bob answer alice.
func (p *pair) listen(each func(map[string]any), flags ...string) int {
	return p.listenOn("ear", each, flags...)
}

func (p *pair) listenOn(speaker string, each func(map[string]any), flags ...string) int {
	_, pid := p.follow("listen.ready", each, append([]string{
		"--home", p.homes["bob"], "listen", "--auto-answer", "alice", "--json",
		"--mic", "device:calleemic", "--speaker", "device:" + speaker,
	}, flags...)...)
	return pid
}

// call lets alice call bob.
func (p *pair) call(flags ...string) int {
	_, pid := p.follow("call.connected", nil, append([]string{
		"--home", p.homes["alice"], "call", "bob", "--json",
		"--mic", "device:callermic", "--speaker", "device:callerear",
	}, flags...)...)
	return pid
}

func (p *pair) stop() {
	for i := len(p.stops) - 1; i >= 0; i-- {
		p.stops[i]()
	}
}

// sotto is a call through two relays of its own.
func sotto(flags ...string) func(r *rig) *running {
	return func(r *rig) *running { return newPair(r).connect(flags...) }
}

// processed is such a call with all of the voice processing at both ends.
func processed(flags ...string) func(r *rig) *running {
	return func(r *rig) *running {
		p := newPair(r)
		for _, home := range p.homes {
			r.processVoice(home, "auto")
		}
		return p.connect(flags...)
	}
}

// processVoice sets all that is done to a microphone's sound.
func (r *rig) processVoice(home, value string) {
	for _, key := range []string{"sound.echo", "sound.noise", "sound.gain", "sound.highpass"} {
		r.sotto("--home", home, "settings", "set", key, value)
	}
}

// connect lets alice call bob.
func (p *pair) connect(flags ...string) *running {
	bob := p.listen(nil, flags...)
	alice := p.call(flags...)
	return &running{ends: []int{alice, bob}, ports: func() []int { return []int{p.turn} }, stop: p.stop}
}

func sottoBinary() string { return os.Getenv("SOTTO_BENCH_BINARY") }

// awaitEvent gives the first event of that name, and each all that follow; it goes on
// reading, so that the writer never waits.
func awaitEvent(out io.Reader, event string, each func(map[string]any)) <-chan map[string]any {
	told := make(chan map[string]any, 1)
	go func() {
		defer close(told)
		given := false
		for lines := bufio.NewScanner(out); lines.Scan(); {
			var got map[string]any
			if json.Unmarshal(lines.Bytes(), &got) != nil {
				continue
			}
			if given && each != nil {
				each(got)
			}
			if !given && got["event"] == event {
				told <- got
				given = true
			}
		}
	}()
	return told
}

// baresip is a direct call with DTLS-SRTP and Opus.
func baresip(r *rig) *running {
	modules, _ := filepath.Glob("/usr/lib*/baresip/modules")
	if len(modules) == 0 {
		r.b.Fatal("baresip's modules were not found")
	}
	folder, err := os.MkdirTemp(r.folder, "baresip-")
	if err != nil {
		r.b.Fatal(err)
	}
	const rtp = 11000
	start := func(name, mic, ear string, sip, ports int, words ...string) (*exec.Cmd, func()) {
		home := filepath.Join(folder, name)
		write := func(file, text string) {
			if err := os.WriteFile(filepath.Join(home, file), []byte(text), 0o600); err != nil {
				r.b.Fatal(err)
			}
		}
		if err := os.MkdirAll(home, 0o700); err != nil {
			r.b.Fatal(err)
		}
		write("config", fmt.Sprintf("module_path %s\nsip_listen %s:%d\nnet_interface room0\naudio_player pulse,%s\naudio_alert pulse,%s\naudio_source pulse,%s\n"+
			"rtp_ports %d-%d\nmodule stdio.so\nmodule opus.so\nmodule pulse.so\nmodule dtls_srtp.so\nmodule_app account.so\nmodule_app menu.so\nmodule_app contact.so\n"+
			"opus_bitrate 32000\nopus_stereo no\nopus_sprop_stereo no\n", modules[0], address, sip, ear, ear, mic, ports, ports+10))
		write("accounts", fmt.Sprintf("<sip:%s@%s:%d>;regint=0;mediaenc=dtls_srtp;answermode=auto;audio_codecs=opus/48000/2;ptime=20\n", name, address, sip))
		write("contacts", "\n")
		command := exec.Command("baresip", append([]string{"-f", home}, words...)...)
		command.Stdin, _ = os.Open(os.DevNull)
		return command, r.start(command)
	}
	callee, stopCallee := start("callee", "calleemic", "ear", 5070, rtp)
	r.await("baresip", func() bool { return len(udpPorts(callee.Process.Pid)) > 0 })
	caller, stopCaller := start("caller", "callermic", "callerear", 5060, rtp-1000, "-e", fmt.Sprintf("/dial sip:callee@%s:5070", address))
	return &running{
		ends: []int{caller.Process.Pid, callee.Process.Pid},
		ports: func() (ports []int) {
			for port := rtp; port <= rtp+10; port++ {
				ports = append(ports, port)
			}
			return ports
		},
		stop: func() { stopCaller(); stopCallee() },
	}
}

//go:embed testdata/call.html
var page []byte

// chromium is a direct call between two browser processes, voice processing off.
func chromium(r *rig) *running {
	var mu sync.Mutex
	connected := map[string]bool{}
	boxes := map[string]chan []byte{"caller": make(chan []byte, 1), "callee": make(chan []byte, 1)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(page) })
	mux.HandleFunc("POST /to/{role}", func(_ http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		boxes[q.PathValue("role")] <- body
	})
	mux.HandleFunc("GET /for/{role}", func(w http.ResponseWriter, q *http.Request) {
		select {
		case body := <-boxes[q.PathValue("role")]:
			_, _ = w.Write(body)
		case <-q.Context().Done():
		}
	})
	trouble := make(chan string, 4)
	mux.HandleFunc("POST /say/{role}", func(_ http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		mu.Lock()
		defer mu.Unlock()
		if string(body) == "connected" {
			connected[q.PathValue("role")] = true
		} else {
			trouble <- string(body)
		}
	})
	server := httptest.NewServer(mux)
	start := func(role, mic, ear string) (*exec.Cmd, func()) {
		profile, err := os.MkdirTemp(r.folder, "chromium-")
		if err != nil {
			r.b.Fatal(err)
		}
		command := exec.Command("chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
			"--disable-background-networking", "--disable-component-update", "--disable-sync", "--user-data-dir="+profile,
			"--use-fake-ui-for-media-stream", "--autoplay-policy=no-user-gesture-required", "--allow-loopback-in-peer-connection",
			"--disable-features=WebRtcHideLocalIpsWithMdns", fmt.Sprintf("%s/?role=%s&mic=%s&ear=%s", server.URL, role, mic, ear))
		return command, r.start(command)
	}
	callee, stopCallee := start("callee", "calleemic", "ear")
	caller, stopCaller := start("caller", "callermic", "callerear")
	r.await("chromium", func() bool {
		select {
		case what := <-trouble:
			r.b.Fatal("chromium: " + what)
		default:
		}
		mu.Lock()
		defer mu.Unlock()
		return connected["caller"] && connected["callee"]
	})
	return &running{
		ends:  []int{caller.Process.Pid, callee.Process.Pid},
		ports: func() []int { return udpPorts(callee.Process.Pid) },
		stop:  func() { stopCaller(); stopCallee(); server.CloseClientConnections(); server.Close() },
	}
}
