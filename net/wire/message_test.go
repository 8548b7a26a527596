package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net/netip"
	"reflect"
	"strings"
	"testing"
)

const testSize = 4000

func testOffer() Offer {
	return Offer{
		Fingerprint: [32]byte{1},
		Ufrag:       "abc/",
		Pwd:         "0123456789abcdefghij+/",
		Candidates:  []netip.AddrPort{netip.MustParseAddrPort("203.0.113.7:49152"), netip.MustParseAddrPort("[2606:4700::1]:65535")},
	}
}

func offerFor() *Offer {
	offer := testOffer()
	return &offer
}

func directOffer() *Offer {
	offer := testOffer()
	offer.Candidates = []netip.AddrPort{netip.MustParseAddrPort("192.0.2.9:1024")}
	return &offer
}

func testKnock() *Knock {
	return &Knock{
		CallID: [16]byte{1}, Expiry: 1 << 40, CallSecret: [32]byte{2}, KEMKey: bytes.Repeat([]byte{3}, KEMKeySize),
		Commitment: [32]byte{4}, Flags: 0xff, Card: []byte("card"),
	}
}

func testAnswer() *Answer {
	return &Answer{
		KEMCiphertext: bytes.Repeat([]byte{5}, KEMCiphertextSize), NonceB: [32]byte{6}, DropSeed: [32]byte{7},
		Offer: testOffer(), Card: bytes.Repeat([]byte{8}, MaxCardBytes), Flags: 0x81,
	}
}

func testConfirm() *Confirm {
	return &Confirm{NonceA: [32]byte{9}, Offer: testOffer(), Card: []byte{0}}
}

// message is what all of them can do, for tests that go through all of them.
type message interface {
	Marshal(size int) ([]byte, error)
}

var messages = map[string]struct {
	message message
	parse   func([]byte) (message, error)
}{
	"knock":   {testKnock(), func(b []byte) (message, error) { return ParseKnock(b) }},
	"answer":  {testAnswer(), func(b []byte) (message, error) { return ParseAnswer(b) }},
	"confirm": {testConfirm(), func(b []byte) (message, error) { return ParseConfirm(b) }},
	"signal":  {Signal{Kind: SignalBye, Seq: 1 << 63}, func(b []byte) (message, error) { return ParseSignal(b) }},
	"control": {Control{Kind: ControlCancel}, func(b []byte) (message, error) { return ParseControl(b) }},
	"text": {
		Signal{Kind: SignalText, Seq: 7, Number: 1 << 31, Text: "back in five minutes"},
		func(b []byte) (message, error) { return ParseSignal(b) },
	},
	"restart": {
		Signal{Kind: SignalRestart, Seq: 9, Number: 2, Generation: 1, Offer: offerFor()},
		func(b []byte) (message, error) { return ParseSignal(b) },
	},
	"direct": {
		Signal{Kind: SignalDirect, Seq: 9, Number: 3, Generation: 2, Offer: directOffer()},
		func(b []byte) (message, error) { return ParseSignal(b) },
	},
	"consent": {Signal{Kind: SignalConsent, Seq: 8, Number: 5}, func(b []byte) (message, error) { return ParseSignal(b) }},
	"presence in a call": {
		Signal{Kind: SignalPresence, Seq: 8, Number: 6, Presence: Presence{At: 1 << 41, State: PresenceEnded}},
		func(b []byte) (message, error) { return ParseSignal(b) },
	},
	"presence": {Presence{At: 1 << 41, State: PresenceGone}, func(b []byte) (message, error) { return ParsePresence(b) }},
	"taken":    {Signal{Kind: SignalTaken, Seq: 8, Number: 5}, func(b []byte) (message, error) { return ParseSignal(b) }},
	"declined with a text": {
		Control{Kind: ControlDeclined, Text: strings.Repeat("x", MaxTextBytes)},
		func(b []byte) (message, error) { return ParseControl(b) },
	},
}

func TestMessagesComeBackInOneSize(t *testing.T) {
	for name, test := range messages {
		raw, err := test.message.Marshal(testSize)
		if err != nil || len(raw) != testSize {
			t.Fatalf("%s: %d bytes, %v", name, len(raw), err)
		}
		got, err := test.parse(raw)
		if err != nil || !reflect.DeepEqual(got, test.message) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		raw[testSize-1] = 1
		if _, err := test.parse(raw); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s with other padding: %v", name, err)
		}
		if _, err := test.message.Marshal(0); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s in no space: %v", name, err)
		}
	}
}

