package relay

import (
	"crypto/x509"
	"fmt"
	"strings"
)

// remark is what whoever runs the relay is to know about its name, in a sentence; ""
// is nothing. A line signs the name that it reached the relay by, so that a relay is
// reached by the name that it knows itself by and by no other.
func remark(config Config, host string, keys *keys) string {
	if keys.pinned {
		if config.Name != "" || config.PublicIP.IsLoopback() {
			return ""
		}
		return "People write this address letter for letter. To be reached by a name instead, start the relay with --name HOST[:PORT]."
	}
	shown, err := keys.certificate(nil)
	if err != nil {
		return ""
	}
	leaf, err := x509.ParseCertificate(shown.Certificate[0])
	if err != nil || leaf.VerifyHostname(host) == nil {
		return ""
	}
	if len(leaf.DNSNames) == 0 {
		return fmt.Sprintf("The certificate does not say %s, so nobody's Sotto will trust it: start the relay with a certificate for that name, or without --cert.", host)
	}
	return fmt.Sprintf("The certificate is for %s and not for %s, so nobody's Sotto will trust it: start the relay with --name %s.",
		strings.Join(leaf.DNSNames, ", "), host, leaf.DNSNames[0])
}
