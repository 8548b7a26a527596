package wire

import (
	"crypto/ed25519"
	"encoding/binary"
	"fmt"
	"net/netip"
	"time"
)

const (
	// FrameSize is the size in bytes of every message on a line.
	FrameSize = 4608

	// Version is the version of the line's protocol.
	Version = 1

	// MaxDropsPerPart is how many drop ids one Register frame carries.
	MaxDropsPerPart = 128

	// MaxText bounds each string of a frame, in bytes. The longest is a relay's
	// address: a name of 253, a port and a pin.
	MaxText = 320

	helloLabel = "sotto line v1"
)

// Role is what a line is for.
type Role uint8

const (
	RoleReceive Role = 1 // logs in with a receive key, may register drops
	RoleSend    Role = 2 // nameless, one person's
	RoleRelay   Role = 3 // nameless, another relay's, shared by its people
)

// Reason says why a gateway refused.
type Reason uint8

const (
	RefusedAdmission  Reason = 1 // the admission token is missing or wrong
	RefusedKey        Reason = 2 // the receive key's signature does not verify
	RefusedVersion    Reason = 3 // the gateway speaks another version
	RefusedForwarding Reason = 4 // this relay does not pass envelopes to that one
	RefusedHosts      Reason = 5 // too many different relays on one line
	RefusedDrops      Reason = 6 // too many drops on one line
	RefusedBusy       Reason = 7 // the relay, or this network's share of it, is full
	RefusedRole       Reason = 8 // not something this line may ask for
)

// Frame is one of the types below. The first byte of a frame is its kind, the
// next four its sequence number; the fields follow in the order of the struct,
// strings with a length of two bytes before them, then zeros up to FrameSize.
type Frame interface {
	kind() byte
	write(*frameWriter)
	read(*frameReader)
}

type (
	// Challenge opens a line; Now is the gateway's clock in Unix milliseconds.
	Challenge struct {
		Nonce   [32]byte
		Now     int64
		Version uint8
	}

	// Hello answers a Challenge. Key and Signature are zero unless the role is
	// RoleReceive. Token is the relay's admission token, or empty.
	Hello struct {
		Role      Role
		Key       [32]byte
		Signature [ed25519.SignatureSize]byte
		Token     string
	}

	// Welcome ends the handshake. Admitted lines may register, forward and ask
	// for credentials; others may only fill drops at this relay.
	Welcome struct {
		Now      int64
		Admitted bool
	}

	// Register replaces the line's drops once part Parts-1 is in. Parts come in
	// order and share one sequence number.
	Register struct {
		Part, Parts uint8
		Drops       []DropID
	}

	// Registered answers the last part of a Register.
	Registered struct{}

	// Send puts an envelope into a drop at the relay To (an address in the form
	// of identity.Address.String), or at this relay when To is empty.
	Send struct {
		To       string
		Envelope *Envelope
	}

	// Taken answers every Send that was not refused, whatever became of it.
	Taken struct{}

	// Undeliverable reports that this relay cannot reach the relay To.
	Undeliverable struct{ To string }

	// Deliver carries an envelope that arrived at a registered drop.
	Deliver struct{ Envelope *Envelope }

	// CredentialRequest asks for a TURN credential.
	CredentialRequest struct{}

	// Credential is a TURN credential; Expires is in Unix seconds.
	Credential struct {
		Username, Password string
		Turn               netip.AddrPort
		Expires            int64
	}

	// BoxRequest asks for a numbered box: a drop whose key everybody derives from
	// the number (BoxKey), which takes one envelope and is then gone.
	BoxRequest struct{}

	// Box is the line's box until Expires, in Unix seconds.
	Box struct {
		Number  uint32
		Expires int64
	}

	// BoxSend is a Send for a box at the relay To, which this relay reaches even
	// where To has no pin and a certificate that nobody vouches for: what travels
	// carries its own proof, and no relay is trusted with it.
	BoxSend struct {
		To       string
		Envelope *Envelope
	}

	// Refused answers a request that is not granted, or the Hello.
	Refused struct{ Reason Reason }
)

func (*Challenge) kind() byte         { return 1 }
func (*Hello) kind() byte             { return 2 }
func (*Welcome) kind() byte           { return 3 }
func (*Register) kind() byte          { return 4 }
func (*Registered) kind() byte        { return 5 }
func (*Send) kind() byte              { return 6 }
func (*Taken) kind() byte             { return 7 }
func (*Undeliverable) kind() byte     { return 8 }
func (*Deliver) kind() byte           { return 9 }
func (*CredentialRequest) kind() byte { return 10 }
func (*Credential) kind() byte        { return 11 }
func (*Refused) kind() byte           { return 12 }
func (*BoxRequest) kind() byte        { return 13 }
func (*Box) kind() byte               { return 14 }
func (*BoxSend) kind() byte           { return 15 }