func TestCutMessagesAreRefused(t *testing.T) {
	for name, test := range messages {
		raw, err := test.message.Marshal(testSize)
		if err != nil {
			t.Fatal(err)
		}
		whole := len(bytes.TrimRight(raw, "\x00"))
		for length := range whole {
			if _, err := test.parse(raw[:length]); err == nil {
				t.Errorf("%s cut to %d of %d bytes is accepted", name, length, whole)
			}
		}
	}
}

func TestUnsendableMessages(t *testing.T) {
	knock, answer, confirm := testKnock(), testAnswer(), testConfirm()
	knock.KEMKey = knock.KEMKey[1:]
	answer.KEMCiphertext = nil
	confirm.Card = make([]byte, MaxCardBytes+1)
	noCard := testKnock()
	noCard.Card = nil
	for _, m := range []message{
		knock, answer, confirm, noCard,
		Signal{Seq: 1},
		Signal{Kind: 99, Seq: 1},
		Signal{Kind: SignalBye},
		Signal{Kind: SignalBye, Seq: 1, Number: 1},
		Signal{Kind: SignalBye, Seq: 1, Text: "x"},
		Signal{Kind: SignalText, Seq: 1, Number: 1},
		Signal{Kind: SignalText, Seq: 1, Text: "x"},
		Signal{Kind: SignalText, Seq: 1, Number: 1, Text: strings.Repeat("x", MaxTextBytes+1)},
		Signal{Kind: SignalTaken, Seq: 1},
		Signal{Kind: SignalRestart, Seq: 1, Number: 1, Generation: 1},
		Signal{Kind: SignalRestart, Seq: 1, Number: 1, Offer: offerFor()},
		Signal{Kind: SignalConsent, Seq: 1},
		Signal{Kind: SignalDirect, Seq: 1, Number: 1, Generation: 1},
		Signal{Kind: SignalBye, Seq: 1, Offer: offerFor()},
		Signal{Kind: SignalTaken, Seq: 1, Number: 1, Generation: 1},
		Control{},
		Control{Kind: ControlCancel + 1},
		Control{Kind: ControlBusy, Text: "x"},
		Control{Kind: ControlDeclined, Text: strings.Repeat("x", MaxTextBytes+1)},
	} {
		if _, err := m.Marshal(testSize); !errors.Is(err, ErrMalformed) {
			t.Errorf("%+v: %v", m, err)
		}
	}
	for _, raw := range [][]byte{{0}, {99}, {255}} {
		if _, err := ParseControl(raw); !errors.Is(err, ErrMalformed) {
			t.Errorf("control %v: %v", raw, err)
		}
		if _, err := ParseSignal(binary.BigEndian.AppendUint64(raw, 1)); !errors.Is(err, ErrMalformed) {
			t.Errorf("signal %v: %v", raw, err)
		}
	}
	if _, err := ParseSignal(make([]byte, 9)); !errors.Is(err, ErrMalformed) {
		t.Error("signal number 0", err)
	}
}

func TestOfferFieldByField(t *testing.T) {
	good := testOffer()
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	at := func(texts ...string) func(*Offer) {
		return func(o *Offer) {
			o.Candidates = nil
			for _, text := range texts {
				o.Candidates = append(o.Candidates, netip.MustParseAddrPort(text))
			}
		}
	}
	bad := map[string]func(*Offer){
		"no fingerprint":      func(o *Offer) { o.Fingerprint = [32]byte{} },
		"short ufrag":         func(o *Offer) { o.Ufrag = "abc" },
		"long ufrag":          func(o *Offer) { o.Ufrag = strings.Repeat("a", maxICE+1) },
		"line break in ufrag": func(o *Offer) { o.Ufrag = "abcd\r\na=candidate" },
		"colon in ufrag":      func(o *Offer) { o.Ufrag = "ab:cd" },
		"short pwd":           func(o *Offer) { o.Pwd = o.Pwd[1:] },
		"space in pwd":        func(o *Offer) { o.Pwd = " 0123456789abcdefghij+/" },
		"non-ASCII pwd":       func(o *Offer) { o.Pwd = "é0123456789abcdefghij+/" },
		"no address":          at(),
		"five addresses":      at("1.1.1.1:50000", "1.1.1.1:50001", "1.1.1.1:50002", "1.1.1.1:50003", "1.1.1.1:50004"),
		"one twice":           at("1.1.1.1:50000", "1.1.1.1:50000"),
		"zero address":        func(o *Offer) { o.Candidates = make([]netip.AddrPort, 1) },
	}
	for _, text := range []string{
		"1.1.1.1:49151", "1.1.1.1:0", "1.1.1.1:443", "0.0.0.0:50000", "0.1.2.3:50000", "[::]:50000", "224.0.0.251:50000",
		"[ff02::fb]:50000", "255.255.255.255:50000", "169.254.169.254:50000", "[fe80::1]:50000", "[fe80::1%eth0]:50000",
		"[::ffff:10.0.0.1]:50000", "[::10.0.0.1]:50000", "[64:ff9b::a00:1]:50000", "[64:ff9b:1::1]:50000",
		"[2002:a00:1::]:50000", "[2001:0:1::1]:50000", "[fec0::1]:50000",
	} {
		bad[text] = at(text)
	}
	for name, alter := range bad {
		offer := testOffer()
		alter(&offer)
		if err := offer.Check(); !errors.Is(err, ErrBadOffer) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := (&Confirm{Offer: offer, Card: []byte{1}}).Marshal(testSize); !errors.Is(err, ErrBadOffer) {
			t.Errorf("%s is sent: %v", name, err)
		}
	}
	for _, text := range []string{"127.0.0.1:50000", "[::1]:50000", "10.0.0.1:50000", "[fd00::1]:65535"} {
		offer := testOffer()
		at(text)(&offer)
		if err := offer.Check(); err != nil {
			t.Errorf("%s, as in a laboratory: %v", text, err)
		}
	}
}

