package turn

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	pion "github.com/pion/turn/v5"
)

// hardMaximum is how long after its expiry a credential may still keep an allocation it made.
// A call that outlasts its credential must not lose its allocation at the next Refresh, but a
// credential is not for ever either.
const hardMaximum = 24 * time.Hour

// maxUsername bounds what is hashed for an unauthenticated sender.
const maxUsername = 128

const methodAllocate = 0x003 // RFC 8656 §18

var errNotIssued = errors.New("this is not a username that a relay issues")

// Issue makes a credential that may allocate until now + ttl, in the format of coturn's
// use-auth-secret (draft-uberti-behave-turn-rest-00): the username is "expiry:random", expiry
// in Unix seconds, and the password base64(HMAC-SHA1(secret, username)). The random part is
// fresh each time, so that two calls of one person do not share a name.
func Issue(secret []byte, ttl time.Duration, now time.Time) (username, password string) {
	var random [15]byte
	rand.Read(random[:]) // never fails (crypto/rand)
	username = fmt.Sprintf("%d:%s", now.Add(ttl).Unix(), base64.RawURLEncoding.EncodeToString(random[:]))
	return username, passwordOf(secret, username)
}

func passwordOf(secret []byte, username string) string {
	mac := hmac.New(sha1.New, secret)
	mac.Write([]byte(username))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func expiryOf(username string) (time.Time, error) {
	digits, random, ok := strings.Cut(username, ":")
	if !ok || random == "" || len(username) > maxUsername {
		return time.Time{}, errNotIssued
	}
	seconds, err := strconv.ParseUint(digits, 10, 40)
	if err != nil {
		return time.Time{}, errNotIssued
	}
	return time.Unix(int64(seconds), 0), nil
}

// authenticate is asked for each request. It answers with the key that the message integrity
// must be made with; pion/turn checks that. Expiry counts for Allocate; Refresh,
// CreatePermission and ChannelBind of an allocation go on until hardMaximum.
func (s *Server) authenticate(request *pion.RequestAttributes) (credential string, key []byte, ok bool) {
	expiry, err := expiryOf(request.Username)
	if err != nil || request.Realm != realm {
		return "", nil, false
	}
	if request.Method != methodAllocate {
		expiry = expiry.Add(hardMaximum)
	}
	if !s.config.Now().Before(expiry) {
		return "", nil, false
	}
	password := passwordOf(s.config.Secret, request.Username)
	return request.Username, pion.GenerateAuthKey(request.Username, realm, password), true
}
