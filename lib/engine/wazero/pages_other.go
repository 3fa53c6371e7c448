//go:build unix && !linux

package wazero

// preferLargePages does nothing where the kernel chooses by itself.
func preferLargePages([]byte) {}
