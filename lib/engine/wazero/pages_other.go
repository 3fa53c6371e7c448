//go:build unix && !linux

package wazero

// PreferLargePages does nothing where the kernel chooses by itself.
func PreferLargePages([]byte) {}
