package peer

import (
	"errors"
	"testing"
	"time"

	"sotto/net/nettest"
)

// The side that expects another certificate must end it, whether it plays the DTLS client or
// the server, and neither side may hear anything.
func TestWrongFingerprint(t *testing.T) {
	for name, clientIsFooled := range map[string]bool{"seen by the client": true, "seen by the server": false} {
		t.Run(name, func(t *testing.T) {
			nettest.Leaks(t)
			client, atClient := side(t, relay(t).Addr(), nil, false) // the controlled side says hello
			server, atServer := side(t, relay(t).Addr(), nil, true)
			toClient, toServer := server.Local(), client.Local()
			if clientIsFooled {
				toClient.Fingerprint[31] ^= 1
			} else {
				toServer.Fingerprint[31] ^= 1
			}
			atTheClient, atTheServer := connect(client, server, toClient, toServer)
			fooled, other := atTheClient, atTheServer
			if !clientIsFooled {
				fooled, other = other, fooled
			}
			if !errors.Is(fooled, ErrFingerprint) {
				t.Errorf("the fooled side said %v", fooled)
			}
			if other == nil {
				t.Error("the other side connected")
			}
			for range 20 {
				for _, p := range []*Peer{client, server} {
					if err := p.Send([]byte("for nobody"), 960); err == nil {
						t.Fatal("a frame was sent")
					}
				}
				time.Sleep(time.Millisecond)
			}
			if a, b := atClient.Frames(), atServer.Frames(); len(a)+len(b) != 0 {
				t.Errorf("heard %q and %q", a, b)
			}
			for _, p := range []*Peer{client, server} {
				if s := p.Snapshot(); s.State == StateConnected || s.SRTPProfile != "" || s.Sent != 0 {
					t.Errorf("%+v", s)
				}
			}
		})
	}
}
