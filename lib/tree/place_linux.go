package tree

import (
	"os"

	"golang.org/x/sys/unix"
)

// exchange swaps two folders at once, where the file system can.
func exchange(a, b string) error {
	err := unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, unix.RENAME_EXCHANGE)
	if err == unix.EINVAL || err == unix.ENOSYS {
		return exchangeInSteps(a, b)
	}
	return err
}

// syncAll puts everything of the file system that root is on to the disk: with many files it
// takes much less time than one after the other.
func syncAll(root *os.Root) (done bool, err error) {
	f, err := root.Open(".")
	if err != nil {
		return false, err
	}
	defer func() { _ = f.Close() }() // it was only synced
	err = unix.Syncfs(int(f.Fd()))
	return err == nil, err
}
