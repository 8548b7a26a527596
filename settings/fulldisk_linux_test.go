package settings

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// runOnFullDisk is the child's half: a file system of 64 KiB that fills up. It
// gives the exit status: 0 when all is as it should be, 2 when it may not mount.
func runOnFullDisk(dir string) int {
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
		fmt.Println(err)
		return 2
	}
	if err := fillDisk(dir); err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

func fillDisk(dir string) error {
	path := filepath.Join(dir, "settings.toml")
	if err := Set(path, "name", "Alice"); err != nil {
		return err
	}
	before, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	knocks, err := OpenKnocks(filepath.Join(dir, "knocks"), now)
	if err != nil {
		return err
	}
	filler, err := os.Create(filepath.Join(dir, "filler"))
	if err != nil {
		return err
	}
	for err == nil {
		_, err = filler.Write(make([]byte, 512))
	}
	want := "the disk is full: " + path + " is as it was. free some space and try again"
	if err := Set(path, "name", "Bob"); !errors.Is(err, syscall.ENOSPC) || err.Error() != want {
		return fmt.Errorf("set on a full disk: %v", err)
	}
	if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
		return fmt.Errorf("the old file is not intact: %v", err)
	}
	if remains, _ := filepath.Glob(filepath.Join(dir, ".*.tmp")); len(remains) > 0 {
		return fmt.Errorf("left behind: %v", remains)
	}
	if already, err := knocks.Seen([16]byte{1}, now); already || !errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("knock on a full disk: %v, %v", already, err)
	}
	if already, err := knocks.Seen([16]byte{1}, now); !already || err != nil {
		return fmt.Errorf("a knock is forgotten while the disk is full: %v, %v", already, err)
	}
	if err := errors.Join(filler.Close(), os.Remove(filler.Name())); err != nil {
		return err
	}
	if _, err := knocks.Seen([16]byte{2}, now); err != nil {
		return fmt.Errorf("knock after space was freed: %w", err)
	}
	again, err := OpenKnocks(knocks.path, now)
	if err != nil || len(again.seen) != 2 {
		return fmt.Errorf("%d of 2 knocks are on the disk: %v", len(again.seen), err)
	}
	return errors.Join(Set(path, "name", "Bob"), knocks.Close())
}

func TestFullDisk(t *testing.T) {
	command, lines, _ := start(t, "fulldisk", t.TempDir(), &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	})
	var said []string
	for lines.Scan() {
		said = append(said, lines.Text())
	}
	err := command.Wait()
	switch {
	case command.ProcessState.ExitCode() == 2:
		t.Skip("may not mount here:", said)
	case err != nil:
		t.Error(err, strings.Join(said, "\n"))
	}
}