// A hostile offer is refused by the readers, not only by whoever writes one.
func TestReadersCheckTheOffer(t *testing.T) {
	raw, err := testConfirm().Marshal(testSize)
	if err != nil {
		t.Fatal(err)
	}
	ufrag := bytes.Index(raw, []byte("abc/"))
	raw[ufrag] = '\n'
	if _, err := ParseConfirm(raw); !errors.Is(err, ErrBadOffer) {
		t.Error(err)
	}
	raw, err = testAnswer().Marshal(testSize)
	if err != nil {
		t.Fatal(err)
	}
	candidate := bytes.Index(raw, []byte{4, 203, 0, 113, 7})
	raw[candidate+1] = 224
	if _, err := ParseAnswer(raw); !errors.Is(err, ErrBadOffer) {
		t.Error(err)
	}
	raw[candidate] = 5
	if _, err := ParseAnswer(raw); !errors.Is(err, ErrMalformed) {
		t.Error(err)
	}
}

func TestWordsForLogs(t *testing.T) {
	if ControlBusy.String() != "busy" || SignalHold.String() != "hold" || SignalKind(99).String() != "kind 99" {
		t.Error(ControlBusy, SignalHold, SignalKind(99))
	}
}

// FuzzMessages: what a reader accepts is exactly what a writer writes.
func FuzzMessages(f *testing.F) {
	names := []string{"knock", "answer", "confirm", "signal", "control", "text", "restart", "direct", "consent", "taken", "declined with a text", "presence in a call", "presence"}
	for which, name := range names {
		raw, err := messages[name].message.Marshal(testSize)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(which, raw)
		f.Add(which, bytes.TrimRight(raw, "\x00"))
		f.Add(which, raw[:100])
	}
	f.Fuzz(func(t *testing.T, which int, raw []byte) {
		name := names[uint(which)%uint(len(names))]
		parsed, err := messages[name].parse(raw)
		if err != nil {
			return
		}
		if again, err := parsed.Marshal(len(raw)); err != nil || !bytes.Equal(again, raw) {
			t.Errorf("%s %x comes back as %x, %v", name, raw, again, err)
		}
	})
}

func TestADirectOfferNamesOneMachine(t *testing.T) {
	good := directOffer()
	if err := good.CheckDirect(); err != nil {
		t.Fatal(err)
	}
	if err := good.Check(); !errors.Is(err, ErrBadOffer) {
		t.Error("it passes for a relay's", err)
	}
	for _, bad := range []string{"192.0.2.9:1023", "192.0.2.9:0", "224.0.0.251:5353", "0.0.0.0:5000", "169.254.169.254:5000", "[fe80::1]:5000", "[::ffff:10.0.0.1]:5000", "[2002:a00:1::]:5000"} {
		offer := directOffer()
		offer.Candidates[0] = netip.MustParseAddrPort(bad)
		if err := offer.CheckDirect(); !errors.Is(err, ErrBadOffer) {
			t.Errorf("%s: %v", bad, err)
		}
	}
	two := directOffer()
	two.Candidates = append(two.Candidates, netip.MustParseAddrPort("192.0.2.10:5000"))
	if err := two.CheckDirect(); !errors.Is(err, ErrBadOffer) {
		t.Error("it names two machines", err)
	}
}