func blankFrame(kind byte) Frame {
	switch kind {
	case 1:
		return &Challenge{}
	case 2:
		return &Hello{}
	case 3:
		return &Welcome{}
	case 4:
		return &Register{}
	case 5:
		return &Registered{}
	case 6:
		return &Send{}
	case 7:
		return &Taken{}
	case 8:
		return &Undeliverable{}
	case 9:
		return &Deliver{}
	case 10:
		return &CredentialRequest{}
	case 11:
		return &Credential{}
	case 12:
		return &Refused{}
	case 13:
		return &BoxRequest{}
	case 14:
		return &Box{}
	case 15:
		return &BoxSend{}
	}
	return nil
}

// AppendFrame appends the FrameSize bytes of f to b. Its one error is a frame
// that cannot be laid out: a string or a list too long, an envelope missing.
func AppendFrame(b []byte, seq uint32, f Frame) ([]byte, error) {
	start := len(b)
	w := frameWriter{b: append(b, f.kind())}
	w.uint32(seq)
	f.write(&w)
	if w.bad || len(w.b)-start > FrameSize {
		return b, fmt.Errorf("%w: %T does not fit a frame", ErrMalformed, f)
	}
	return append(w.b, make([]byte, start+FrameSize-len(w.b))...), nil
}

// ParseFrame reads one frame of exactly FrameSize bytes and keeps none of b. It
// accepts only what AppendFrame writes, padding included.
func ParseFrame(b []byte) (seq uint32, f Frame, err error) {
	if len(b) != FrameSize {
		return 0, nil, fmt.Errorf("%w: a frame has %d bytes, not %d", ErrMalformed, FrameSize, len(b))
	}
	if f = blankFrame(b[0]); f == nil {
		return 0, nil, fmt.Errorf("%w: no frame is of kind %d", ErrMalformed, b[0])
	}
	r := frameReader{b: b[1:]}
	seq = r.uint32()
	f.read(&r)
	for _, pad := range r.b {
		r.bad = r.bad || pad != 0
	}
	if r.bad {
		return 0, nil, fmt.Errorf("%w: not a valid %T", ErrMalformed, f)
	}
	return seq, f, nil
}

// SignHello signs the gateway's nonce for the gateway at host (host:port).
func SignHello(receive ed25519.PrivateKey, nonce [32]byte, host string) (key [32]byte, signature [ed25519.SignatureSize]byte) {
	copy(key[:], receive.Public().(ed25519.PublicKey))
	copy(signature[:], ed25519.Sign(receive, helloSigned(nonce, host)))
	return key, signature
}

// Verify tells whether the receive key in h signed this nonce for this host.
func (h *Hello) Verify(nonce [32]byte, host string) bool {
	return ed25519.Verify(h.Key[:], helloSigned(nonce, host), h.Signature[:])
}

func helloSigned(nonce [32]byte, host string) []byte {
	return append(append([]byte(helloLabel), nonce[:]...), host...)
}

// Clock is the time that a frame's Unix milliseconds name.
func Clock(milliseconds int64) time.Time { return time.UnixMilli(milliseconds) }

func (f *Challenge) write(w *frameWriter) { w.bytes(f.Nonce[:]); w.int64(f.Now); w.uint8(f.Version) }

func (f *Challenge) read(r *frameReader) {
	r.fill(f.Nonce[:])
	f.Now = r.int64()
	f.Version = r.uint8()
}

func (f *Hello) write(w *frameWriter) {
	w.uint8(uint8(f.Role))
	w.bytes(f.Key[:])
	w.bytes(f.Signature[:])
	w.text(f.Token)
}

func (f *Hello) read(r *frameReader) {
	f.Role = Role(r.uint8())
	r.bad = r.bad || f.Role < RoleReceive || f.Role > RoleRelay
	r.fill(f.Key[:])
	r.fill(f.Signature[:])
	f.Token = r.text()
}

func (f *Welcome) write(w *frameWriter) { w.int64(f.Now); w.bool(f.Admitted) }
func (f *Welcome) read(r *frameReader)  { f.Now = r.int64(); f.Admitted = r.bool() }

func (f *Register) write(w *frameWriter) {
	w.bad = w.bad || len(f.Drops) > MaxDropsPerPart || f.Part >= f.Parts
	w.uint8(f.Part)
	w.uint8(f.Parts)
	w.uint8(uint8(len(f.Drops)))
	for i := range f.Drops {
		w.bytes(f.Drops[i][:])
	}
}

func (f *Register) read(r *frameReader) {
	f.Part, f.Parts = r.uint8(), r.uint8()
	n := int(r.uint8())
	if n > MaxDropsPerPart || f.Part >= f.Parts {
		r.bad = true
		return
	}
	f.Drops = make([]DropID, n)
	for i := range f.Drops {
		r.fill(f.Drops[i][:])
	}
}

