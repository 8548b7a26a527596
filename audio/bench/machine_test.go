//go:build linux

package bench

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
)

// machine names the processor and the sound server that the figures are from.
func machine() string {
	model := "an unnamed processor"
	if raw, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.SplitSeq(string(raw), "\n") {
			if _, name, found := strings.Cut(line, "model name\t: "); found {
				model = name
				break
			}
		}
	}
	return fmt.Sprintf("%d cores of %s, %s, %s", runtime.NumCPU(), model, version("pulseaudio"), version("chromium"))
}

func version(tool string) string {
	out, err := exec.Command(tool, "--version").Output()
	if err != nil {
		return "no " + tool
	}
	line, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	return strings.TrimSpace(line)
}
