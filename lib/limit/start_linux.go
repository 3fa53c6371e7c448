package limit

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// Signals is the number of signals that may wait for all of a user's processes. With
// none the Go runtime waits for ever when it has all threads do something.
var Signals = Resource{"signals that wait", "-i", unix.RLIMIT_SIGPENDING, 1, ""}

// fewThreads is below which limit it is counted how many threads the user has.
const fewThreads = 2048

func (n Need) checkSystem(program string) error {
	if now, _ := Signals.Get(); now < n.Signals {
		return Signals.TooLow(now, program, n.Signals)
	}
	now, _ := Processes.Get()
	if privileged() || now >= fewThreads || n.Threads == 0 {
		return nil
	}
	taken, err := Threads(os.Geteuid(), nil)
	if err != nil || taken+n.Threads <= now {
		return nil //nolint:nilerr // without /proc there is no count, and nothing to say
	}
	return Processes.tooFew(now, now-min(taken, now), program, n.Threads)
}

// Threads counts the threads of a user's processes, but for those processes that
// without, which may be nil, says to leave out by their number and their parent's.
func Threads(uid int, without func(pid, parent int) bool) (total uint64, err error) {
	all, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return 0, err
	}
	for _, dir := range all {
		data, err := os.ReadFile(filepath.Join(dir, "status"))
		if err != nil { // it is gone, or not to be seen
			continue
		}
		if owner := field(data, "Uid:"); owner != uid {
			continue
		}
		pid, _ := strconv.Atoi(filepath.Base(dir))
		if without == nil || !without(pid, field(data, "PPid:")) {
			total += uint64(max(field(data, "Threads:"), 0))
		}
	}
	return total, nil
}

// field returns the first number of a line of proc_pid_status(5), -1 for none.
func field(status []byte, name string) int {
	_, rest, ok := bytes.Cut(status, []byte("\n"+name))
	if !ok {
		return -1
	}
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	words := bytes.Fields(line)
	if len(words) == 0 {
		return -1
	}
	n, err := strconv.Atoi(string(words[0]))
	if err != nil {
		return -1
	}
	return n
}
