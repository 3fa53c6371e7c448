package live

import "golang.org/x/sys/unix"

// exchange makes two entries change places, at once.
func exchange(a, b string) error {
	return unix.RenamexNp(a, b, unix.RENAME_SWAP)
}
