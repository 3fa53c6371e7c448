package tree

import (
	"io/fs"
	"syscall"
)

// changeTime returns when a file was last changed in any way, in nanoseconds.
func changeTime(info fs.FileInfo) int64 {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return st.Ctimespec.Nano()
	}
	return 0
}
