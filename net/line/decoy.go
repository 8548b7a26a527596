package line

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"time"

	"sotto/net/wire"
)

const (
	// minRegistered hides whether somebody has no contacts or a few.
	minRegistered = 16

	week       = 7 * 24 * time.Hour
	decoyLabel = "sotto decoy drop v1"
)

// pad adds decoys up to a power of two and sorts, so that neither number nor
// order tells which drops are real. Decoys live as real ones do: each stands for
// an imagined contact's drop of the last, this or the next week, and comes back
// the same on every line of this receive key, else comparing two registrations
// would sort them out.
func pad(drops []wire.DropID, receive ed25519.PrivateKey, now time.Time) []wire.DropID {
	padded := slices.Clone(drops)
	size := minRegistered
	for size < len(padded) {
		size *= 2
	}
	thisWeek := now.Unix() / int64(week/time.Second)
	for i := int64(0); len(padded) < size; i++ {
		contact, drift := i/3, i%3-1
		seed := append([]byte(decoyLabel), receive.Seed()...)
		seed = binary.BigEndian.AppendUint64(seed, uint64(contact))
		seed = binary.BigEndian.AppendUint64(seed, uint64(thisWeek+drift))
		padded = append(padded, sha256.Sum256(seed))
	}
	slices.SortFunc(padded, func(a, b wire.DropID) int { return bytes.Compare(a[:], b[:]) })
	return padded
}
