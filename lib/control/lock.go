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
		path, role string
		mode       fs.FileMode
	}{{data, roleData, dataMode}, {runtime, roleRuntime, runtimeMode}} {
		lock, err := openFolder(dir.path, dir.role, dir.mode, runtime)
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

// The folders of a node.
const roleData, roleRuntime = "data", "runtime"

// flagOf is where a node has a folder from, as messages about it begin.
func flagOf(role string) string { return "--" + role + "-dir" }

// openFolder makes one folder, with the mode that is wanted, and returns its lock, which
// names the runtime folder.
func openFolder(dir, role string, wanted fs.FileMode, runtime string) (*os.File, error) {
	if err := CheckHands(flagOf(role)+": folder", dir, role); err != nil {
		return nil, err
	}
	shared, mode, err := custody.Shared(dir)
	switch {
	case err == nil && shared:
		return nil, &job.Error{
			Code:    job.CodeIO,
			Message: fmt.Sprintf("others than its owner may write to this folder: %s (mode %04o)", dir, mode),
			Fact:    job.FactShared, Detail: role,
		}
	case errors.Is(err, fs.ErrNotExist):
		if err = os.MkdirAll(filepath.Dir(dir), runtimeMode); err == nil {
			err = makeFolder(dir, wanted)
		}
	}
	if err != nil {
		return nil, fileError(flagOf(role)+": folder cannot be used", dir, err, role)
	}
	path := filepath.Join(dir, lockName)
	lock, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fileError(flagOf(role)+": folder cannot be written", dir, err, role)
	}
	if err := takeLock(lock, dir, role, runtime); err != nil {
		_ = lock.Close()
		return nil, err
	}
	return lock, nil
}

// CheckHands has root run no node on what another user can change: it would do, with
// root's rights, what that user says. what is what messages call the file or folder
// path, which need not be there, and role says which folder of a node it is: data, runtime,
// or "" for none. Other users than root may do as they like. An error is a *job.Error.
func CheckHands(what, path, role string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	other, err := custody.Of(0, path)
	if err != nil {
		return &job.Error{
			Code: job.CodeIO, Message: fmt.Sprintf("%s cannot be used: %s: %v", what, path, cause(err)),
			Fact: job.FactFolder, Detail: role, Err: err,
		}
	}
	if other == custody.Nobody {
		return nil
	}
	return &job.Error{
		Code: job.CodeIO,
		Message: fmt.Sprintf("%s cannot be used by root: %s: it is in the hands of %s, who could change it", what, path,
			custody.Name(other)),
		Fact: job.FactForeign, Detail: role,
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

// takeLock locks an open lock file and writes this process and the runtime folder into it.
func takeLock(lock *os.File, dir, role, runtime string) error {
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
			Fact:    job.FactInUse, Detail: role,
			Err: err,
		}
	}
	if err != nil {
		return fileError(flagOf(role)+": folder cannot be locked", dir, err, "")
	}
	if err = lock.Truncate(0); err == nil {
		_, err = lock.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"+runtime+"\n"), 0)
	}
	if err != nil {
		return fileError(flagOf(role)+": folder cannot be written", dir, err, role)
	}
	return nil
}

// maxLock is the longest lock file that is read, in bytes.
const maxLock = 8 << 10

// holder says which process holds a lock, as far as the lock file knows.
func holder(lock *os.File) string {
	if pid, _ := readLock(lock); pid > 0 {
		return fmt.Sprintf(" (process %d)", pid)
	}
	return ""
}

// readLock returns the process and the runtime folder that a lock file names, or 0 and "".
func readLock(lock io.ReaderAt) (pid int, runtime string) {
	text, err := io.ReadAll(io.NewSectionReader(lock, 0, maxLock))
	if err != nil {
		return 0, ""
	}
	first, rest, _ := strings.Cut(string(text), "\n")
	pid, err = strconv.Atoi(first)
	if err != nil || pid <= 0 {
		return 0, ""
	}
	runtime, _, whole := strings.Cut(rest, "\n")
	if !whole || absolute(runtime) != runtime {
		return pid, ""
	}
	return pid, runtime
}

// Holder is the node that holds a data folder's lock.
type Holder struct {
	PID     int
	Runtime string // its runtime folder; "" where the lock does not say
}

// HolderOf returns the node that runs with this data folder, and whether one does. What a
// lock says is the word of the folder's owner. An error is a *job.Error; that the
// folder is not there, or that nothing has run in it, is none.
func HolderOf(data string) (node Holder, running bool, err error) {
	lock, err := os.OpenFile(filepath.Join(data, lockName), os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return node, false, nil
	}
	if err != nil {
		return node, false, fileError("whether a node runs with this data folder cannot be told", data, err, "")
	}
	defer func() { _ = lock.Close() }() // and with it what is taken below
	if node.PID, node.Runtime = readLock(lock); node.PID == 0 {
		return node, false, nil // as a node leaves it that has ended: its lock is not touched
	}
	err = syscall.Flock(int(lock.Fd()), syscall.LOCK_SH|syscall.LOCK_NB)
	return node, errors.Is(err, syscall.EWOULDBLOCK), nil
}
