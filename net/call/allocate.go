package call

import (
	"context"
	"net"
	"time"

	"sotto/net/line"
	"sotto/net/peer"
)

const (
	// udpPatience is how long UDP has to answer before TLS is tried beside it.
	udpPatience = 1500 * time.Millisecond

	// udpMemory is how long UDP counts as blocked after TLS had to do.
	udpMemory = 10 * time.Minute
)

// newPeer asks the own relay for a TURN credential and allocates with it: over UDP,
// and where that is not answered over TLS, at the port of the line. Behind a proxy
// there is no UDP.
func (s *station) newPeer(ctx context.Context, sending sendingLine, media *media, controlling bool) (*peer.Peer, error) {
	credential, err := sending.Credential(ctx)
	if err != nil {
		return nil, err
	}
	config := peer.Config{
		Turn:        peer.Turn{Address: credential.Turn, Username: credential.Username, Password: credential.Password},
		Controlling: controlling, Net: s.network.Media, OnFrame: media.receive,
	}
	if s.engine != nil {
		config.Log = s.engine.cfg.Log
	}
	overTLS := config
	overTLS.Stream = s.stream
	if s.account.Proxy != "" || time.Since(time.Unix(0, s.udpFailed.Load())) < udpMemory {
		return peer.New(ctx, overTLS)
	}
	return s.eitherWay(ctx, config, overTLS)
}

// eitherWay allocates over UDP and, once that has failed or is late, over TLS as well;
// what comes first is taken and the other given back.
func (s *station) eitherWay(ctx context.Context, overUDP, overTLS peer.Config) (*peer.Peer, error) {
	type allocated struct {
		peer *peer.Peer
		err  error
		tls  bool
	}
	ctx, cancel := context.WithCancel(ctx)
	results := make(chan allocated, 2)
	allocate := func(config peer.Config) {
		made, err := peer.New(ctx, config)
		results <- allocated{made, err, config.Stream != nil}
	}
	running := 1
	go allocate(overUDP)
	late := time.NewTimer(udpPatience)
	defer late.Stop()
	both := false
	tryTLS := func() {
		if !both {
			both = true
			running++
			go allocate(overTLS)
		}
	}
	// Whoever is still at it is waited for: given up, it ends at once.
	defer func() {
		cancel()
		for ; running > 0; running-- {
			if other := <-results; other.peer != nil {
				closePeer(other.peer)
			}
		}
	}()
	var failure error
	for {
		select {
		case <-late.C:
			tryTLS()
		case got := <-results:
			running--
			if got.err == nil {
				if got.tls {
					s.udpFailed.Store(time.Now().UnixNano())
				}
				return got.peer, nil
			}
			if failure == nil || !got.tls {
				failure = got.err // what UDP said, which is the ordinary way
			}
			if tryTLS(); running == 0 {
				return nil, failure
			}
		}
	}
}

// stream connects to the own relay's TLS port, the way the line goes.
func (s *station) stream(ctx context.Context) (net.Conn, error) {
	return line.Secure(ctx, s.lineConfig())
}
