package peer

import (
	"testing"

	"github.com/pion/rtp"
)

// headers keeps the headers of what is written to it.
type headers []rtp.Header

func (h *headers) WriteRTP(header *rtp.Header, payload []byte) (int, error) {
	*h = append(*h, *header)
	return len(payload), nil
}

func (h *headers) Write(b []byte) (int, error) { return len(b), nil }

// TestThePositionOnTheWireGoesOnWhenFramesChangeTheirLength: each packet is one number later and
// as much later in time as the one before it was long.
func TestThePositionOnTheWireGoesOnWhenFramesChangeTheirLength(t *testing.T) {
	var s sender
	var sent headers
	s.start(&sent, 7)
	lengths := []int{960, 960, 480, 480, 480, 960, 480, 960}
	for _, samples := range lengths {
		if err := s.send([]byte("frame"), samples); err != nil {
			t.Fatal(err)
		}
	}
	for i := 1; i < len(sent); i++ {
		if sent[i].SequenceNumber != sent[i-1].SequenceNumber+1 || sent[i].Timestamp != sent[i-1].Timestamp+uint32(lengths[i-1]) {
			t.Errorf("after number %d at %d, %d samples long, comes number %d at %d",
				sent[i-1].SequenceNumber, sent[i-1].Timestamp, lengths[i-1], sent[i].SequenceNumber, sent[i].Timestamp)
		}
	}
}
