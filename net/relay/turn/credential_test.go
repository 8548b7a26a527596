package turn

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/pion/stun/v4"

	"sotto/net/nettest"
)

func TestIssueIsCoturnsFormat(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	username, password := Issue([]byte("north"), time.Hour, now)
	if !strings.HasPrefix(username, "1800003600:") || len(username) < 30 {
		t.Errorf("username %q", username)
	}
	mac := hmac.New(sha1.New, []byte("north"))
	mac.Write([]byte(username))
	if want := base64.StdEncoding.EncodeToString(mac.Sum(nil)); password != want {
		t.Errorf("password %q, not %q", password, want)
	}
	if again, _ := Issue([]byte("north"), time.Hour, now); again == username {
		t.Error("two credentials share a name")
	}
}

func TestForgedAndExpiredCredentials(t *testing.T) {
	nettest.Leaks(t)
	now := newClock()
	server := start(t, func(c *Config) { c.Now = now.Now })
	username, password := Issue(secret, time.Minute, now.Now())
	expired, expiredPassword := Issue(secret, -time.Second, now.Now())
	_, forged := Issue([]byte("another secret"), time.Minute, now.Now())
	later := "2800000000" + username[strings.IndexByte(username, ':'):]
	for name, c := range map[string]struct{ username, password string }{
		"wrong password":         {username, "wrong"},
		"no password":            {username, ""},
		"signed with another":    {username, forged},
		"expiry moved":           {later, password},
		"expired":                {expired, expiredPassword},
		"no expiry":              {"alice", passwordOf(secret, "alice")},
		"bare expiry":            {"2800000000", passwordOf(secret, "2800000000")},
		"negative expiry":        {"-1:x", passwordOf(secret, "-1:x")},
		"expiry beyond all time": {"99999999999999999999:x", passwordOf(secret, "99999999999999999999:x")},
		"endless name":           {"2800000000:" + strings.Repeat("x", 200), passwordOf(secret, "2800000000:"+strings.Repeat("x", 200))},
	} {
		if code := newRaw(t, server, c.username, c.password).code(stun.MethodAllocate, udp); code != 401 {
			t.Errorf("%s: %d", name, code)
		}
	}
	other := newRaw(t, server, username, password)
	other.realm = "elsewhere"
	if code := other.code(stun.MethodAllocate, udp); code != 401 {
		t.Errorf("another realm: %d", code)
	}
	if n := server.Snapshot().Allocations; n != 0 {
		t.Fatalf("%d allocations", n)
	}
	if code := newRaw(t, server, username, password).code(stun.MethodAllocate, udp); code != 0 {
		t.Errorf("the good one: %d", code)
	}
}

func TestACallOutlivesItsCredential(t *testing.T) {
	nettest.Leaks(t)
	_, network, client, now := behindTap(t, func(c *Config) {
		c.AllowPeers = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	})
	at := netip.MustParseAddrPort("10.0.0.1:50000")
	goesOn := func(want int) {
		t.Helper()
		for _, code := range []int{
			client.code(stun.MethodRefresh, lifetime(60)),
			client.code(stun.MethodCreatePermission, peerAddress(at)),
			client.code(stun.MethodChannelBind, channel(0x4000), peerAddress(at)),
		} {
			if code != want {
				t.Errorf("%d, not %d", code, want)
			}
		}
	}
	goesOn(0)
	now.Advance(2 * time.Minute) // the credential was good for one
	goesOn(0)
	client.indicate(at, []byte("still talking"))
	client.settle()
	second := newRaw(t, client.server, client.username, client.password)
	if code := second.code(stun.MethodAllocate, udp); code != 401 {
		t.Errorf("another allocation with an expired credential: %d", code)
	}
	now.Advance(hardMaximum)
	goesOn(401)
	client.indicate(at, []byte("for ever"))
	client.code(stun.MethodBinding) // answered after the packet was dealt with
	if sent := network.Sent(); len(sent) != 1 {
		t.Errorf("%d packets went out, not 1", len(sent))
	}
}

func TestAllocationsOfOneCredential(t *testing.T) {
	nettest.Leaks(t)
	server := start(t, nil)
	username, password := Issue(secret, time.Minute, time.Now())
	var clients []*raw
	for range perCredential {
		clients = append(clients, newRaw(t, server, username, password))
		if code := clients[len(clients)-1].code(stun.MethodAllocate, udp); code != 0 {
			t.Fatalf("allocation %d: %d", len(clients), code)
		}
	}
	if code := newRaw(t, server, username, password).code(stun.MethodAllocate, udp); code != 486 {
		t.Errorf("one too many: %d", code)
	}
	if code := issued(t, server, time.Now()).code(stun.MethodAllocate, udp); code != 0 {
		t.Errorf("somebody else: %d", code)
	}
	if code := clients[0].code(stun.MethodRefresh, lifetime(0)); code != 0 {
		t.Fatalf("giving one back: %d", code)
	}
	if code := newRaw(t, server, username, password).code(stun.MethodAllocate, udp); code != 0 {
		t.Errorf("after giving one back: %d", code)
	}
}

