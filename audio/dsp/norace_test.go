//go:build !race

package dsp

const racing = false
