//go:build race

package dsp

// racing: the race detector makes arithmetic in one goroutine ten times slower and
// has nothing to find in it. make test runs these tests once more without it.
const racing = true
