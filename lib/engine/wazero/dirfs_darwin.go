package wazero

import (
	"os"

	"github.com/tetratelabs/wazero/experimental/sys"
	wzsys "github.com/tetratelabs/wazero/sys"
	"golang.org/x/sys/unix"
)

// refuseProcFS returns nil: darwin has no process file system.
func refuseProcFS(int) error { return nil }

func datasync(f *os.File) error { return f.Sync() }

// futimens sets the times of f in nanoseconds since 1970; sys.UTIME_OMIT leaves
// one alone. Without cgo darwin offers microseconds only, and no omission.
func futimens(f *os.File, atim, mtim int64) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	st := wzsys.NewStat_t(info)
	if atim == sys.UTIME_OMIT {
		atim = st.Atim
	}
	if mtim == sys.UTIME_OMIT {
		mtim = st.Mtim
	}
	return unix.Futimes(int(f.Fd()), []unix.Timeval{unix.NsecToTimeval(atim), unix.NsecToTimeval(mtim)})
}
