package cli

import "sotto/audio"

const frameAuto = "auto"

// frames are the words of --frame.
var frames = map[string]audio.Frames{frameAuto: audio.AutoFrames, "20": audio.LongFrames, "10": audio.ShortFrames}

func (p *program) checkFrame() error {
	if _, known := frames[p.frame]; !known {
		return usage("--frame is 20, 10 or auto, not %q", p.frame)
	}
	return nil
}
