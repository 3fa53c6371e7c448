//go:build !linux

package worker

// diesWithParent reports that only Linux has a parent-death signal: elsewhere
// the end of the control stream is all that ends an orphan.
func diesWithParent() bool { return false }
