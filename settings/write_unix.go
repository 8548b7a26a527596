//go:build !windows

package settings

import (
	"errors"
	"os"
	"syscall"
)

// syncDir makes a rename in a folder survive a power cut. File systems that
// cannot (EINVAL, ENOTSUP) do it by themselves.
func syncDir(dir string) error {
	folder, err := os.Open(dir)
	if err != nil {
		return nil // a folder that may be written but not listed; the file itself is safe
	}
	defer folder.Close()
	if err := folder.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, syscall.ENOTSUP) {
		return err
	}
	return nil
}

func diskFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}
