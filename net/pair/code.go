package pair

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tyler-smith/go-bip39/wordlists"
	"golang.org/x/crypto/argon2"

	"sotto/net/identity"
)

const (
	labelWords = "sotto/pair/words/1\x00"

	// The cost of one guess: 64 MiB, and about a second of one processor.
	stretchPasses = 6
	stretchKiB    = 64 << 10

	daySeconds = 86_400
)

// ErrBadCode is in every error of ParseCode.
var ErrBadCode = errors.New("this is not a code: it is a number and four words, behind the name of a relay if the other person has another one")

func badCode(hint string) error { return fmt.Errorf("%w; %s", ErrBadCode, hint) }

// Code is what one person tells the other.
type Code struct {
	Relay  identity.Address // of the inviter, never with a pin; zero: the reader's own
	Number uint32
	Words  [4]string
}

// newCode takes words at random, 44 bits.
func newCode(relay identity.Address, number uint32) Code {
	code := Code{Relay: identity.Address{Host: relay.Host, Port: relay.Port}, Number: number}
	var random [2 * len(code.Words)]byte
	rand.Read(random[:]) // never fails
	for i := range code.Words {
		code.Words[i] = wordlists.English[binary.BigEndian.Uint16(random[2*i:])&0x7ff]
	}
	return code
}

// String is the whole code, as ParseCode reads it anywhere.
func (c Code) String() string {
	if c.Relay.Host == "" {
		return c.Short()
	}
	return c.Relay.String() + " " + c.Short()
}

// Short is the code for people on the same relay: number and words.
func (c Code) Short() string {
	return strconv.FormatUint(uint64(c.Number), 10) + " " + strings.Join(c.Words[:], " ")
}

// ParseCode reads a code as people write it: in any case, with spaces, line breaks
// or commas between its parts.
func ParseCode(text string) (Code, error) {
	parts := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return r == ',' || r == ' ' || r == '\t' || r == '\n' || r == '\r'
	})
	var code Code
	if len(parts) == len(code.Words)+2 {
		relay, err := identity.ParseAddress(withoutPin(parts[0]))
		if err != nil {
			return Code{}, badCode(fmt.Sprintf("%q is no relay's name", parts[0]))
		}
		code.Relay, parts = relay, parts[1:]
	}
	if len(parts) != len(code.Words)+1 {
		return Code{}, badCode("copy or say all of it again")
	}
	number, err := strconv.ParseUint(parts[0], 10, 32)
	if err != nil || number == 0 || parts[0][0] == '0' {
		return Code{}, badCode(fmt.Sprintf("%q should be the number", parts[0]))
	}
	code.Number = uint32(number)
	for i, word := range parts[1:] {
		if _, known := slices.BinarySearch(wordlists.English, word); !known {
			return Code{}, badCode(fmt.Sprintf("%q is none of the words that codes are made of%s", word, likely(word)))
		}
		code.Words[i] = word
	}
	return code, nil
}

// withoutPin lets a whole relay address stand where its name is asked for: no pin
// is needed, and none is part of what the words are stretched with.
func withoutPin(address string) string {
	name, _, _ := strings.Cut(address, "#")
	return name
}

// likely offers the words that begin like one that is not on the list.
func likely(word string) string {
	for length := min(len(word), 4); length >= 2; length-- {
		if near := Complete(word[:length]); len(near) > 0 {
			return ", such as " + strings.Join(near[:min(len(near), 4)], ", ")
		}
	}
	return ""
}

// Words is the list that codes are made of, in alphabetical order: the 2048 English
// words of BIP 39, of which no two share their first four letters.
func Words() []string { return slices.Clone(wordlists.English) }

// Complete gives the words that begin with prefix, in alphabetical order.
func Complete(prefix string) []string {
	prefix = strings.ToLower(prefix)
	first, _ := slices.BinarySearch(wordlists.English, prefix)
	last := first
	for last < len(wordlists.English) && strings.HasPrefix(wordlists.English[last], prefix) {
		last++
	}
	return slices.Clone(wordlists.English[first:last])
}

func dayOf(at time.Time) uint32 { return uint32(max(at.Unix(), 0) / daySeconds) }

// stretch turns the words of a code for the relay at host (host:port) into the
// pre-shared key of one day. It takes about a second and 64 MiB.
func stretch(code Code, host string, day uint32) [32]byte {
	words := []byte(strings.Join(code.Words[:], " "))
	return [32]byte(argon2.IDKey(words, saltOf(code.Number, host, day), stretchPasses, stretchKiB, 1, 32))
}

func saltOf(number uint32, host string, day uint32) []byte {
	salt := append([]byte(labelWords), host...)
	salt = binary.BigEndian.AppendUint32(append(salt, 0), number)
	return binary.BigEndian.AppendUint32(salt, day)
}
