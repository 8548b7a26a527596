package bus

import (
	"bytes"
	"testing"
	"time"

	"sotto/net/nettest"
	"sotto/net/wire"
)

type message struct {
	drop    wire.DropID
	payload []byte
}

func startBus(t *testing.T) (*Bus, chan message) {
	t.Helper()
	nettest.Leaks(t)
	got := make(chan message, 16)
	b, err := Start(func(drop wire.DropID, payload []byte) { got <- message{drop, payload} }, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b, got
}

func TestPublishReachesTheSubscribedDropOnly(t *testing.T) {
	b, got := startBus(t)
	mine, other := wire.DropID{1}, wire.DropID{2}
	s, err := b.Subscribe(mine)
	if err != nil {
		t.Fatal(err)
	}
	full := bytes.Repeat([]byte{9}, wire.EnvelopeSize)
	for _, m := range []message{{other, []byte("not mine")}, {mine, full}} {
		if err := b.Publish(m.drop, m.payload); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case m := <-got:
		if m.drop != mine || !bytes.Equal(m.payload, full) {
			t.Fatalf("got %d bytes for %s", len(m.payload), m.drop)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("nothing arrived")
	}
	s.Cancel()
	if err := b.Publish(mine, []byte("too late")); err != nil {
		t.Fatal(err)
	}
	if err := b.Flush(); err != nil {
		t.Fatal(err)
	}
	if len(got) != 0 {
		t.Fatal("a message arrived after Cancel")
	}
}

func TestPublishRefusesWhatNoEnvelopeNeeds(t *testing.T) {
	b, _ := startBus(t)
	if err := b.Publish(wire.DropID{1}, make([]byte, maxPayload+1)); err == nil {
		t.Fatal("an oversized message was taken")
	}
}
