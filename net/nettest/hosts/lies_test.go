//go:build linux

package hosts_test

import (
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/mlkem"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"unsafe"

	"sotto/net/handshake"
	"sotto/net/wire"
)

// lie is an offer that no truthful program makes: candidates as they stand in the message.
type lie struct {
	name       string
	ufrag      string // "": a decent one
	candidates [][]byte
}

// sdp is what another program would take for a session description full of ways to somebody.
func sdp(own4, own6 netip.Addr) string {
	return "v=0\r\no=- 1 1 IN IP4 " + own4.String() + "\r\ns=-\r\nt=0 0\r\nm=audio 51000 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 " + own4.String() + "\r\n" +
		"a=candidate:1 1 UDP 2130706431 " + own4.String() + " 51000 typ host\r\n" +
		"a=candidate:2 1 UDP 1694498815 " + own4.String() + " 51001 typ srflx raddr 0.0.0.0 rport 0\r\n" +
		"a=candidate:3 1 UDP 2130706431 0a1b2c3d-1111-4222-8333-444455556666.local 51000 typ host\r\n" +
		"a=candidate:4 1 TCP 1518280447 " + own4.String() + " 8443 typ host tcptype passive\r\n" +
		"a=candidate:5 1 UDP 2130706431 " + own6.String() + " 51000 typ host\r\n" +
		"a=candidate:6 1 UDP 16777215 tracker.example.org 51000 typ relay raddr 0.0.0.0 rport 0\r\n"
}

// lies names mallory's machine in every way that a candidate can be named.
func lies(own4, own6 netip.Addr) []lie {
	at := func(text string) []byte { return candidate(netip.MustParseAddrPort(text)) }
	here4, here6 := candidate(netip.AddrPortFrom(own4, 51000)), candidate(netip.AddrPortFrom(own6, 51000))
	named := func(name string) []byte { return append([]byte{3, byte(len(name))}, name...) }
	return []lie{
		{name: "host", candidates: [][]byte{here4}},
		{name: "server-reflexive", candidates: [][]byte{candidate(netip.AddrPortFrom(own4, 51001))}},
		{name: "ipv6", candidates: [][]byte{here6}},
		{name: "all at once", candidates: [][]byte{here6, here4, at("127.0.0.1:50000"), at("[::1]:50000")}},
		{name: "mdns", candidates: [][]byte{named("0a1b2c3d-1111-4222-8333-444455556666.local")}},
		{name: "dns name", candidates: [][]byte{named("tracker.example.org")}},
		{name: "passive tcp", candidates: [][]byte{append([]byte{6 | 0x80}, here4[1:]...)}},
		{name: "a service", candidates: [][]byte{candidate(netip.AddrPortFrom(own4, 8443))}},
		{name: "mapped ipv6", candidates: [][]byte{candidate(netip.AddrPortFrom(netip.AddrFrom16(own4.As16()), 51000))}},
		{name: "link-local", candidates: [][]byte{at("[fe80::1]:51000")}},
		{name: "sdp in the user fragment", ufrag: "abcd\r\n" + sdp(own4, own6)[150:270], candidates: [][]byte{here4}},
	}
}

func candidate(at netip.AddrPort) []byte {
	family := byte(6)
	if at.Addr().Is4() {
		family = 4
	}
	return binary.BigEndian.AppendUint16(append([]byte{family}, at.Addr().AsSlice()...), at.Port())
}

// offer is the lie as it stands in a message, with an honest fingerprint and password.
func (l lie) offer(honest wire.Offer) []byte {
	ufrag := honest.Ufrag
	if l.ufrag != "" {
		ufrag = l.ufrag
	}
	b := append([]byte(nil), honest.Fingerprint[:]...)
	b = append(append(b, byte(len(ufrag))), ufrag...)
	b = append(append(b, byte(len(honest.Pwd))), honest.Pwd...)
	b = append(b, byte(len(l.candidates)))
	for _, one := range l.candidates {
		b = append(b, one...)
	}
	return b
}

// hidden is a field that a truthful program has no way to change. A liar's program is not
// made of this project's parts; here it is, but for that field.
func hidden(of reflect.Value, field string) reflect.Value {
	found := of.FieldByName(field)
	return reflect.NewAt(found.Type(), unsafe.Pointer(found.UnsafeAddr())).Elem()
}

const inside = wire.BodySize - 32 - 16 // of a body, under its seal

func padded(parts ...[]byte) []byte {
	var b []byte
	for _, part := range parts {
		b = append(b, part...)
	}
	return append(b, make([]byte, inside-len(b))...)
}

func withLength(card []byte) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(card))), card...)
}

// confirmWith seals a confirmation whose offer is whatever bytes these are.
func confirmWith(session *handshake.Session, offer, card []byte) ([]byte, error) {
	of := reflect.ValueOf(session).Elem()
	nonce := hidden(of, "nonceA").Interface().([32]byte)
	aead, ok := hidden(hidden(of, "confirm"), "aead").Interface().(cipher.AEAD)
	if !ok {
		return nil, errors.New("the session has changed its shape")
	}
	ephemeral, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	head := ephemeral.PublicKey().Bytes()
	return aead.Seal(append([]byte(nil), head...), head[:24], padded(nonce[:], offer, withLength(card)), head), nil
}

// answerWith seals an answer whose offer is whatever bytes these are.
func answerWith(in *handshake.Incoming, offer, card []byte) ([]byte, error) {
	kem, err := mlkem.NewEncapsulationKey768(in.Knock().KEMKey)
	if err != nil {
		return nil, err
	}
	_, ciphertext := kem.Encapsulate()
	nonce, seed := make([]byte, 32), make([]byte, 32)
	_, _ = rand.Read(seed)
	message := padded(ciphertext, nonce, seed, offer, withLength(card))
	sealed := hidden(reflect.ValueOf(in).Elem(), "noise").MethodByName("WriteMessage").
		Call([]reflect.Value{reflect.ValueOf([]byte(nil)), reflect.ValueOf(message)})
	if failed, _ := sealed[len(sealed)-1].Interface().(error); failed != nil {
		return nil, fmt.Errorf("sealing a lie: %w", failed)
	}
	return sealed[0].Bytes(), nil
}