func TestAnotherOnesAllocation(t *testing.T) {
	nettest.Leaks(t)
	_, _, client, now := behindTap(t, nil)
	owner, ownersPassword := client.username, client.password
	client.username, client.password = Issue(secret, time.Minute, now.Now())
	request := stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodRefresh, stun.ClassRequest), lifetime(0),
		stun.NewUsername(client.username), stun.NewRealm(realm), client.nonce,
		stun.NewLongTermIntegrity(client.username, realm, client.password))
	if _, err := client.conn.Write(request.Raw); err != nil { // pion/turn does not answer this one
		t.Fatal(err)
	}
	client.username, client.password = owner, ownersPassword
	if code := client.code(stun.MethodRefresh, lifetime(60)); code != 0 {
		t.Errorf("the owner's refresh: %d", code)
	}
}

func TestFloodWithoutCredential(t *testing.T) {
	nettest.Leaks(t)
	now := newClock()
	server := start(t, func(c *Config) { c.Now = now.Now })
	flood := newRaw(t, server, "", "")
	answered := 0
	ask := func(method stun.Method, setters ...stun.Setter) {
		all := append([]stun.Setter{stun.TransactionID, stun.NewType(method, stun.ClassRequest)}, setters...)
		buffer, before := make([]byte, 1500), server.Snapshot().Unanswered
		if _, err := flood.conn.Write(stun.MustBuild(all...).Raw); err != nil {
			t.Fatal(err)
		}
		until(t, "an answer or its being withheld", func() bool {
			_ = flood.conn.SetReadDeadline(time.Now().Add(time.Millisecond))
			if _, err := flood.conn.Read(buffer); err == nil {
				answered++
				return true
			}
			return server.Snapshot().Unanswered > before
		})
	}
	for range 50 {
		ask(stun.MethodAllocate, udp)
		ask(stun.MethodBinding)
		ask(stun.MethodBinding, attribute(0x0055, 0, 0, 0, 0)) // an unknown attribute: an error answer
		ask(stun.MethodRefresh)
	}
	if answered != answersAtOnce {
		t.Errorf("%d answers, not %d", answered, answersAtOnce)
	}
	now.Advance(time.Second)
	for range 50 {
		ask(stun.MethodAllocate, udp)
	}
	if extra := answered - answersAtOnce; extra != answersPerSecond {
		t.Errorf("%d answers in a second, not %d", extra, answersPerSecond)
	}
}

// sink is a socket that counts what is sent.
type sink struct {
	net.PacketConn
	sent int
}

func (s *sink) WriteTo(p []byte, _ net.Addr) (int, error) { s.sent++; return len(p), nil }

func TestAFloodIsNobodyElsesTrouble(t *testing.T) {
	now := newClock()
	s := new(sink)
	d := newDoor(s, now.Now, new(counts))
	answer := stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodAllocate, stun.ClassErrorResponse), stun.CodeUnauthorized)
	authentic := stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodAllocate, stun.ClassSuccessResponse),
		stun.NewShortTermIntegrity("x"))
	victim := &net.UDPAddr{IP: net.IPv4(203, 0, 113, 5), Port: 1}
	send := func(p []byte, to *net.UDPAddr) bool {
		before := s.sent
		if _, err := d.WriteTo(p, to); err != nil {
			t.Fatal(err)
		}
		return s.sent > before
	}
	for range answersAtOnce {
		send(answer.Raw, victim)
	}
	if send(answer.Raw, &net.UDPAddr{IP: net.IPv4(203, 0, 113, 77), Port: 9}) {
		t.Error("a neighbour of the same prefix was answered")
	}
	if !send(authentic.Raw, victim) {
		t.Error("an authenticated answer was withheld")
	}
	if !send([]byte{0x40, 0, 0, 1, 'x', 0, 0, 0}, victim) {
		t.Error("channel data was withheld")
	}
	others := 0
	for i := range 50 { // one of them may share the flooded bucket
		if send(answer.Raw, &net.UDPAddr{IP: net.IPv4(198, 51, byte(i), 1), Port: 1}) {
			others++
		}
	}
	if others < 45 {
		t.Errorf("only %d of 50 other prefixes were answered", others)
	}
}

func FuzzUnauthenticated(f *testing.F) {
	f.Add(stun.MustBuild(stun.TransactionID, stun.BindingSuccess, stun.Fingerprint).Raw)
	f.Add(stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodRefresh, stun.ClassSuccessResponse), stun.NewShortTermIntegrity("x")).Raw)
	f.Fuzz(func(t *testing.T, p []byte) {
		m := &stun.Message{Raw: append([]byte(nil), p...)}
		if m.Decode() != nil || p[0]&0xc0 != 0 || m.Type.Class != stun.ClassSuccessResponse && m.Type.Class != stun.ClassErrorResponse {
			_ = unauthenticated(p)
			return
		}
		if m.Type.Method == stun.MethodBinding || !m.Contains(stun.AttrMessageIntegrity) && len(p) == 20+int(m.Length) {
			if !unauthenticated(p) {
				t.Fatalf("%v counts as authenticated", m)
			}
		}
	})
}
