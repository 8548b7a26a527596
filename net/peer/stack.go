package peer

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/logging"
	"github.com/pion/webrtc/v4"

	"sotto/net/wire"
)

const (
	checks         = 100 // tries per pair, one each 200 ms: the other side may take its time to start
	dtlsRetransmit = 150 * time.Millisecond
	mtu            = 1500 // bytes, more than any packet of a call
)

// clocks are a connection's time limits. Tests have shorter ones.
type clocks struct {
	allocation  time.Duration // for the relay to allocate
	keepalive   time.Duration // between ICE checks, which keep the RTT fresh too
	interrupted time.Duration // of silence, until the connection counts as interrupted
	lost        time.Duration // of silence, until it counts as lost; also the limit for finding each other
}

var ordinary = clocks{
	allocation: 8 * time.Second, keepalive: time.Second, interrupted: 3 * time.Second, lost: 10 * time.Second,
}

// stack is pion's objects for one call.
type stack struct {
	api      *webrtc.API
	seen     netip.AddrPort // of a direct connection: what is offered in place of a relayed address
	clocks   clocks
	gatherer *webrtc.ICEGatherer
	ice      *webrtc.ICETransport
	dtls     *webrtc.DTLSTransport
	print    [32]byte
	sender   *webrtc.RTPSender   // nil before send
	receiver *webrtc.RTPReceiver // nil before receive
}

// newStack is for a relayed connection, or without a turn server for a direct one.
func newStack(guard wall, turn *Turn, config Config, pairable func(netip.Addr) bool) (*stack, error) {
	media := new(webrtc.MediaEngine)
	if err := media.RegisterCodec(opus, webrtc.RTPCodecTypeAudio); err != nil {
		return nil, err
	}
	settings := settings(guard, config, pairable)
	settings.SetIncludeLoopbackCandidate(turn == nil) // both on one machine
	s := &stack{clocks: config.clocks}
	// An empty registry instead of the default one: no RTCP reports, which would carry a name.
	s.api = webrtc.NewAPI(webrtc.WithMediaEngine(media), webrtc.WithSettingEngine(settings),
		webrtc.WithInterceptorRegistry(new(interceptor.Registry)))
	certificate, err := newCertificate()
	if err != nil {
		return nil, err
	}
	if s.print, err = fingerprintOf(certificate); err != nil {
		return nil, err
	}
	options := webrtc.ICEGatherOptions{ICEGatherPolicy: webrtc.ICETransportPolicyAll} // all that the guard has: one socket
	if turn != nil {
		options = webrtc.ICEGatherOptions{
			ICEGatherPolicy: webrtc.ICETransportPolicyRelay,
			ICEServers: []webrtc.ICEServer{{
				URLs: []string{"turn:" + turn.Address.String() + "?transport=udp"}, Username: turn.Username, Credential: turn.Password,
			}},
		}
	}
	s.gatherer, err = s.api.NewICEGatherer(options)
	if err != nil {
		return nil, fmt.Errorf("the relay's turn address is no good: %w", err)
	}
	s.ice = webrtc.NewICETransport(s.gatherer, settings.LoggerFactory)
	s.dtls, err = s.api.NewDTLSTransport(s.ice, []webrtc.Certificate{*certificate})
	return s, err
}

// opus is the one codec; what it carries is sealed, so only its clock matters here.
var opus = webrtc.RTPCodecParameters{
	RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2},
	PayloadType:        payloadType,
}

// settings are the walls: one UDP family, no active TCP, no mDNS, one remote address.
func settings(guard wall, config Config, pairable func(netip.Addr) bool) webrtc.SettingEngine {
	family, clocks := webrtc.NetworkTypeUDP6, config.clocks
	if config.Turn.Address.Addr().Is4() {
		family = webrtc.NetworkTypeUDP4
	}
	var e webrtc.SettingEngine
	e.LoggerFactory = &logging.DefaultLoggerFactory{Writer: io.Discard, DefaultLogLevel: logging.LogLevelDisabled}
	e.SetNet(guard)
	e.SetNetworkTypes([]webrtc.NetworkType{family})
	e.DisableActiveTCP(true)
	e.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	e.SetRemoteIPFilter(func(ip net.IP) bool {
		address, ok := netip.AddrFromSlice(ip)
		return ok && pairable(address)
	})
	e.SetRelayAcceptanceMinWait(0)
	e.SetPrflxAcceptanceMinWait(0)
	e.SetICETimeouts(clocks.interrupted, clocks.lost-clocks.interrupted, clocks.keepalive) // pion adds the first two
	e.SetICEMaxBindingRequests(checks)
	e.SetSRTPProtectionProfiles(dtls.SRTP_AEAD_AES_256_GCM)
	e.SetDTLSCipherSuites(dtls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384)
	e.SetDTLSExtendedMasterSecret(dtls.RequireExtendedMasterSecret)
	e.SetDTLSClientAuth(dtls.RequireAnyClientCert) // pion then compares its fingerprint, as it does the server's
	e.SetDTLSRetransmissionInterval(dtlsRetransmit)
	e.SetDTLSInsecureSkipHelloVerify(true) // the cookie proves an address, which ICE has done
	e.SetReceiveMTU(mtu)
	return e
}

