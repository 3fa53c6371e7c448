package wazero

import (
	"errors"
	"io"
	"io/fs"

	"github.com/tetratelabs/wazero/experimental/sys"
	"golang.org/x/sys/unix"
)

// Readdir implements sys.File. The order is the host's.
func (f *dirFile) Readdir(n int) ([]sys.Dirent, sys.Errno) {
	if f.closed || !f.dir {
		return nil, sys.EBADF
	}
	const batch = 256 // names read at once: n is the guest's word
	var entries []sys.Dirent
	for n <= 0 || len(entries) < n {
		want := batch
		if n > 0 {
			want = min(batch, n-len(entries))
		}
		names, err := f.file.Readdirnames(want)
		for _, name := range names {
			if e, ok := f.dirent(name); ok {
				entries = append(entries, e)
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return entries, errnoOf(err)
		}
	}
	return entries, 0
}

// dirent returns the entry name, unless it is gone. wazero would look by path.
func (f *dirFile) dirent(name string) (sys.Dirent, bool) {
	var st unix.Stat_t
	err := uninterrupted(func() error {
		return unix.Fstatat(int(f.file.Fd()), name, &st, unix.AT_SYMLINK_NOFOLLOW)
	})
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return sys.Dirent{}, false
	case err != nil: // a folder that may be listed, but not entered
		return sys.Dirent{Name: name, Type: fs.ModeIrregular}, true
	}
	return sys.Dirent{Name: name, Ino: st.Ino, Type: fileType(&st)}, true
}
