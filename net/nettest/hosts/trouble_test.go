//go:build linux

package hosts_test

import (
	"os"
	"strings"
	"syscall"
	"time"

	"sotto/net/nettest/hosts"
)

// hostile lets somebody hostile play on one person's machine.
func (s *stage) hostile(on *hosts.Host, home, role string) *hosts.Process {
	s.t.Helper()
	own, err := os.Executable()
	if err != nil {
		s.t.Fatal(err)
	}
	p := on.StartWith(s.t, []string{
		hostileRole + "=" + role, "SOTTO_PRIVACY_HOME=" + home,
		"SOTTO_PRIVACY_IP4=" + on.IP4.String(), "SOTTO_PRIVACY_IP6=" + on.IP6.String(),
	}, own)
	s.learnt = append(s.learnt, p.Said)
	return p
}

// aHostileCaller rings bob with everything that could lead him out, and then calls somebody
// who answers at once, with a lie each time.
func (s *stage) aHostileCaller() {
	s.liar = s.alice
	bob := s.listen()
	ringing := s.hostile(s.alice, s.homeA, "ringing")
	bob.Await("call.incoming")
	s.succeeds(ringing)
	bob.Signal(syscall.SIGTERM)
	bob.Exit()

	s.answered = time.Now()
	bob = s.listen("--auto-answer", "alice")
	calling := s.hostile(s.alice, s.homeA, "caller")
	calling.Await("hostile.connected")
	s.unheld("mallory", calling.ID(), s.his)
	s.succeeds(calling)
	if calls := strings.Count(bob.Said(), `"event":"call.ended"`); calls < 11 {
		s.t.Errorf("bob had %d calls", calls)
	}
	if strings.Count(bob.Said(), `"event":"call.connected"`) != 1 {
		s.t.Errorf("a lie connected, or the truth did not:\n%s", bob.Said())
	}
}

// aHostileCallee answers alice's calls with a lie each time.
func (s *stage) aHostileCallee() {
	s.liar = s.bob
	mallory := s.hostile(s.bob, s.homeB, "callee")
	mallory.Await("hostile.ready")
	for range lies(s.bob.IP4, s.bob.IP6) {
		call := s.call("--for", "1s")
		mallory.Await("hostile.answers")
		if s.answered.IsZero() {
			s.answered = time.Now()
		}
		s.unheld("mallory", mallory.ID(), s.hers)
		time.Sleep(2 * time.Second)
		call.Signal(syscall.SIGINT)
		if status := call.Exit(); status == 0 {
			s.t.Errorf("a call to a liar was a success:\n%s", call.Said())
		}
	}
	s.succeeds(mallory)
}

// succeeds waits for somebody hostile to have done all that they wanted to.
func (s *stage) succeeds(mallory *hosts.Process) {
	s.t.Helper()
	if status := mallory.Exit(); status != 0 {
		s.t.Errorf("mallory failed:\n%s", mallory.Said())
	}
}

// talking brings alice and bob into a call without screens.
func (s *stage) talking() (call, bob *hosts.Process) {
	s.t.Helper()
	bob = s.listen("--auto-answer", "alice")
	if s.answered.IsZero() {
		s.answered = time.Now()
	}
	call = s.call()
	call.Await("call.audio")
	bob.Await("call.audio")
	return call, bob
}

// aChangeOfNetwork gives alice another address in the call, and then takes bob's cable out
// for a while.
func (s *stage) aChangeOfNetwork() {
	call, bob := s.talking()
	before := s.lab.Move(s.alice, s.alice.IP4.Next())
	defer s.lab.Move(s.alice, before)
	s.hers = append(s.hers, s.alice.IP4)
	time.Sleep(5 * time.Second)
	s.unheld("alice", call.ID(), s.his)
	s.unheld("bob", bob.ID(), s.hers)
	s.lab.Unplug(s.bob)
	time.Sleep(2 * time.Second)
	s.lab.Replug(s.bob)
	time.Sleep(10 * time.Second) // whatever the program does about it, it has done by now
	s.unheld("bob", bob.ID(), s.hers)
	call.Signal(syscall.SIGINT)
	call.Exit()
}

// aCrash aborts alice's program in a call, which makes it print all that its goroutines do,
// and kills bob's in the next.
func (s *stage) aCrash() {
	call, bob := s.talking()
	s.peopleAreApart(call.ID(), bob.ID())
	call.Signal(syscall.SIGABRT)
	call.Exit()
	if !strings.Contains(call.Said(), "goroutine 1") {
		s.t.Errorf("alice's program did not crash aloud:\n%s", call.Said())
	}
	bob.Signal(syscall.SIGTERM)
	bob.Exit()
	call, bob = s.talking()
	bob.Kill()
	time.Sleep(2 * time.Second)
	call.Signal(syscall.SIGABRT)
	call.Exit()
}