// newCertificate is a certificate for one call. It looks like any WebRTC program's, and its
// dates are rounded, so that it tells nothing about this machine's clock.
func newCertificate() (*webrtc.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 126))
	if err != nil {
		return nil, err
	}
	day := time.Now().UTC().Truncate(24 * time.Hour)
	name := pkix.Name{CommonName: "WebRTC"}
	return webrtc.NewCertificate(key, x509.Certificate{
		Issuer: name, Subject: name, SerialNumber: serial, Version: 2,
		NotBefore: day.AddDate(0, 0, -1), NotAfter: day.AddDate(0, 1, 0),
	})
}

func fingerprintOf(certificate *webrtc.Certificate) (print [32]byte, err error) {
	prints, err := certificate.GetFingerprints()
	if err != nil {
		return print, err
	}
	raw, err := hex.DecodeString(strings.ReplaceAll(prints[0].Value, ":", ""))
	if err != nil || len(raw) != len(print) || prints[0].Algorithm != "sha-256" {
		return print, errors.New("the certificate has no sha-256 fingerprint")
	}
	return [32]byte(raw), nil
}

// gather allocates on the relay; no candidate means that the relay gave none.
func (s *stack) gather(parent context.Context) (wire.Offer, error) {
	ctx, cancel := context.WithTimeout(parent, s.clocks.allocation)
	defer cancel()
	done := make(chan struct{})
	s.gatherer.OnLocalCandidate(func(candidate *webrtc.ICECandidate) {
		if candidate == nil {
			close(done)
		}
	})
	if err := s.gatherer.Gather(); err != nil {
		return wire.Offer{}, fmt.Errorf("allocating on the relay could not start: %w", err)
	}
	select {
	case <-done:
	case <-ctx.Done():
		return wire.Offer{}, parent.Err() // none: the relay took too long
	}
	parameters, err := s.gatherer.GetLocalParameters()
	if err != nil {
		return wire.Offer{}, err
	}
	candidates, err := s.gatherer.GetLocalCandidates()
	if err != nil {
		return wire.Offer{}, err
	}
	offer := wire.Offer{Fingerprint: s.print, Ufrag: parameters.UsernameFragment, Pwd: parameters.Password}
	if s.seen.IsValid() {
		if len(candidates) == 1 && candidates[0].Typ == webrtc.ICECandidateTypeHost { // it stays here
			offer.Candidates = []netip.AddrPort{s.seen}
		}
		return offer, nil
	}
	for i := range candidates {
		relayed, err := relayedAddress(&candidates[i])
		if err != nil {
			return wire.Offer{}, err
		}
		offer.Candidates = append(offer.Candidates, relayed)
	}
	return offer, nil
}

// relayedAddress is a candidate's address, if it is a relayed one.
func relayedAddress(candidate *webrtc.ICECandidate) (netip.AddrPort, error) {
	address, err := netip.ParseAddr(candidate.Address)
	if err != nil || candidate.Typ != webrtc.ICECandidateTypeRelay {
		return netip.AddrPort{}, errors.New("a candidate that is not relayed turned up, so the connection was not made")
	}
	return netip.AddrPortFrom(address.Unmap(), candidate.Port), nil
}

