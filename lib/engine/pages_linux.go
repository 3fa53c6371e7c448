package engine

import "golang.org/x/sys/unix"

// PreferLargePages asks for pages of 2 MiB, in a guest's linear memory, where it has
// that much: a worker that is killed is gone only when its pages are, and 256 MiB in pages of 4 KiB take
// 16 ms. It asks, and no more: memory works without.
func PreferLargePages(m []byte) { _ = unix.Madvise(m, unix.MADV_HUGEPAGE) }
