//go:build !linux

package engine

// PreferLargePages does nothing where the kernel chooses by itself.
func PreferLargePages([]byte) {}
