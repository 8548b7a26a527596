package wire

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
)

const boxLabel = "sotto box v1"

// BoxKey is the drop key of box number at the relay host (host:port). It is no
// secret: whoever was told the number can put one envelope in.
func BoxKey(host string, number uint32) ed25519.PrivateKey {
	seed := sha256.Sum256(append(binary.BigEndian.AppendUint32([]byte(boxLabel), number), host...))
	return ed25519.NewKeyFromSeed(seed[:])
}
