package tui

import (
	"fmt"
	"net"
	"net/netip"
	"strings"

	"sotto/net/call"
)

// claim is one line of what the live connection shows.
type claim struct {
	label, text string
	sure        bool // false: there is something to do, or nothing to rely on
}

// claims says who can hear and who sees which address. Every sentence is
// computed from the proof of the connection as it is at this moment; what the
// proof does not show is not said.
func claims(info *call.Info, name string, here bool) []claim {
	proof := &info.Proof
	all := []claim{hearing(info, name)}
	if words := proof.Words; len(words) > 0 {
		text := strings.Join(words, " ")
		if !proof.Verified && !info.Peer.Echo {
			text += ". Read them to each other: if they are the same on both sides, nobody is in between."
		}
		all = append(all, claim{"Safety words", text, true})
	}
	all = append(all, ownAddress(info, name, here))
	if text := theirSide(info, name); text != "" {
		all = append(all, claim{"On the way", text, true})
	}
	if proof.Refused > 0 {
		all = append(all, claim{"Stopped", count(int(proof.Refused), "packet") + " not meant for your relay did not leave this machine.", true})
	}
	return all
}

// summary is claims in a few words, for a window in which the sentences need
// scrolling. It is computed from the same proof, and is empty until sound flows.
func summary(info *call.Info, name string, here bool) []claim {
	proof := &info.Proof
	if !proof.Encrypted || info.Peer.Echo {
		return nil
	}
	heard := claim{"Heard by", "you and the other end only", false}
	if proof.Verified {
		heard = claim{"Heard by", "you and " + name + " only", true}
	}
	all := []claim{heard, {"Words", strings.Join(proof.Words, " "), true}}
	switch {
	case proof.Route == "direct":
		all = append(all, claim{"Address", name + " sees yours", false})
	case proof.Route == "relay" && proof.Proxy != "":
		all = append(all, claim{"Address", "your relay sees a proxy's", true})
	case proof.Route == "relay" && (here || loopback(hostOf(proof.RelayLocal))):
		all = append(all, claim{"Address", "your relay is this machine", false})
	case proof.Route == "relay" && proof.SameRelay:
		all = append(all, claim{"Address", "one relay sees both of you", false})
	case proof.Route == "relay":
		all = append(all, claim{"Address", name + " sees your relay's", true})
	}
	return all
}

func hearing(info *call.Info, name string) claim {
	const label = "Who can hear"
	proof := &info.Proof
	if !proof.Encrypted {
		if info.Phase == call.Connected {
			return claim{label, "Not shown: the connection cannot prove right now that it is encrypted.", false}
		}
		return claim{label, "Nobody yet: no sound is sent before the encryption stands.", true}
	}
	how := "encrypted end to end"
	if proof.Cipher != "" {
		how += " with " + proof.Cipher
	}
	if proof.PostQuantum {
		how += ", also against a future quantum computer"
	}
	if proof.Verified || info.Peer.Echo {
		return claim{label, fmt.Sprintf("You and %s, nobody else: %s.", name, how), true}
	}
	return claim{label, fmt.Sprintf("You and the other end, nobody else: %s. Whether that is %s, the safety words show.", how, name), false}
}

func ownAddress(info *call.Info, name string, here bool) claim {
	const label = "Your address"
	proof := &info.Proof
	switch {
	case proof.Route == "relay" && info.Peer.Echo:
		return claim{label, "Nobody sees it: echo and both relays of this call are inside this program.", true}
	case proof.Route == "relay" && proof.Proxy != "":
		text := fmt.Sprintf("Your relay, at %s, sees that of the proxy %s or of what lies behind it, not yours.", hostOf(proof.RelayLocal), strings.TrimPrefix(proof.Proxy, "socks5://"))
		if proof.PeerSees != "" {
			text += fmt.Sprintf(" %s sees %s, an address of that relay.", name, proof.PeerSees)
		}
		return claim{label, text, true}
	case proof.Route == "relay":
		relay := hostOf(proof.RelayLocal)
		here = here || loopback(relay)
		text := fmt.Sprintf("Your relay, at %s, sees it.", relay)
		if here {
			text = fmt.Sprintf("Your relay, at %s, is this machine.", relay)
		}
		if proof.PeerSees != "" {
			text += fmt.Sprintf(" %s sees %s, an address of that relay.", name, proof.PeerSees)
		}
		return claim{label, text, !here}
	case proof.Route == "direct" && proof.PeerSees != "":
		return claim{label, fmt.Sprintf("%s sees %s, your own address: the call goes directly.", name, proof.PeerSees), false}
	case proof.Route == "direct":
		return claim{label, fmt.Sprintf("%s sees your own address: the call goes directly.", name), false}
	}
	return claim{label, "Not shown yet: there is no connection.", true}
}

// theirSide is what the other relay sees, or that there is no other.
func theirSide(info *call.Info, name string) string {
	proof := &info.Proof
	switch {
	case proof.Route != "relay" || info.Peer.Echo:
		return ""
	case proof.SameRelay && proof.Proxy != "":
		return fmt.Sprintf("One relay, at %s, carries both ends, but sees your proxy in your place, and hears neither of you.", hostOf(proof.RelayLocal))
	case proof.SameRelay:
		return fmt.Sprintf("One relay, at %s, carries both ends: it sees your address and that of %s, but hears neither of you.", hostOf(proof.RelayLocal), name)
	case proof.RelayRemote == "":
		return ""
	}
	return fmt.Sprintf("%s's relay, at %s, sees your relay, not you.", name, hostOf(proof.RelayRemote))
}

// hostOf leaves the port out: a relay is known by its host, and the port of a
// relayed address changes with every call.
func hostOf(address string) string {
	if host, _, err := net.SplitHostPort(address); err == nil {
		return host
	}
	return address
}

// loopback reports whether a host is this machine and can be no other.
func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// count is a number with its noun.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