func (f *Send) write(w *frameWriter) { w.text(f.To); w.envelope(f.Envelope) }
func (f *Send) read(r *frameReader)  { f.To = r.text(); f.Envelope = r.envelope() }

func (f *Undeliverable) write(w *frameWriter) { w.text(f.To) }
func (f *Undeliverable) read(r *frameReader)  { f.To = r.text() }

func (f *Deliver) write(w *frameWriter) { w.envelope(f.Envelope) }
func (f *Deliver) read(r *frameReader)  { f.Envelope = r.envelope() }

func (f *Credential) write(w *frameWriter) {
	w.text(f.Username)
	w.text(f.Password)
	address := f.Turn.Addr().Unmap().WithZone("")
	w.bool(address.Is6())
	w.bytes(address.AsSlice())
	w.uint16(f.Turn.Port())
	w.int64(f.Expires)
	w.bad = w.bad || !address.IsValid()
}

func (f *Credential) read(r *frameReader) {
	f.Username, f.Password = r.text(), r.text()
	size := 4
	if r.bool() {
		size = 16
	}
	address, _ := netip.AddrFromSlice(r.take(size))
	r.bad = r.bad || address.Is4In6() // written as IPv4
	f.Turn = netip.AddrPortFrom(address, r.uint16())
	f.Expires = r.int64()
}

func (f *Box) write(w *frameWriter) { w.uint32(f.Number); w.int64(f.Expires) }
func (f *Box) read(r *frameReader)  { f.Number = r.uint32(); f.Expires = r.int64() }

func (f *BoxSend) write(w *frameWriter) { w.text(f.To); w.envelope(f.Envelope) }
func (f *BoxSend) read(r *frameReader)  { f.To = r.text(); f.Envelope = r.envelope() }

func (f *Refused) write(w *frameWriter) { w.uint8(uint8(f.Reason)) }
func (f *Refused) read(r *frameReader)  { f.Reason = Reason(r.uint8()) }

func (*Registered) write(*frameWriter)        {}
func (*Registered) read(*frameReader)         {}
func (*Taken) write(*frameWriter)             {}
func (*Taken) read(*frameReader)              {}
func (*CredentialRequest) write(*frameWriter) {}
func (*CredentialRequest) read(*frameReader)  {}
func (*BoxRequest) write(*frameWriter)        {}
func (*BoxRequest) read(*frameReader)         {}

// frameWriter lays fields out one after the other; bad is sticky.
type frameWriter struct {
	b   []byte
	bad bool
}

func (w *frameWriter) bytes(p []byte)  { w.b = append(w.b, p...) }
func (w *frameWriter) uint8(v uint8)   { w.b = append(w.b, v) }
func (w *frameWriter) uint16(v uint16) { w.b = binary.BigEndian.AppendUint16(w.b, v) }
func (w *frameWriter) uint32(v uint32) { w.b = binary.BigEndian.AppendUint32(w.b, v) }
func (w *frameWriter) int64(v int64)   { w.b = binary.BigEndian.AppendUint64(w.b, uint64(v)) }

func (w *frameWriter) bool(v bool) {
	if v {
		w.uint8(1)
		return
	}
	w.uint8(0)
}

func (w *frameWriter) text(s string) {
	if len(s) > MaxText {
		w.bad = true
		return
	}
	w.uint16(uint16(len(s)))
	w.b = append(w.b, s...)
}

func (w *frameWriter) envelope(e *Envelope) {
	if e == nil {
		w.bad = true
		return
	}
	w.b = e.append(w.b)
}

// frameReader takes fields off the front of b; bad is sticky and what is read
// after it is zero.
type frameReader struct {
	b   []byte
	bad bool
}

func (r *frameReader) take(n int) []byte {
	if r.bad || len(r.b) < n {
		r.bad = true
		return make([]byte, n)
	}
	p := r.b[:n]
	r.b = r.b[n:]
	return p
}

func (r *frameReader) fill(p []byte)  { copy(p, r.take(len(p))) }
func (r *frameReader) uint8() uint8   { return r.take(1)[0] }
func (r *frameReader) uint16() uint16 { return binary.BigEndian.Uint16(r.take(2)) }
func (r *frameReader) uint32() uint32 { return binary.BigEndian.Uint32(r.take(4)) }
func (r *frameReader) int64() int64   { return int64(binary.BigEndian.Uint64(r.take(8))) }

func (r *frameReader) bool() bool {
	v := r.uint8()
	r.bad = r.bad || v > 1
	return v == 1
}

func (r *frameReader) text() string {
	n := int(r.uint16())
	if n > MaxText {
		r.bad = true
		return ""
	}
	return string(r.take(n))
}

func (r *frameReader) envelope() *Envelope {
	e, err := ParseEnvelope(r.take(EnvelopeSize))
	if err != nil {
		r.bad = true
	}
	return e
}
