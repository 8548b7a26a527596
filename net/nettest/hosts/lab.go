//go:build linux

package hosts

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Host is one machine: a network namespace with one address of each family.
type Host struct {
	Name     string
	IP4, IP6 netip.Addr

	namespace string
	gateway4  netip.Addr
	gateway6  netip.Addr
	named     string // the folder of its hosts file, "" for none
	link      string // the router's end of the cable
}

// Addresses are the host's addresses.
func (h *Host) Addresses() []netip.Addr { return []netip.Addr{h.IP4, h.IP6} }

// Lab is hosts around a router.
type Lab struct {
	t      testing.TB
	router string // its namespace
	hosts  []*Host
}

// Everywhere holds the IPv4 addresses of all hosts; a relay in a lab allows it as peers.
const Everywhere = "10.112.0.0/12"

// New makes a namespace for each name and one for the router. They end with the test. Where
// that is not allowed the test is skipped.
func New(t testing.TB, names ...string) *Lab {
	t.Helper()
	prefix := fmt.Sprintf("sotto-privacy-%d-", os.Getpid())
	l := &Lab{t: t, router: prefix + "router"}
	if out, err := exec.Command("ip", "netns", "add", l.router).CombinedOutput(); err != nil {
		t.Skipf("NOT TESTED: that no packet goes astray between real machines (no network namespaces here: %v %s)", err, out)
	}
	t.Cleanup(l.remove)
	for i, name := range names {
		h := &Host{
			Name: name, namespace: prefix + name, link: fmt.Sprintf("link%d", i),
			// Numbers that nothing else in a process is likely to have.
			IP4:      netip.AddrFrom4([4]byte{10, byte(113 + i), 67, byte(21 + 19*i)}),
			gateway4: netip.AddrFrom4([4]byte{10, byte(113 + i), 67, 1}),
			IP6:      netip.MustParseAddr(fmt.Sprintf("fd5a:%x:7c2e::%x", 0x9113+i, 0x2b61+i)),
			gateway6: netip.MustParseAddr(fmt.Sprintf("fd5a:%x:7c2e::1", 0x9113+i)),
		}
		l.hosts = append(l.hosts, h)
		l.plug(h)
	}
	l.must(inside(l.router, func() error {
		return forward()
	}))
	return l
}

