// Package hosts is a small internet of network namespaces for tests, in which the real
// program runs and every packet is captured:
//
//	alice ──┐          ┌── relay-a
//	        ├─ router ─┤
//	bob ────┘          └── relay-b
//
// The router forwards between all of them, in IPv4 and IPv6: people could reach each other
// directly, and a test proves that they could before it shows that they do not. lab.go makes
// the namespaces, process.go runs programs in them, capture.go writes what crosses each link
// to a pcapng file, trace.go reads it back, rules.go says which packets are strays, memory.go
// looks for an address in everything a running process holds.
//
// Namespaces need Linux and its network administration right; New skips the test, and says
// what went untested, where they are not to be had.
package hosts