// connect runs ICE and DTLS.
func (s *stack) connect(ctx context.Context, remote wire.Offer, candidate netip.AddrPort, controlling bool) error {
	role, remoteDTLS := webrtc.ICERoleControlled, webrtc.DTLSRoleServer
	if controlling { // the controlled side is connected first, so it says hello
		role, remoteDTLS = webrtc.ICERoleControlling, webrtc.DTLSRoleClient
	}
	kind := webrtc.ICECandidateTypeRelay
	if s.seen.IsValid() {
		kind = webrtc.ICECandidateTypeHost
	}
	err := s.ice.AddRemoteCandidate(&webrtc.ICECandidate{
		Foundation: kind.String(), Component: 1, Protocol: webrtc.ICEProtocolUDP, Typ: kind,
		Address: candidate.Addr().String(), Port: candidate.Port(),
	})
	if err != nil {
		return err
	}
	parameters := webrtc.ICEParameters{UsernameFragment: remote.Ufrag, Password: remote.Pwd}
	if err := s.ice.StartContext(ctx, nil, parameters, &role); err != nil {
		return err
	}
	err = s.dtls.StartContext(ctx, webrtc.DTLSParameters{
		Role:         remoteDTLS,
		Fingerprints: []webrtc.DTLSFingerprint{{Algorithm: "sha-256", Value: colons(remote.Fingerprint)}},
	})
	// pion compared the fingerprint inside the handshake, in either role. We look again at what
	// it saw, to tell a wrong certificate from other failures, and never to go on without one.
	seen := s.dtls.GetRemoteCertificate()
	if len(seen) > 0 && sha256.Sum256(seen) != remote.Fingerprint || err == nil && len(seen) == 0 {
		return ErrFingerprint
	}
	return err
}

// colons is a fingerprint as RFC 8122 writes it.
func colons(print [32]byte) string {
	parts := make([]string, len(print))
	for i, b := range print {
		parts[i] = fmt.Sprintf("%02X", b)
	}
	return strings.Join(parts, ":")
}

// send starts the outgoing stream.
func (s *stack) send(ssrc uint32) (webrtc.TrackLocalWriter, error) {
	track := new(track)
	sender, err := s.api.NewRTPSender(track, s.dtls)
	if err != nil {
		return nil, err
	}
	s.sender = sender
	err = sender.Send(webrtc.RTPSendParameters{Encodings: []webrtc.RTPEncodingParameters{{
		RTPCodingParameters: webrtc.RTPCodingParameters{SSRC: webrtc.SSRC(ssrc), PayloadType: payloadType},
	}}})
	return track.writer, err
}

// receive starts the incoming stream.
func (s *stack) receive(ssrc uint32) (*webrtc.TrackRemote, error) {
	receiver, err := s.api.NewRTPReceiver(webrtc.RTPCodecTypeAudio, s.dtls)
	if err != nil {
		return nil, err
	}
	s.receiver = receiver
	err = receiver.Receive(webrtc.RTPReceiveParameters{Encodings: []webrtc.RTPDecodingParameters{{
		RTPCodingParameters: webrtc.RTPCodingParameters{SSRC: webrtc.SSRC(ssrc), PayloadType: payloadType},
	}}})
	return receiver.Track(), err
}

// describe fills in what the live connection knows.
func (s *stack) describe(snapshot *Snapshot) {
	if s.dtls.State() == webrtc.DTLSTransportStateConnected {
		snapshot.SRTPProfile = "AES-256-GCM" // the only one that settings let DTLS agree on
	}
	pair, err := s.ice.GetSelectedCandidatePair()
	if err != nil || pair == nil {
		return
	}
	if stats, ok := s.ice.GetSelectedCandidatePairStats(); ok {
		snapshot.RTT = time.Duration(stats.CurrentRoundTripTime * float64(time.Second))
	}
	if s.seen.IsValid() {
		snapshot.Route, snapshot.PairTypes, snapshot.Seen = "direct", pair.Local.Typ.String()+"-"+pair.Remote.Typ.String(), s.seen
		return
	}
	local, localErr := relayedAddress(pair.Local)
	remote, err := netip.ParseAddr(pair.Remote.Address)
	if localErr != nil || err != nil {
		return
	}
	snapshot.Route = "relay" // the own half is relayed, so the other half is all that anyone sees
	snapshot.PairTypes = pair.Local.Typ.String() + "-" + pair.Remote.Typ.String()
	snapshot.LocalRelayed = local
	snapshot.RemoteRelayed = netip.AddrPortFrom(remote.Unmap(), pair.Remote.Port)
}

// close stops everything in the order in which pion's parts need each other. Errors only say
// that a part had stopped already.
func (s *stack) close() {
	for _, step := range s.closing() {
		_ = step()
	}
}

// closing are the steps of close, in the one order that ends. DTLS, and with it
// SRTP, comes before the receiver: with the receiver's stream gone, a packet that is
// already inside pion would count as a new stream, which waits for ever for somebody
// to accept it, and SRTP waits for that packet.
func (s *stack) closing() []func() error {
	var steps []func() error
	if s.sender != nil {
		steps = append(steps, s.sender.Stop)
	}
	steps = append(steps, s.dtls.Stop)
	if s.receiver != nil {
		steps = append(steps, s.receiver.Stop)
	}
	return append(steps, s.ice.GracefulStop)
}
