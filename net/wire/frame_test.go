package wire

import (
	"bytes"
	"errors"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"
)

func testFrames(t testing.TB) []Frame {
	e := testEnvelope(t, time.Unix(1_900_000_000, 0))
	return []Frame{
		&Challenge{Nonce: [32]byte{1, 2}, Now: 1_900_000_000_123, Version: Version},
		&Hello{Role: RoleReceive, Key: [32]byte{3}, Signature: [64]byte{4}, Token: "open sesame"},
		&Hello{Role: RoleSend},
		&Welcome{Now: 5, Admitted: true},
		&Register{Part: 1, Parts: 2, Drops: []DropID{{1}, {2}}},
		&Register{Part: 0, Parts: 1, Drops: make([]DropID, MaxDropsPerPart)},
		&Register{Part: 0, Parts: 1, Drops: []DropID{}},
		&Registered{},
		&Send{To: strings.Repeat("h", MaxText), Envelope: e},
		&Send{Envelope: e},
		&Taken{},
		&Undeliverable{To: "relay.example:443"},
		&Deliver{Envelope: e},
		&CredentialRequest{},
		&Credential{Username: "1:a", Password: "b", Turn: netip.MustParseAddrPort("192.0.2.1:3478"), Expires: 9},
		&Credential{Username: "1:a", Password: "b", Turn: netip.MustParseAddrPort("[2001:db8::1]:3478"), Expires: 9},
		&Refused{Reason: RefusedAdmission},
		&BoxRequest{},
		&Box{Number: 42, Expires: 9},
		&BoxSend{To: "relay.example:443", Envelope: e},
	}
}

func TestFrameRoundTrip(t *testing.T) {
	for i, f := range testFrames(t) {
		raw, err := AppendFrame(nil, uint32(i), f)
		if err != nil {
			t.Fatalf("%T: %v", f, err)
		}
		if len(raw) != FrameSize {
			t.Fatalf("%T: %d bytes, want %d", f, len(raw), FrameSize)
		}
		seq, back, err := ParseFrame(raw)
		if err != nil {
			t.Fatalf("%T: %v", f, err)
		}
		if seq != uint32(i) || !reflect.DeepEqual(back, f) {
			t.Errorf("%T changed on the way: %+v", f, back)
		}
	}
}

func TestFrameAppendsToWhatIsThere(t *testing.T) {
	raw, err := AppendFrame([]byte("before"), 1, &Taken{})
	if err != nil || len(raw) != 6+FrameSize || string(raw[:6]) != "before" {
		t.Fatalf("%d bytes, %v", len(raw), err)
	}
}

func TestFrameRefusesWhatDoesNotFit(t *testing.T) {
	for _, f := range []Frame{
		&Hello{Role: RoleSend, Token: strings.Repeat("x", MaxText+1)},
		&Register{Part: 0, Parts: 1, Drops: make([]DropID, MaxDropsPerPart+1)},
		&Register{Part: 1, Parts: 1},
		&Send{To: "x"},
		&Deliver{},
		&Credential{},
	} {
		if _, err := AppendFrame(nil, 0, f); !errors.Is(err, ErrMalformed) {
			t.Errorf("%+v: %v", f, err)
		}
	}
}

func TestFrameParserIsStrict(t *testing.T) {
	good := func(f Frame) []byte {
		raw, err := AppendFrame(nil, 1, f)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	padded := good(&Taken{})
	padded[FrameSize-1] = 1
	unknown := good(&Taken{})
	unknown[0] = 200
	role := good(&Hello{Role: RoleSend})
	role[5] = 9
	flag := good(&Welcome{})
	flag[5+8] = 2
	long := good(&Undeliverable{To: "x"})
	long[5], long[6] = 0xff, 0xff
	part := good(&Register{Parts: 1})
	part[5] = 1
	for name, raw := range map[string][]byte{
		"padding": padded, "kind": unknown, "role": role, "flag": flag, "length": long,
		"part": part, "short": padded[:FrameSize-1], "empty": nil,
	} {
		if _, _, err := ParseFrame(raw); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestHelloSignature(t *testing.T) {
	key := testDrop(t)
	var nonce [32]byte
	nonce[0] = 1
	h := &Hello{Role: RoleReceive}
	h.Key, h.Signature = SignHello(key, nonce, testHost)
	if !h.Verify(nonce, testHost) {
		t.Fatal("its own signature is refused")
	}
	if h.Verify(nonce, "other.example:443") || h.Verify([32]byte{2}, testHost) {
		t.Fatal("the signature serves another gateway or nonce")
	}
	h.Key[0] ^= 1
	if h.Verify(nonce, testHost) {
		t.Fatal("the signature serves another key")
	}
}

func FuzzFrame(f *testing.F) {
	for i, frame := range testFrames(f) {
		raw, err := AppendFrame(nil, uint32(i), frame)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if len(raw) < FrameSize { // let short inputs reach the fields too
			raw = append(bytes.Clone(raw), make([]byte, FrameSize-len(raw))...)
		}
		seq, frame, err := ParseFrame(raw)
		if err != nil {
			return
		}
		again, err := AppendFrame(nil, seq, frame)
		if err != nil {
			t.Fatalf("%T was read but cannot be written: %v", frame, err)
		}
		if !bytes.Equal(again, raw) {
			t.Fatalf("%T: what was read is not what is written", frame)
		}
	})
}
