package leaktest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"sotto/net/identity"
	"sotto/net/nettest"
	"sotto/net/relay"
)

const patience = 30 * time.Second

// TestMain lets the test binary be a relay on loopback: a relay in the process under test
// would have sockets that count as strays.
func TestMain(m *testing.M) {
	if folder := os.Getenv("SOTTO_LEAKTEST_RELAY"); folder != "" {
		server, err := relay.Start(context.Background(), relay.Config{
			Dir: folder, Listen: "127.0.0.1:0", TurnListen: "127.0.0.1:0", PublicIP: netip.MustParseAddr("127.0.0.1"), Open: true,
		})
		if err != nil {
			panic(err)
		}
		fmt.Println(server.Address())
		_, _ = os.Stdin.Read(make([]byte, 1)) // until the test lets go
		_ = server.Close()
		return
	}
	os.Exit(m.Run())
}

func startRelay(t *testing.T) Relay {
	t.Helper()
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), "SOTTO_LEAKTEST_RELAY="+t.TempDir())
	held, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = held.Close()
		_ = command.Wait()
	})
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		t.Fatal("the relay did not start")
	}
	address, err := identity.ParseAddress(strings.TrimSpace(lines.Text()))
	if err != nil {
		t.Fatal(err)
	}
	return Relay{Address: address}
}

func needInventory(t *testing.T) {
	t.Helper()
	if _, err := inventory(); err != nil {
		t.Skipf("NOT TESTED: what a process's sockets show (%v)", err)
	}
}

func TestACallLeavesNoStray(t *testing.T) {
	needInventory(t)
	nettest.Leaks(t)
	report, err := Run(context.Background(), [2]Relay{startRelay(t), startRelay(t)}, nil)
	if err != nil || !report.Holds() || !report.Inventory || len(report.Rows) < 4 {
		t.Fatalf("%v, %+v", err, report)
	}
	if report.Captured && report.Packets < 200 {
		t.Errorf("%d packets were counted in a call of seconds", report.Packets)
	}
}

// TestAStrayEndsTheRun sends one packet elsewhere from this process while it calls itself.
func TestAStrayEndsTheRun(t *testing.T) {
	needInventory(t)
	nettest.Leaks(t)
	one := startRelay(t)
	stray, err := net.Dial("udp", "127.0.0.2:50000")
	if err != nil {
		t.Skipf("NOT TESTED: that a stray ends the run (%v)", err)
	}
	defer stray.Close()
	if _, err := stray.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	report, err := Run(context.Background(), [2]Relay{one, one}, nil)
	if !errors.Is(err, ErrStray) || report.Holds() || report.Connected {
		t.Fatalf("%v, %+v", err, report)
	}
	if first := report.Rows[0]; !first.Stray || first.Peer != "127.0.0.2:50000" || first.Verdict != "STRAY" {
		t.Errorf("the table begins with %+v", first)
	}
}

func TestEveryKindOfStrayIsSeen(t *testing.T) {
	needInventory(t)
	nettest.Leaks(t)
	friend, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := netip.MustParseAddrPort(friend.LocalAddr().String())
	if err := friend.Close(); err != nil {
		t.Fatal(err)
	}
	allowed := map[endpoint]string{{"udp", at}: "relay's turn"}
	for name, open := range map[string]func() (func() error, error){
		"udp that hears anybody": func() (func() error, error) {
			conn, err := net.ListenPacket("udp", "127.0.0.1:0")
			if err != nil {
				return nil, err
			}
			return conn.Close, nil
		},
		"tcp that listens": func() (func() error, error) {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				return nil, err
			}
			return listener.Close, nil
		},
		"udp to a neighbour's port": func() (func() error, error) {
			conn, err := net.Dial("udp", netip.AddrPortFrom(at.Addr(), at.Port()^1).String())
			if err != nil {
				return nil, err
			}
			return conn.Close, nil
		},
	} {
		w := watchFor(allowed)
		good, err := net.Dial("udp", at.String())
		if err != nil {
			t.Fatal(err)
		}
		select {
		case <-w.strayed:
			t.Errorf("%s: a stray before there was any", name)
		case <-time.After(5 * lookEvery):
		}
		shut, err := open()
		if err != nil {
			t.Fatal(err)
		}
		select {
		case <-w.strayed:
		case <-time.After(patience):
			t.Errorf("%s was not noticed", name)
		}
		var report Report
		w.stop(&report)
		if report.Strays == 0 || !report.Rows[0].Stray || len(report.Rows) != 2 || report.Rows[1].Verdict != "relay's turn" {
			t.Errorf("%s: %+v", name, report)
		}
		if err := errors.Join(shut(), good.Close()); err != nil {
			t.Error(err)
		}
	}
}

func TestPacketsAreCounted(t *testing.T) {
	nettest.Leaks(t)
	opened, err := openTap()
	if err != nil {
		t.Skipf("NOT TESTED: that packets are counted (%v on %s)", err, runtime.GOOS)
	}
	door, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer door.Close()
	conn, err := net.Dial("udp4", door.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for range 7 {
		if _, err := conn.Write([]byte("hello")); err != nil {
			t.Fatal(err)
		}
	}
	here, there := netip.MustParseAddrPort(conn.LocalAddr().String()), netip.MustParseAddrPort(door.LocalAddr().String())
	counts := opened.close()
	if out, in := counts[socket{"udp", here, there}], counts[socket{"udp", there, here}]; out != 7 || in != 7 {
		t.Errorf("%d packets went out and %d came in", out, in)
	}
}

var ping = []byte{
	0x45, 0, 0, 33, 0, 0, 0, 0, 64, 17, 0, 0, 10, 1, 2, 3, 10, 4, 5, 6, // IPv4, UDP
	0x1f, 0x90, 0x0d, 0x96, 0, 13, 0, 0, 'h', 'e', 'l', 'l', 'o',
}

func TestFlow(t *testing.T) {
	protocol, from, to, ok := flow(ping)
	if !ok || protocol != "udp" || from.String() != "10.1.2.3:8080" || to.String() != "10.4.5.6:3478" {
		t.Errorf("%s %s %s %v", protocol, from, to, ok)
	}
	fragment := append([]byte(nil), ping...)
	fragment[7] = 1
	six := append([]byte{0x60, 0, 0, 0, 0, 20, 6, 64}, make([]byte, 31)...)
	six = append(append(six, 1), ping[20:]...)
	if protocol, _, to, ok := flow(six); !ok || protocol != "tcp" || to.String() != "[::1]:3478" {
		t.Errorf("%s %s %v", protocol, to, ok)
	}
	for name, packet := range map[string][]byte{"nothing": nil, "short": ping[:22], "fragment": fragment, "icmp": {0x45, 19: 0}, "version": {0x55, 39: 0}} {
		if _, _, _, ok := flow(packet); ok {
			t.Errorf("%s has a flow", name)
		}
	}
}

func FuzzFlow(f *testing.F) {
	f.Add(ping)
	f.Fuzz(func(t *testing.T, packet []byte) {
		protocol, from, to, ok := flow(packet)
		if ok && (protocol == "" || !from.IsValid() || !to.IsValid()) {
			t.Errorf("%q %v %v", protocol, from, to)
		}
	})
}
