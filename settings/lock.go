package settings

import (
	"errors"
	"fmt"
	"os"

	"github.com/gofrs/flock"
)

// ErrInUse is returned by Lock while another process has the profile.
var ErrInUse = errors.New("another Sotto already runs for this profile: end it first, or use another profile with --home DIR")

// ProfileLock is the ownership of a profile by this process. It ends with Release
// or with the process, however that ends.
type ProfileLock struct{ file *flock.Flock }

// Lock takes a profile for this process, or returns ErrInUse at once.
func Lock(paths Paths) (*ProfileLock, error) {
	if err := os.MkdirAll(paths.Data, dirMode); err != nil {
		return nil, explainWrite(paths.Data, err)
	}
	file := flock.New(paths.Lock, flock.SetPermissions(fileMode))
	held, err := file.TryLock()
	if err != nil {
		return nil, fmt.Errorf("the profile cannot be locked: %w", explainWrite(paths.Lock, err))
	}
	if !held {
		return nil, ErrInUse
	}
	return &ProfileLock{file: file}, nil
}

// Release gives the profile up. The lock file stays: removing it would let two
// processes lock two different files of one name.
func (l *ProfileLock) Release() error { return l.file.Close() }
