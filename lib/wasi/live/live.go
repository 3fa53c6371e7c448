// Package live is the file system of a folder of the host, as a program has it.
//
// # What holds
//
// A path leads nowhere but to what is below the folder: not by "..", not by an absolute
// path, not by a symbolic link, whoever made it, and not by exchanging one for another
// while a path is being followed. Package wasi walks paths element by element, and here
// each element is named to the kernel relative to the descriptor of its parent, without
// following links.
//
//   - Relative symbolic links that stay inside work. Absolute ones and those that lead
//     out are refused with EPERM, also when an absolute one happens to lead back in. A
//     program can neither make an absolute link nor read where one points: it would
//     learn the host's paths.
//   - Read-only means that every operation that would change something fails with
//     EROFS, on paths and on open files.
//   - Only regular files and folders are opened, and nothing on a process file system
//     (where a process finds its own memory and that of its siblings); the rest is
//     refused with EPERM. Opening never waits for the other end of a FIFO, not even when
//     it takes a file's place at that moment, and never acquires a terminal.
//   - Files are made with mode 0600 and folders with 0700, less the umask: nothing is
//     made setuid, setgid or sticky.
//   - Listings are sorted.
//
// # What does not
//
//   - What is in the folder is granted. That includes a file that has another,
//     hard-linked name outside, and whatever is mounted below it.
//   - The folder is known by descriptor, and so is each folder in it while a path is
//     followed. When another process moves one of them out of the tree, what was
//     already opened goes with it. A program cannot do that: it has no name for a place
//     outside. One that has two folders, one inside the other, can do to the inner one
//     what the outer one allows.
//   - A program may leave relative symbolic links behind that point out of the folder.
//     They lead no program of ours anywhere, but programs of the host that follow them
//     go there.
//   - Other processes see and change the folder meanwhile; nothing is locked.
//   - Inode numbers, times and free space are the host's: they are not deterministic.
//   - On darwin times are set to the microsecond.
package live

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"plasm/lib/job"
	"plasm/lib/wasi"
)

// mount is a folder that was given to a program, with all below it.
type mount struct {
	readOnly bool
	device   uint64 // that the folder is on, which is no process file system
}

// Open opens the folder hostPath, to which symbolic links may lead. The error is a
// *job.Error that names it.
func Open(hostPath string, readOnly bool) (wasi.Dir, error) {
	info, err := os.Stat(hostPath) // first, because opening a FIFO would wait for a writer
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &job.Error{
			Code: job.CodeNotFound, Message: "no such folder: " + hostPath,
			Hint: "make it first: a guest's folders are not created for it", Err: err,
		}
	case err != nil:
		return nil, folderError(hostPath, err)
	case !info.IsDir():
		return nil, &job.Error{
			Code: job.CodeIO, Message: "not a folder: " + hostPath,
			Hint: "give the guest the folder that holds it",
		}
	}
	fd, err := open(hostPath)
	if err != nil {
		return nil, folderError(hostPath, err)
	}
	var st unix.Stat_t
	if err = refuseProcFS(fd); err == nil {
		err = fstat(fd, &st)
	}
	switch {
	case err == nil:
		return &folder{node{fd: fd, m: &mount{readOnly: readOnly, device: statOf(&st).Device}}}, nil
	case errors.Is(err, unix.EPERM):
		err = &job.Error{
			Code: job.CodeIO, Message: "not a folder that a guest may have: " + hostPath,
			Hint: "a process file system opens other processes to it", Err: err,
		}
	default:
		err = folderError(hostPath, err)
	}
	_ = unix.Close(fd)
	return nil, err
}

func open(hostPath string) (fd int, err error) {
	err = uninterrupted(func() (err error) {
		fd, err = unix.Open(hostPath, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
		return err
	})
	return fd, err
}

func folderError(hostPath string, err error) error {
	return &job.Error{Code: job.CodeIO, Message: "cannot open folder: " + hostPath + ": " + reason(err), Err: err}
}

// reason is err without the operation and path that os wraps around it.
func reason(err error) string {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		err = pe.Err
	}
	return err.Error()
}
