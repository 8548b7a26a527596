package gateway

import (
	"context"
	"testing"
	"time"

	"sotto/net/line"
	"sotto/net/wire"
)

// benchGateway has limits that a benchmark does not reach.
func benchGateway(b *testing.B) *Gateway {
	b.Helper()
	plenty := Rate{1e9, 1e9}
	return startGateway(b, func(c *Config) {
		c.Limits.LineSends, c.Limits.PrefixSends, c.Limits.DropFills = plenty, plenty, plenty
		c.Limits.Frames, c.Limits.RelaySends, c.Limits.PrefixConns = plenty, plenty, plenty
	})
}

func BenchmarkOpenLine(b *testing.B) {
	g := benchGateway(b)
	for b.Loop() {
		l, err := line.Open(context.Background(), line.Config{Relay: g.config.Address})
		if err != nil {
			b.Fatal(err)
		}
		l.Close()
	}
}

// deliverEach measures from Send to delivery, one envelope at a time.
func deliverEach(b *testing.B, from, to *Gateway) {
	b.Helper()
	key := newKey(b)
	r, s := receiver(b, to, key), sender(b, from)
	host, body := to.config.Address.HostPort(), make([]byte, wire.BodySize)
	for b.Loop() {
		e, err := wire.NewEnvelope(key, host, time.Now().Add(time.Minute), body)
		if err != nil {
			b.Fatal(err)
		}
		if err := s.Send(context.Background(), to.config.Address, e); err != nil {
			b.Fatal(err)
		}
		select {
		case <-r.Deliveries():
		case <-time.After(patience):
			b.Fatal("an envelope was lost")
		}
	}
}

func BenchmarkDeliver(b *testing.B) {
	g := benchGateway(b)
	deliverEach(b, g, g)
}

func BenchmarkDeliverThroughTwoRelays(b *testing.B) {
	from, to := benchGateway(b), benchGateway(b)
	deliverEach(b, from, to)
}
