//go:build !linux

package custody

import (
	"context"
	"fmt"
	"net"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// openFolder opens a folder to look things up in it.
const openFolder = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_CLOEXEC

// Dial connects to a socket in the folder. There is no way here to connect to what was
// looked at and not to what has its name by then: root connects to nobody else's.
func (f *Folder) Dial(ctx context.Context, name string) (net.Conn, error) {
	if f.caller == 0 && f.Other != Nobody {
		return nil, fmt.Errorf("%s is in the hands of %s, and root asks no node there: run it as that user", f.path,
			Name(f.Other))
	}
	if err := f.CheckSocket(name); err != nil {
		return nil, err
	}
	return dial(ctx, filepath.Join(f.path, name))
}

// seal keeps what the process has open from programs that it starts. That others of
// its user cannot look into it is so because it was root.
func seal() error {
	closeOnExec()
	return nil
}
