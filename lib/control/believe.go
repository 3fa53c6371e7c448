package control

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// maxLinks is how many symbolic links are followed, as the kernel has it.
const maxLinks = 40

// believer decides whether what lies in a folder can be believed: whether only
// root, the user who asks, and the user whom one of these two has given the
// folder could have put it there.
type believer struct {
	caller int // user ID of who asks
	guest  int // the one other user who was met on the way, or -1
}

// ownerOf returns the user ID of a file's owner.
func ownerOf(info fs.FileInfo) int {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(st.Uid)
	}
	return -1
}

// folder walks from the root to dir, and through the links on the way, and
// refuses
//
//   - a folder that everybody may write to, without the sticky bit: anybody could
//     replace what is in it;
//   - in one with the sticky bit, where anybody may put new names, what belongs
//     to neither root nor the caller;
//   - what belongs to a second user beside these two.
//
// The first other user met, in a folder that is not open to all, was given it by
// its owner: that is a service's user.
func (b *believer) folder(dir string) error {
	rest := split(dir)
	path, open := "/", false // whether anybody may put names into path
	for links := 0; len(rest) > 0; {
		next := filepath.Join(path, rest[0])
		info, err := os.Lstat(next)
		if err != nil {
			return err
		}
		if err := b.owned(next, ownerOf(info), !open); err != nil {
			return err
		}
		switch {
		case info.Mode()&fs.ModeSymlink != 0:
			links++
			if links > maxLinks {
				return &fs.PathError{Op: "lstat", Path: dir, Err: syscall.ELOOP}
			}
			target, err := os.Readlink(next)
			if err != nil {
				return err
			}
			if filepath.IsAbs(target) {
				path, open = "/", false
			}
			rest = append(split(target), rest[1:]...)
			continue
		case !info.IsDir():
			return fmt.Errorf("%s is not a folder", next)
		case info.Mode().Perm()&0o002 != 0 && info.Mode()&fs.ModeSticky == 0:
			return fmt.Errorf("everybody may write to %s", next)
		}
		open = info.Mode().Perm()&0o002 != 0
		path, rest = next, rest[1:]
	}
	return nil
}

// split returns the names in a path.
func split(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
}

// owned refuses what belongs to a stranger. given says that a user other than
// root and the caller can have it only because it was given to them.
func (b *believer) owned(path string, uid int, given bool) error {
	switch {
	case uid == 0 || uid == b.caller || uid == b.guest:
		return nil
	case given && b.guest < 0 && uid > 0:
		b.guest = uid
		return nil
	}
	return fmt.Errorf("%s belongs to user %d", path, uid)
}

// file refuses a file of a believed folder that a stranger wrote or may write.
func (b *believer) file(path string, info fs.FileInfo) error {
	if err := b.owned(path, ownerOf(info), false); err != nil {
		return err
	}
	if info.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("others than its owner may write to %s (mode %04o)", path, info.Mode().Perm())
	}
	return nil
}
