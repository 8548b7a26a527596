package audio

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestSpeakingIntoAMutedMicrophoneIsNoticedAndNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, h, take := handled(t)
		defer s.Close()
		said := func(want bool, when string) {
			t.Helper()
			if got := s.Stats().TalkingMuted; got != want {
				t.Errorf("%s: talking %v", when, got)
			}
		}
		speak(h, 0.2, time.Second)
		said(false, "while the microphone is open")
		s.SetMuted(true)
		speak(h, 0.001, time.Second)
		said(false, "while nobody speaks")
		take()
		speak(h, 0.2, 60*time.Millisecond)
		said(false, "after a knock on the table")
		speak(h, 0.2, 200*time.Millisecond)
		said(true, "while somebody speaks")
		speak(h, 0.001, time.Second)
		said(true, "in a pause between words")
		speak(h, 0.001, time.Second)
		said(false, "after two seconds of silence")
		speak(h, 0.2, time.Second)
		said(true, "when they speak again")
		for _, frame := range take() {
			if frame.value != 0 {
				t.Fatal("what a muted microphone heard was sent")
			}
		}
		s.SetMuted(false)
		speak(h, 0.2, 100*time.Millisecond)
		said(false, "once the microphone is open")
		s.SetMuted(true)
		s.SetHeld(true)
		speak(h, 0.2, time.Second)
		said(false, "on hold, where nobody expects to be heard")
	})
}

func TestADeafenedPersonHearsNothingAndThePacketsGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, h, take := handled(t)
		defer s.Close()
		counter, packer := uint32(0), newPlainPacker()
		listen := func() (loudest float32) {
			for range 50 {
				s.Receive(counter, plainPacket(packer, 1), time.Now())
				counter++
				for range 2 {
					time.Sleep(PeriodDuration)
					h.give(1, 1)
					loudest = max(loudest, h.hear())
					synctest.Wait()
				}
			}
			return loudest
		}
		if listen() == 0 {
			t.Error("the test hears nothing at all")
		}
		s.SetDeafened(true)
		listen() // what was ready when it was chosen
		take()
		if heard := listen(); heard != 0 {
			t.Errorf("heard %v", heard)
		}
		if sent := len(take()); sent < 49 || sent > 51 {
			t.Errorf("%d frames in a second", sent)
		}
		s.SetDeafened(false)
		listen()
		if listen() == 0 {
			t.Error("deaf for good")
		}
	})
}
