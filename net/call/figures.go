package call

import (
	"context"
	"slices"
	"time"
)

// infoLocked is the call as it stands, with the figures and the proof read from
// the live connection. The caller holds engine.mu.
func (c *call) infoLocked() Info {
	info := c.info
	info.Warnings = slices.Clone(c.info.Warnings)
	info.Texts = append([]Text(nil), c.info.Texts...)
	info.TalkingMuted = false
	if c.session != nil {
		sound := c.session.Stats()
		info.Stats.Loss, info.Stats.Missing = sound.Loss, sound.Missing
		info.Stats.RecoveredRatio, info.Stats.Copies, info.Stats.FrameMilliseconds = sound.RecoveredRatio, sound.Copies, sound.FrameMilliseconds
		info.Stats.JitterMilliseconds = sound.JitterMilliseconds
		info.Stats.PlayoutMilliseconds = sound.PlayoutMilliseconds
		info.Stats.ConcealedRatio = sound.ConcealedRatio
		info.TalkingMuted = sound.TalkingMuted
		info.Stats.LevelIn, info.Stats.LevelOut = sound.LevelIn, sound.LevelOut
	}
	if c.peer != nil {
		connection := c.peer.Snapshot()
		info.Stats.RTTMilliseconds = float64(connection.RTT) / float64(time.Millisecond)
		proof := &info.Proof
		proof.Route, proof.PairTypes, proof.Transport = connection.Route, connection.PairTypes, connection.Transport
		if connection.Seen.IsValid() && connection.Route == "direct" {
			proof.DirectAddress, proof.PeerSees = connection.Seen.String(), connection.Seen.String()
		}
		if connection.LocalRelayed.IsValid() {
			proof.RelayLocal, proof.PeerSees = connection.LocalRelayed.String(), connection.LocalRelayed.String()
		}
		if connection.RemoteRelayed.IsValid() {
			proof.RelayRemote = connection.RemoteRelayed.String()
		}
		if c.station != nil {
			proof.RelayLocalHost = c.station.account.Relay.HostPort()
			proof.Proxy = c.station.account.Proxy
			proof.RelayHere = c.station.account.Relay.IsLoopback()
		}
		proof.RelayRemoteHost = c.remoteCard.Relay.HostPort()
		proof.SameRelay = c.station != nil && c.remoteCard.Relay == c.station.account.Relay
		proof.Cipher = connection.SRTPProfile
		proof.Refused = c.refused + connection.Refused
		proof.PostQuantum = c.media != nil && c.media.keys.Load() != nil
		proof.Encrypted = connection.SRTPProfile != "" && c.media != nil && c.media.openedFrames.Load() > 0
		proof.Verified = info.Peer.Verified
	}
	info.Quality = judge(info)
	return info
}

// judge puts the figures into a word and its reason.
func judge(info Info) Quality {
	if info.Phase != Connected {
		return Quality{}
	}
	s := info.Stats
	switch {
	case !info.Reconnecting.IsZero():
		return Quality{"poor", "nothing comes through; a new way is being sought"}
	case s.Missing > 0.05:
		return Quality{"poor", "the network loses much of the sound"}
	case s.RTTMilliseconds > 600:
		return Quality{"poor", "the way there and back is very long"}
	case s.Missing > 0.01:
		return Quality{"fair", "the network loses some of the sound"}
	case s.JitterMilliseconds > 60:
		return Quality{"fair", "sound arrives unevenly"}
	case s.RTTMilliseconds > 300:
		return Quality{"fair", "the way there and back is long"}
	}
	return Quality{Word: "good"}
}

func (c *call) tellStats() {
	c.engine.mu.Lock()
	defer c.engine.mu.Unlock()
	c.engine.publish(Event{Kind: EventStats, Call: c.copyLocked()})
}

func (c *call) tellHeard(after time.Duration) {
	c.engine.mu.Lock()
	defer c.engine.mu.Unlock()
	c.engine.publish(Event{Kind: EventAudio, Call: c.copyLocked(), AnswerToAudio: after})
}

func (c *call) setPeerHeld(held bool) {
	c.engine.mu.Lock()
	defer c.engine.mu.Unlock()
	c.info.PeerHeld = held
	c.applyMuteLocked()
	c.engine.publish(Event{Kind: EventChanged, Call: c.copyLocked()})
}

func (c *call) setStation(s *station) {
	c.engine.mu.Lock()
	defer c.engine.mu.Unlock()
	c.station = s
}

// setKnock notes what glare is judged by, unless the call has given way already:
// before our own knock is made, theirs always wins.
func (c *call) setKnock(ephemeral [32]byte) error {
	c.engine.mu.Lock()
	defer c.engine.mu.Unlock()
	c.ephemeral = ephemeral
	return context.Cause(c.dialling)
}

// keepWay is past the point where a crossing knock could win: an answer is here.
func (c *call) keepWay() {
	c.engine.mu.Lock()
	defer c.engine.mu.Unlock()
	c.giveWay = nil
}
