package settings

import (
	"errors"

	"golang.org/x/sys/windows"
)

// syncDir does nothing: Windows has no such call, and NTFS journals the rename.
func syncDir(string) error { return nil }

func diskFull(err error) bool {
	return errors.Is(err, windows.ERROR_DISK_FULL) || errors.Is(err, windows.ERROR_HANDLE_DISK_FULL)
}
