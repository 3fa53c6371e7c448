package control

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"plasm/lib/custody"
	"plasm/lib/job"
)

// Folders are the two folders of a running node, locked.
type Folders struct {
	Data    string
	Runtime string
	locks   []*os.File
}

// OpenFolders makes the folders of a node where they are not there, and locks
// them; both paths are absolute. Addresses that a killed node left are removed.
// Close gives the folders back. An error is a *job.Error; so is that another node
// runs in one of them.
func OpenFolders(data, runtime string) (*Folders, error) {
	f := &Folders{Data: data, Runtime: runtime}
	for _, dir := range []struct {
		path, flag string
		mode       fs.FileMode
	}{{data, "--data-dir", dataMode}, {runtime, "--runtime-dir", runtimeMode}} {
		lock, err := openFolder(dir.path, dir.flag, dir.mode)
		if err != nil {
			f.Close()
			return nil, err
		}
		f.locks = append(f.locks, lock)
		if data == runtime {
			break
		}
	}
	if err := f.RemoveAddrs(); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// Close lets the next node have the folders.
func (f *Folders) Close() {
	for _, lock := range f.locks {
		_ = lock.Truncate(0) // the number is for people, and only while the lock is held
		_ = lock.Close()
	}
	f.locks = nil
}

// openFolder makes one folder, with the mode that is wanted, and returns its lock.
func openFolder(dir, flag string, wanted fs.FileMode) (*os.File, error) {
	hint := "name a folder that can be written with " + flag + " DIR"
	if err := CheckHands("folder", dir, hint); err != nil {
		return nil, err
	}
	shared, mode, err := custody.Shared(dir)
	switch {
	case err == nil && shared:
		return nil, &job.Error{
			Code:    job.CodeIO,
			Message: fmt.Sprintf("others than its owner may write to this folder: %s (mode %04o)", dir, mode),
			Hint:    "name another with " + flag + " DIR; one that is not there is made",
		}
	case errors.Is(err, fs.ErrNotExist):
		if err = os.MkdirAll(filepath.Dir(dir), runtimeMode); err == nil {
			err = makeFolder(dir, wanted)
		}
	}
	if err != nil {
		return nil, fileError("folder cannot be used", dir, err, hint)
	}
	path := filepath.Join(dir, lockName)
	lock, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fileError("folder cannot be written", dir, err, hint)
	}
	if err := takeLock(lock, dir, flag); err != nil {
		_ = lock.Close()
		return nil, err
	}
	return lock, nil
}

// CheckHands has root run no node on what another user can change: it would do, with
// root's rights, what that user says. what is what messages call the file or folder
// path, which need not be there. Other users than root may do as they like. An error
// is a *job.Error.
func CheckHands(what, path, hint string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	other, err := custody.Of(0, path)
	if err != nil {
		return fileError(what+" cannot be used", path, err, hint)
	}
	if other == custody.Nobody {
		return nil
	}
	return &job.Error{
		Code:    job.CodeIO,
		Message: fmt.Sprintf("%s cannot be used by root: %s: it is in the hands of %s, who could change it", what, path, custody.Name(other)),
		Hint:    "run plasmd as that user, or " + hint,
	}
}

// makeFolder makes a folder with exactly this mode, whatever the umask. That it is
// there meanwhile is no error.
func makeFolder(dir string, mode fs.FileMode) error {
	err := os.Mkdir(dir, mode)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return os.Chmod(dir, mode)
}

// takeLock locks an open lock file and writes this process into it.
func takeLock(lock *os.File, dir, flag string) error {
	var err error
	for {
		if err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return &job.Error{
			Code:    job.CodeIO,
			Message: fmt.Sprintf("another plasmd runs in this folder: %s%s", dir, holder(lock)),
			Hint:    "stop it, or name another folder with " + flag + " DIR",
			Err:     err,
		}
	}
	if err != nil {
		return fileError("folder cannot be locked", dir, err, "")
	}
	if err = lock.Truncate(0); err == nil {
		_, err = lock.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
	if err != nil {
		return fileError("folder cannot be written", dir, err, "name a folder that can be written with "+flag+" DIR")
	}
	return nil
}

// holder says which process holds a lock, as far as the lock file knows.
func holder(lock *os.File) string {
	text, err := io.ReadAll(io.NewSectionReader(lock, 0, 16))
	if err != nil {
		return ""
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || pid <= 0 {
		return ""
	}
	return fmt.Sprintf(" (process %d)", pid)
}
