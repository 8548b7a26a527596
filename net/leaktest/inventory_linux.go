package leaktest

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"os"
	"strconv"
	"strings"
)

// inventory lists this process's internet sockets: the inodes of its open files, looked up in
// the tables of proc_net(5). A socket that is open but neither bound nor connected has no
// line there and can neither send nor hear.
func inventory() ([]socket, error) {
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return nil, errNoInventory
	}
	ours := make(map[string]bool, len(files))
	for _, file := range files {
		target, err := os.Readlink("/proc/self/fd/" + file.Name())
		if inode, found := strings.CutPrefix(target, "socket:["); err == nil && found {
			ours[strings.TrimSuffix(inode, "]")] = true
		}
	}
	var sockets []socket
	for _, table := range []struct{ name, protocol string }{
		{"tcp", "tcp"}, {"tcp6", "tcp"}, {"udp", "udp"}, {"udp6", "udp"}, {"udplite", "udp"}, {"raw", "raw"}, {"raw6", "raw"},
	} {
		file, err := os.Open("/proc/self/net/" + table.name)
		if err != nil {
			continue // a system without that protocol
		}
		sockets = append(sockets, readTable(file, table.protocol, ours)...)
		_ = file.Close()
	}
	return sockets, nil
}

// readTable reads a table's lines: number, local and remote address, …, inode in the tenth place.
func readTable(file *os.File, protocol string, ours map[string]bool) (sockets []socket) {
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 10 || !ours[fields[9]] {
			continue
		}
		sockets = append(sockets, socket{protocol: protocol, local: tableAddress(fields[1]), remote: tableAddress(fields[2])})
	}
	return sockets
}

// tableAddress reads "0100007F:01BB": the address as 32-bit words of this machine's byte order.
func tableAddress(text string) netip.AddrPort {
	words, digits, _ := strings.Cut(text, ":")
	raw, err := hex.DecodeString(words)
	port, portErr := strconv.ParseUint(digits, 16, 16)
	if err != nil || portErr != nil || len(raw)%4 != 0 {
		return netip.AddrPort{}
	}
	for i := 0; i < len(raw); i += 4 {
		binary.NativeEndian.PutUint32(raw[i:], binary.BigEndian.Uint32(raw[i:]))
	}
	address, _ := netip.AddrFromSlice(raw)
	return netip.AddrPortFrom(address.Unmap(), uint16(port))
}
