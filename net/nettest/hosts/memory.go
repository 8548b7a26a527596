//go:build linux

package hosts

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"slices"
	"strings"
)

// magicCookie is what XOR-MAPPED-ADDRESS hides an address with (RFC 8489 §14.2).
const magicCookie = 0x2112a442

// form is one way in which a program may hold an address: bytes, and, where the bytes are too
// few to mean anything alone, others that stand some places before them.
type form struct {
	name   string
	bytes  []byte
	before []byte
	gap    int // from the beginning of before to that of bytes
}

// formsOf are the ways in which Go, the kernel and the wire write an address.
func formsOf(address netip.Addr) []form {
	forms := []form{{name: "text", bytes: []byte(address.String())}}
	if !address.Is4() {
		raw := address.As16()
		half := make([]byte, 16)
		binary.LittleEndian.PutUint64(half, binary.BigEndian.Uint64(raw[:8]))
		binary.LittleEndian.PutUint64(half[8:], binary.BigEndian.Uint64(raw[8:]))
		return append(forms, form{name: "16 bytes", bytes: raw[:]}, form{name: "netip.Addr", bytes: half})
	}
	raw := address.As4()
	mapped := append([]byte{0, 0, 0xff, 0xff}, raw[:]...)
	xored := binary.BigEndian.AppendUint32(nil, binary.BigEndian.Uint32(raw[:])^magicCookie)
	inGo := []byte{raw[3], raw[2], raw[1], raw[0], 0xff, 0xff, 0, 0}
	return append(forms,
		form{name: "hexadecimal", bytes: fmt.Appendf(nil, "ffff%08x", raw)}, // as a crash prints a netip.Addr
		form{name: "net.IP", bytes: mapped},
		form{name: "netip.Addr", bytes: inGo},
		form{name: "sockaddr", bytes: raw[:], before: []byte{2, 0}, gap: 4},
		form{name: "MAPPED-ADDRESS", bytes: raw[:], before: []byte{0, 1}, gap: 4},
		form{name: "XOR-MAPPED-ADDRESS", bytes: xored, before: []byte{0, 1}, gap: 4},
		form{name: "candidate", bytes: raw[:], before: []byte{1, 4}, gap: 2},
	)
}

func (f form) in(data []byte) bool {
	for from := 0; ; {
		at := bytes.Index(data[from:], f.bytes)
		if at < 0 {
			return false
		}
		at += from
		if f.before == nil || at >= f.gap && bytes.HasPrefix(data[at-f.gap:], f.before) {
			return true
		}
		from = at + 1
	}
}

// FormsIn lists the forms in which an address stands in data.
func FormsIn(data []byte, address netip.Addr) (names []string) {
	for _, f := range formsOf(address) {
		if f.in(data) {
			names = append(names, f.name)
		}
	}
	return names
}

// Holds lists the addresses, and the forms in which a process holds them anywhere in its
// writable memory, stacks, heap and buffers of finished work included.
func Holds(pid int, addresses ...netip.Addr) ([]string, error) {
	mapped, err := os.Open(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		return nil, err
	}
	defer mapped.Close()
	memory, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		return nil, err
	}
	defer memory.Close()
	found := make(map[string]bool)
	lines := bufio.NewScanner(mapped)
	for lines.Scan() {
		var first, last uint64
		var rights string
		if _, err := fmt.Sscanf(lines.Text(), "%x-%x %s", &first, &last, &rights); err != nil || !strings.HasPrefix(rights, "rw") {
			continue
		}
		eachPiece(memory, first, last, func(piece []byte) {
			for _, address := range addresses {
				for _, form := range FormsIn(piece, address) {
					found[address.String()+" as "+form] = true
				}
			}
		})
	}
	return slices.Sorted(maps.Keys(found)), lines.Err()
}

// eachPiece reads a stretch of memory in overlapping pieces. Pages that the process never
// touched, or has given back, cannot be read and hold nothing.
func eachPiece(memory *os.File, first, last uint64, look func([]byte)) {
	const piece, overlap = 64 << 10, 64
	var nothing [piece + overlap]byte
	buffer := make([]byte, piece+overlap)
	for at := first; at < last; at += piece {
		n, _ := memory.ReadAt(buffer[:min(piece+overlap, int(last-at))], int64(at))
		if n > 0 && !bytes.Equal(buffer[:n], nothing[:n]) {
			look(buffer[:n])
		}
	}
}
