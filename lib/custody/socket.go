package custody

import (
	"context"
	"errors"
	"net"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// CheckSocket refuses what is no socket of those who hold the folder.
func (f *Folder) CheckSocket(name string) error {
	var st unix.Stat_t
	if err := unix.Fstatat(f.fd, name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return err
	}
	return f.socket(name, &st)
}

func (f *Folder) socket(name string, st *unix.Stat_t) error {
	if st.Mode&unix.S_IFMT != unix.S_IFSOCK {
		return errors.New("it is not a socket")
	}
	return f.trusts(filepath.Join(f.path, name), st)
}

// dial connects to a socket by its path.
func dial(ctx context.Context, path string) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, "unix", path)
}
