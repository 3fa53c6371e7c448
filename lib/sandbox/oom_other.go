//go:build !linux

package sandbox

// oomKills returns how many processes the kernel has killed for want of memory: no other
// system says so.
func oomKills() uint64 { return 0 }
