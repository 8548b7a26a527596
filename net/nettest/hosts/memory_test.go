//go:build linux

package hosts

import (
	"net/netip"
	"os"
	"runtime"
	"testing"
)

func TestAddressesAreFoundInMemory(t *testing.T) {
	number := byte(os.Getpid()) // made at run time, so that it is in no constant
	there := netip.AddrFrom4([4]byte{10, 211, number, 7})
	kept := [](*netip.Addr){new(netip.Addr)}
	*kept[0] = there
	found, err := Holds(os.Getpid(), there)
	if err != nil {
		t.Skipf("NOT TESTED: that an address in memory is found (%v)", err)
	}
	runtime.KeepAlive(kept)
	if len(found) == 0 {
		t.Error("an address in memory was not found")
	}
}