// forward makes the namespace it runs in a router.
func forward() error {
	for _, switched := range []string{"ipv4/ip_forward", "ipv6/conf/all/forwarding"} {
		if err := os.WriteFile("/proc/sys/net/"+switched, []byte("1"), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// plug makes the host's namespace and its cable to the router.
func (l *Lab) plug(h *Host) {
	l.ip("netns", "add", h.namespace)
	l.ip("-n", l.router, "link", "add", h.link, "type", "veth", "peer", "name", "eth0", "netns", h.namespace)
	l.must(inside(h.namespace, quiet))
	l.must(inside(l.router, quiet))
	for _, side := range []struct {
		namespace, device string
		ip4, ip6          netip.Addr
	}{{l.router, h.link, h.gateway4, h.gateway6}, {h.namespace, "eth0", h.IP4, h.IP6}} {
		l.ip("-n", side.namespace, "address", "add", side.ip4.String()+"/24", "dev", side.device)
		l.ip("-n", side.namespace, "address", "add", side.ip6.String()+"/64", "dev", side.device, "nodad")
		l.ip("-n", side.namespace, "link", "set", side.device, "up")
		l.ip("-n", side.namespace, "link", "set", "lo", "up")
	}
	l.routes(h)
}

func (l *Lab) routes(h *Host) {
	l.ip("-n", h.namespace, "route", "replace", "default", "via", h.gateway4.String())
	l.ip("-n", h.namespace, "-6", "route", "replace", "default", "via", h.gateway6.String())
}

// quiet keeps the kernel of the namespace from asking for routers and checking addresses.
func quiet() error {
	for _, of := range []string{"all", "default"} {
		for name, value := range map[string]string{"accept_dad": "0", "accept_ra": "0", "router_solicitations": "0"} {
			path := filepath.Join("/proc/sys/net/ipv6/conf", of, name)
			if err := os.WriteFile(path, []byte(value), 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}

// Host is the host of that name.
func (l *Lab) Host(name string) *Host {
	for _, h := range l.hosts {
		if h.Name == name {
			return h
		}
	}
	l.t.Fatalf("the lab has no host %s", name)
	return nil
}

// Unplug takes the host's cable out, Replug puts it back.
func (l *Lab) Unplug(h *Host) { l.ip("-n", h.namespace, "link", "set", "eth0", "down") }

// Replug is the end of Unplug.
func (l *Lab) Replug(h *Host) {
	l.ip("-n", h.namespace, "link", "set", "eth0", "up")
	l.ip("-n", h.namespace, "address", "replace", h.IP6.String()+"/64", "dev", "eth0", "nodad")
	l.routes(h)
}

// Move gives the host another IPv4 address of its network, as when somebody leaves the
// house, and returns the one it had.
func (l *Lab) Move(h *Host, to netip.Addr) netip.Addr {
	before := h.IP4
	h.IP4 = to
	l.ip("-n", h.namespace, "address", "del", before.String()+"/24", "dev", "eth0")
	l.ip("-n", h.namespace, "address", "add", h.IP4.String()+"/24", "dev", "eth0")
	l.routes(h)
	return before
}

// Translate puts the host's UDP behind a NAT until the test ends: towards each whom it writes to
// it comes from another port, and nobody else reaches it there (RFC 4787: address- and
// port-dependent mapping and filtering). The address stays its own.
func (l *Lab) Translate(h *Host) error {
	rule := []string{"netns", "exec", h.namespace, "iptables", "-t", "nat", "-A", "POSTROUTING", "-o", "eth0", "-p", "udp", "-j", "MASQUERADE", "--random-fully"}
	if out, err := exec.Command("ip", rule...).CombinedOutput(); err != nil {
		return fmt.Errorf("iptables: %w %s", err, out)
	}
	l.t.Cleanup(func() { l.ip("netns", "exec", h.namespace, "iptables", "-t", "nat", "-F", "POSTROUTING") })
	return nil
}

// Name lets the programs of one host, and no others, know a name of an address: those that are
// started from then on. It returns an error where this system's /etc cannot be written.
func (l *Lab) Name(h *Host, name string, address netip.Addr) error {
	folder := filepath.Join("/etc/netns", h.namespace) // read by ip netns exec
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	h.named = folder
	text := fmt.Sprintf("127.0.0.1 localhost\n%s %s\n", address, name)
	return os.WriteFile(filepath.Join(folder, "hosts"), []byte(text), 0o644)
}

func (l *Lab) ip(words ...string) {
	l.t.Helper()
	if out, err := exec.Command("ip", words...).CombinedOutput(); err != nil {
		l.t.Fatalf("ip %s: %v\n%s", strings.Join(words, " "), err, out)
	}
}

func (l *Lab) must(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

func (l *Lab) remove() {
	for _, h := range l.hosts {
		_ = exec.Command("ip", "netns", "del", h.namespace).Run()
		if h.named != "" {
			_ = os.RemoveAll(h.named)
		}
	}
	_ = exec.Command("ip", "netns", "del", l.router).Run()
}

// Inside runs do with the host's network, and returns when it has.
func (h *Host) Inside(do func() error) error { return inside(h.namespace, do) }

// inside runs do on a thread that has entered the namespace. The thread is not given back:
// it ends with its goroutine.
func inside(namespace string, do func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		entrance, err := os.Open("/run/netns/" + namespace)
		if err != nil {
			done <- err
			return
		}
		defer entrance.Close()
		if err := unix.Setns(int(entrance.Fd()), unix.CLONE_NEWNET); err != nil {
			done <- fmt.Errorf("entering %s: %w", namespace, err)
			return
		}
		done <- do()
	}()
	return <-done
}
