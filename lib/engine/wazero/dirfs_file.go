package wazero

import (
	"errors"
	"io"
	"os"

	"github.com/tetratelabs/wazero/experimental/sys"
	wzsys "github.com/tetratelabs/wazero/sys"
	"golang.org/x/sys/unix"
)

// dirFile is an open regular file or folder of a dirFS.
type dirFile struct {
	sys.UnimplementedFile

	file     *os.File
	dev      uint64
	ino      wzsys.Inode
	dir      bool
	readOnly bool // the whole mount is
	append   bool
	nonblock bool // what the guest asked for; a file never makes it wait
	closed   bool
}

// readable returns why f can't be read or written, or 0.
func (f *dirFile) readable() sys.Errno {
	switch {
	case f.closed:
		return sys.EBADF
	case f.dir:
		return sys.EISDIR
	}
	return 0
}

// writable is readable for what a read-only mount refuses.
func (f *dirFile) writable() sys.Errno {
	if !f.closed && f.readOnly {
		return sys.EROFS
	}
	return f.readable()
}

// Dev implements sys.File.
func (f *dirFile) Dev() (uint64, sys.Errno) {
	if f.closed {
		return 0, sys.EBADF
	}
	return f.dev, 0
}

// Ino implements sys.File.
func (f *dirFile) Ino() (wzsys.Inode, sys.Errno) {
	if f.closed {
		return 0, sys.EBADF
	}
	return f.ino, 0
}

// IsDir implements sys.File.
func (f *dirFile) IsDir() (bool, sys.Errno) {
	if f.closed {
		return false, sys.EBADF
	}
	return f.dir, 0
}

// Stat implements sys.File.
func (f *dirFile) Stat() (wzsys.Stat_t, sys.Errno) {
	if f.closed {
		return wzsys.Stat_t{}, sys.EBADF
	}
	info, err := f.file.Stat()
	if err != nil {
		return wzsys.Stat_t{}, errnoOf(err)
	}
	return wzsys.NewStat_t(info), 0
}

// IsAppend implements sys.File.
func (f *dirFile) IsAppend() bool {
	return f.append
}

// SetAppend implements sys.File.
func (f *dirFile) SetAppend(enable bool) sys.Errno {
	if errno := f.readable(); errno != 0 {
		return errno
	}
	if enable == f.append {
		return 0
	}
	if err := f.applyAppend(enable); err != nil {
		return errnoOf(err)
	}
	f.append = enable
	return 0
}

// applyAppend sets or clears O_APPEND, so that the kernel appends in one step
// whoever else writes. It clears O_NONBLOCK, which was for opening only.
func (f *dirFile) applyAppend(enable bool) error {
	flags, err := unix.FcntlInt(f.file.Fd(), unix.F_GETFL, 0)
	if err != nil {
		return err
	}
	want := flags &^ (unix.O_NONBLOCK | unix.O_APPEND)
	if enable {
		want |= unix.O_APPEND
	}
	_, err = unix.FcntlInt(f.file.Fd(), unix.F_SETFL, want)
	return err
}

// IsNonblock implements sys.PollableFile.
func (f *dirFile) IsNonblock() bool {
	return f.nonblock
}

// SetNonblock implements sys.PollableFile. It makes no difference to a file.
func (f *dirFile) SetNonblock(enable bool) sys.Errno {
	if f.closed {
		return sys.EBADF
	}
	f.nonblock = enable
	return 0
}

// Poll implements sys.Pollable: a file is always ready.
func (f *dirFile) Poll(sys.Pflag, int32) (bool, sys.Errno) {
	if errno := f.readable(); errno != 0 {
		return false, errno
	}
	return true, 0
}

// Read implements sys.File.
func (f *dirFile) Read(buf []byte) (int, sys.Errno) {
	if errno := f.readable(); errno != 0 {
		return 0, errno
	}
	n, err := f.file.Read(buf)
	return n, ignoreEOF(err)
}

// Pread implements sys.File.
func (f *dirFile) Pread(buf []byte, off int64) (int, sys.Errno) {
	if errno := f.readable(); errno != 0 {
		return 0, errno
	}
	if off < 0 {
		return 0, sys.EINVAL
	}
	n, err := f.file.ReadAt(buf, off)
	return n, ignoreEOF(err)
}

// ignoreEOF is errnoOf for readers, whose end of file is no error but no bytes.
func ignoreEOF(err error) sys.Errno {
	if errors.Is(err, io.EOF) {
		return 0
	}
	return errnoOf(err)
}

// Write implements sys.File.
func (f *dirFile) Write(buf []byte) (int, sys.Errno) {
	if errno := f.writable(); errno != 0 {
		return 0, errno
	}
	n, err := f.file.Write(buf)
	return n, errnoOf(err)
}

// Pwrite implements sys.File. It writes at off also when the file is in append
// mode, as POSIX says and Linux, left to itself, does not.
func (f *dirFile) Pwrite(buf []byte, off int64) (n int, errno sys.Errno) {
	if errno := f.writable(); errno != 0 {
		return 0, errno
	}
	if off < 0 {
		return 0, sys.EINVAL
	}
	if f.append {
		if err := f.applyAppend(false); err != nil {
			return 0, errnoOf(err)
		}
		defer func() {
			if err := f.applyAppend(true); err != nil && errno == 0 {
				errno = errnoOf(err)
			}
		}()
	}
	n, err := f.file.WriteAt(buf, off)
	return n, errnoOf(err)
}

// offset is int64. Under its own name go vet takes Seek for io.Seeker's gone wrong.
type offset = int64

// Seek implements sys.File. A folder can only be rewound.
func (f *dirFile) Seek(off offset, whence int) (int64, sys.Errno) {
	switch {
	case f.closed:
		return 0, sys.EBADF
	case whence < io.SeekStart || whence > io.SeekEnd:
		return 0, sys.EINVAL // Linux knows more of them
	case f.dir && (off != 0 || whence != io.SeekStart):
		return 0, sys.EISDIR
	}
	n, err := f.file.Seek(off, whence)
	return n, errnoOf(err)
}

// Truncate implements sys.File.
func (f *dirFile) Truncate(size int64) sys.Errno {
	if errno := f.writable(); errno != 0 {
		return errno
	}
	return errnoOf(f.file.Truncate(size))
}

// Sync implements sys.File.
func (f *dirFile) Sync() sys.Errno {
	return f.flush((*os.File).Sync)
}

// Datasync implements sys.File.
func (f *dirFile) Datasync() sys.Errno {
	return f.flush(datasync)
}

// flush calls sync where there can be something to write: a worker that may
// only read could be forbidden the very call.
func (f *dirFile) flush(sync func(*os.File) error) sys.Errno {
	switch {
	case f.closed:
		return sys.EBADF
	case f.readOnly:
		return 0
	}
	return errnoOf(sync(f.file))
}

// Utimens implements sys.File. What the kernel forbids is EACCES and not EPERM,
// which wazero takes as a request to try again by the file's name, although
// that may be another file's by now.
func (f *dirFile) Utimens(atim, mtim int64) sys.Errno {
	switch {
	case f.closed:
		return sys.EBADF
	case f.readOnly:
		return sys.EROFS
	case atim == sys.UTIME_OMIT && mtim == sys.UTIME_OMIT:
		return 0
	}
	errno := errnoOf(futimens(f.file, atim, mtim))
	if errno == sys.EPERM {
		return sys.EACCES
	}
	return errno
}

// Close implements sys.File. Closing twice is no error.
func (f *dirFile) Close() sys.Errno {
	if f.closed {
		return 0
	}
	f.closed = true
	return errnoOf(f.file.Close())
}
