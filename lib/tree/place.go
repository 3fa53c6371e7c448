package tree

import (
	"errors"

	"golang.org/x/sys/unix"
)

// replaceEmpty renames a folder. Package os would not let it take the place of an empty one.
func replaceEmpty(from, to string) error {
	return unix.Rename(from, to)
}

// exchangeInSteps swaps two folders where that can't be done at once: when it is interrupted
// both are there, one of them under a name of its own.
func exchangeInSteps(a, b string) error {
	aside := a + "-old"
	if err := unix.Rename(b, aside); err != nil {
		return err
	}
	if err := unix.Rename(a, b); err != nil {
		return errors.Join(err, unix.Rename(aside, b))
	}
	return unix.Rename(aside, a)
}
