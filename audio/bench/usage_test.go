//go:build linux

package bench

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// usage is what processes have taken: time of any processor since they started, and memory now.
type usage struct {
	cpu time.Duration
	mb  float64 // proportional set size, so that shared pages count once
}

// usageOf adds up the processes and their descendants.
func usageOf(pids []int) (total usage) {
	for _, pid := range family(pids) {
		const tick = 10 * time.Millisecond // USER_HZ is 100 on every Linux
		if fields := statFields(pid); len(fields) > 13 {
			user, _ := strconv.Atoi(fields[11])
			system, _ := strconv.Atoi(fields[12])
			total.cpu += time.Duration(user+system) * tick
		}
		file, err := os.Open(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
		if err != nil {
			continue
		}
		for lines := bufio.NewScanner(file); lines.Scan(); {
			if kb, found := strings.CutPrefix(lines.Text(), "Pss:"); found {
				n, _ := strconv.ParseFloat(strings.Fields(kb)[0], 64)
				total.mb += n / 1024
			}
		}
		_ = file.Close()
	}
	return total
}

// statFields are the fields of /proc/PID/stat after the name, state first (proc(5)).
func statFields(pid int) []string {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil
	}
	return strings.Fields(string(raw[strings.LastIndexByte(string(raw), ')')+1:]))
}

// family is the processes and all that descend from them.
func family(pids []int) []int {
	all := slices.Clone(pids)
	entries, _ := os.ReadDir("/proc")
	for grew := true; grew; {
		grew = false
		for _, entry := range entries {
			pid, err := strconv.Atoi(entry.Name())
			if err != nil || slices.Contains(all, pid) {
				continue
			}
			if fields := statFields(pid); len(fields) > 1 {
				if parent, _ := strconv.Atoi(fields[1]); slices.Contains(all, parent) {
					all, grew = append(all, pid), true
				}
			}
		}
	}
	return all
}

var socketLine = regexp.MustCompile(`:(\d+)\s+\S+:\*\s+users:\(\((.*)\)\)`)

// udpPorts are the UDP ports that a process and its descendants listen on.
func udpPorts(pid int) (ports []int) {
	out, _ := exec.Command("ss", "-Huanp").Output()
	for line := range strings.SplitSeq(string(out), "\n") {
		found := socketLine.FindStringSubmatch(line)
		if found == nil {
			continue
		}
		for _, member := range family([]int{pid}) {
			if strings.Contains(found[2], fmt.Sprintf("pid=%d,", member)) {
				port, _ := strconv.Atoi(found[1])
				ports = append(ports, port)
				break
			}
		}
	}
	return ports
}
