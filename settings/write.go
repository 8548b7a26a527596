package settings

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

const (
	fileMode = 0o600
	dirMode  = 0o700

	// staleAfter is the age at which a temporary file can only be the remains of a
	// process that was killed while writing.
	staleAfter = time.Hour
)

// sentenceError is a finished sentence for the person; errors.Is finds its cause.
type sentenceError struct {
	sentence string
	cause    error
}

func (e *sentenceError) Error() string { return e.sentence }
func (e *sentenceError) Unwrap() error { return e.cause }

// WriteFile replaces a file as one step: whatever happens, also a kill or a power
// cut, the path holds either the old content or the new. The file is readable by
// its owner only; missing folders are made. A path that is a symbolic link stays
// one, its target is replaced. Errors are finished sentences.
func WriteFile(path string, data []byte) error {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	if err := replace(path, data); err != nil {
		return explainWrite(path, err)
	}
	return nil
}

func replace(path string, data []byte) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, dirMode); err != nil {
		return err
	}
	removeStale(path)
	file, err := os.CreateTemp(dir, temporaryPattern(path)) // mode 0600
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	if err == nil {
		err = file.Sync()
	}
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return syncDir(dir)
}

func temporaryPattern(path string) string { return "." + filepath.Base(path) + ".*.tmp" }

// removeStale clears what killed writers left behind. Failing to is no harm.
func removeStale(path string) {
	remains, _ := filepath.Glob(filepath.Join(filepath.Dir(path), temporaryPattern(path)))
	for _, remain := range remains {
		if info, err := os.Lstat(remain); err == nil && time.Since(info.ModTime()) > staleAfter {
			_ = os.Remove(remain)
		}
	}
}

func explainWrite(path string, err error) error {
	sentence := fmt.Sprintf("%s could not be written and is as it was: %v", path, err)
	switch {
	case diskFull(err):
		sentence = fmt.Sprintf("the disk is full: %s is as it was. free some space and try again", path)
	case errors.Is(err, syscall.EROFS):
		sentence = fmt.Sprintf("%s is on a read-only disk and is as it was. choose another place with --home DIR", path)
	case errors.Is(err, fs.ErrPermission):
		sentence = fmt.Sprintf("this account may not write %s, which is as it was. give it the right to, or choose another place with --home DIR", path)
	}
	return &sentenceError{sentence: sentence, cause: err}
}

// readOwn reads a file that only its owner should be able to read, and takes
// the right from everybody else if somebody gave it.
func readOwn(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, explainRead(path, err)
	}
	if info, err := os.Stat(path); err == nil && info.Mode().Perm()&0o077 != 0 {
		_ = os.Chmod(path, fileMode) // reading went well; a foreign owner's file stays as it is
	}
	return data, nil
}

func explainRead(path string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return &sentenceError{sentence: fmt.Sprintf("%s cannot be read: %v. check its owner and rights", path, err), cause: err}
}
