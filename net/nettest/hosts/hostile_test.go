//go:build linux

package hosts_test

const hostileRole = "SOTTO_PRIVACY_ROLE"

func playHostile(string) int { return 1 }
