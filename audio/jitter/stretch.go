package jitter

import "math"

const (
	minLag         = sampleRate / 400 // 2.5 ms
	maxLag         = sampleRate / 1000 * 15
	coarse         = 4    // the search runs on every fourth sample first
	urgentLikeness = 0.6  // asked for less: 60 ms and more to make up for
	quiet          = 1e-5 // mean square (-50 dBFS) below which any cut goes unheard
)

// stretcher makes sound shorter or longer without changing its pitch: it finds how
// far the sound is most like itself (its pitch period, when it has one) and takes
// one such stretch out, or plays it twice, with a cross-fade over the joint:
// synchronised overlap-add (Roucos and Wilgus 1985).
type stretcher struct {
	decimated [3 * frameSamples / coarse]float32
	joint     [3 * frameSamples]float32
}

// shorten takes at most most samples out of the beginning of sound and returns how
// many; they are gone from the end of the slice. likeness is the correlation asked for.
func (s *stretcher) shorten(sound []float32, most int, likeness float64) int {
	lag, overlap := s.find(sound, most, likeness)
	if lag == 0 {
		return 0
	}
	for i := range overlap {
		fade := float32(i) / float32(overlap)
		sound[i] += (sound[i+lag] - sound[i]) * fade
	}
	copy(sound[overlap:], sound[overlap+lag:])
	return lag
}

// lengthen puts at most most samples into the n that sound begins with, which needs
// room for maxLag more, and returns how many.
func (s *stretcher) lengthen(sound []float32, n, most int, likeness float64) int {
	if n+maxLag > len(sound) {
		return 0
	}
	lag, overlap := s.find(sound[:n], most, likeness)
	if lag == 0 {
		return 0
	}
	for i := range overlap {
		fade := float32(i) / float32(overlap)
		s.joint[i] = sound[i+lag] + (sound[i]-sound[i+lag])*fade
	}
	copy(sound[lag+overlap:n+lag], sound[overlap:n])
	copy(sound[lag:], s.joint[:overlap])
	return lag
}

// find returns the distance from minLag to most at which sound is most like itself
// and the number of samples that were compared; 0 if nowhere enough. Of two or more
// pitch periods it takes the longer way when there is much to make up for, which is
// when less likeness is asked for.
func (s *stretcher) find(sound []float32, most int, likeness float64) (lag, overlap int) {
	n := min(len(sound), len(s.joint))
	most = min(most, maxLag, n/2)
	overlap = min(n-most, maxLag)
	if most < minLag {
		return 0, 0
	}
	if meanSquare(sound[:overlap+most]) < quiet {
		return most, overlap
	}
	small := s.decimated[:(overlap+most)/coarse]
	for i := range small {
		small[i] = (sound[coarse*i] + sound[coarse*i+1] + sound[coarse*i+2] + sound[coarse*i+3]) / coarse
	}
	least := minLag
	if likeness < urgentLikeness {
		least = max(minLag, most/2)
	}
	for {
		rough, _ := best(small, least/coarse, most/coarse, overlap/coarse)
		lag, alike := best(sound, max(least, rough*coarse-coarse), min(most, rough*coarse+coarse), overlap)
		if alike >= likeness {
			return lag, overlap
		}
		if least == minLag {
			return 0, 0
		}
		least = minLag
	}
}

// best is the lag from low to high at which the overlap first samples of sound
// correlate best with those lag later, and that correlation.
func best(sound []float32, low, high, overlap int) (lag int, correlation float64) {
	correlation = -1
	var energy float64
	for _, x := range sound[:overlap] {
		energy += float64(x) * float64(x)
	}
	for candidate := low; candidate <= high && candidate+overlap <= len(sound); candidate++ {
		var cross, other float64
		shifted := sound[candidate : candidate+overlap]
		for i, x := range sound[:overlap] {
			y := shifted[i]
			cross += float64(x * y)
			other += float64(y * y)
		}
		if c := cross / math.Sqrt(energy*other+1e-9); c > correlation {
			lag, correlation = candidate, c
		}
	}
	return lag, correlation
}

func meanSquare(sound []float32) float64 {
	var sum float64
	for _, x := range sound {
		sum += float64(x) * float64(x)
	}
	return sum / float64(len(sound))
}
