package identity

import (
	"errors"
	"strings"
	"testing"
)

const testPin = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"

func TestAddresses(t *testing.T) {
	for _, test := range []struct{ text, hostPort, back string }{
		{"relay.example.org", "relay.example.org:443", ""},
		{"Relay.Example.ORG.:443", "relay.example.org:443", "relay.example.org"},
		{"relay.example.org:8443#" + testPin, "relay.example.org:8443", ""},
		{"localhost:1", "localhost:1", ""},
		{"my_host", "my_host:443", ""},
		{"xn--bcher-kva.example:65535", "xn--bcher-kva.example:65535", ""},
		{"127.0.0.1:5000#" + testPin, "127.0.0.1:5000", ""},
		{"[::1]", "[::1]:443", ""},
		{"[2001:DB8:0::1]:9#" + testPin, "[2001:db8::1]:9", "[2001:db8::1]:9#" + testPin},
		{"[::ffff:192.0.2.1]:9", "192.0.2.1:9", "192.0.2.1:9"},
		{"1.example", "1.example:443", ""},
	} {
		address, err := ParseAddress(test.text)
		if err != nil {
			t.Errorf("%s: %v", test.text, err)
			continue
		}
		back := test.back
		if back == "" {
			back = test.text
		}
		if address.HostPort() != test.hostPort || address.String() != back {
			t.Errorf("%s is %s and %s", test.text, address.HostPort(), address)
		}
		if again, err := ParseAddress(address.String()); err != nil || again != address {
			t.Errorf("%s comes back as %s, %v", address, again, err)
		}
	}
}

func TestAddressesThatAreNone(t *testing.T) {
	for _, text := range []string{
		"", ":443", "#" + testPin, "relay:", "relay:0", "relay:65536", "relay:+1", "relay:01", "relay:4x", "relay:443:443",
		"a b", "a\nb", "a/b", "http://relay", "user@relay", "rel\u00e4y", "-relay", "relay-.x", "a..b", ".", "..", ".a",
		strings.Repeat("a", 64), strings.Repeat("a.", 127) + "aa",
		"::1", "2001:db8::1", "[::1", "[::1]443", "[::1]:", "[relay]", "[127.0.0.1]", "[fe80::1%eth0]", "[::]", "0.0.0.0",
		"[::ffff:0.0.0.0]", "224.0.0.1", "[ff02::1]", "[::ffff:224.0.0.1]",
		"127.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.0.0.1.2", "1.2.3.0x4",
		"relay#", "relay#" + testPin[1:], "relay#" + testPin + "A", "relay#" + testPin[:42] + "9", "relay#" + testPin[:42] + "\n",
		"relay#" + testPin + "\n", "relay#" + testPin + "#", "relay#" + strings.Replace(testPin, "A", "+", 1), testPin + "#relay",
	} {
		if address, err := ParseAddress(text); !errors.Is(err, ErrBadAddress) {
			t.Errorf("%q is %+v, %v", text, address, err)
		}
	}
}

func TestIsLoopback(t *testing.T) {
	for text, want := range map[string]bool{
		"127.0.0.1": true, "127.9.9.9:5": true, "[::1]": true, "localhost": true, "LOCALHOST.": true, "a.localhost": true,
		"[::ffff:127.0.0.1]": true, "192.168.0.1": false, "localhost.example": false, "notlocalhost": false,
	} {
		if got := mustAddress(t, text).IsLoopback(); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}

func FuzzParseAddress(f *testing.F) {
	for _, text := range []string{"relay:1#" + testPin, "[::1]:443", "127.0.0.1", "a.b.c:65535"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		address, err := ParseAddress(text)
		if err != nil {
			if !errors.Is(err, ErrBadAddress) {
				t.Error(err)
			}
			return
		}
		if again, err := ParseAddress(address.String()); err != nil || again != address {
			t.Errorf("%q is %+v, then %+v, %v", text, address, again, err)
		}
	})
}
