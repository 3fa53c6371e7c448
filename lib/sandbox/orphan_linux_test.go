package sandbox

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"plasm/test/guest"
)

// TestSupervisorKilled kills a supervisor in the middle of a job: its worker goes
// with it, whatever the guest does.
func TestSupervisorKilled(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	must(t, err)
	for name, worker := range map[string][]string{
		"real": realConfig().Worker,
		// Ignores everything that it is told.
		"fake": {self, fakeMode, begun + "out=ready hang"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "pid")
			c := exec.CommandContext(t.Context(), self,
				append([]string{superviseMode, ""}, withPID(worker, file)...)...)
			out, err := c.StdoutPipe()
			must(t, err)
			must(t, c.Start())
			if _, err := bufio.NewReader(out).ReadByte(); err != nil {
				t.Errorf("no word of the guest: %v", err)
			}
			pid := pidFrom(t, file)
			worker, err := unix.PidfdOpen(pid, 0)
			must(t, err)
			t.Cleanup(func() { must(t, unix.Close(worker)) })
			must(t, c.Process.Kill())
			from := time.Now()
			waitEnd(t, worker)
			t.Logf("the worker was gone after %v", time.Since(from))
			_ = c.Wait() // it was killed
		})
	}
}

// waitEnd waits until the process behind a pidfd has ended.
func waitEnd(t *testing.T, pidfd int) {
	t.Helper()
	fds := []unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}
	for {
		n, err := unix.Poll(fds, 10_000)
		if err == unix.EINTR {
			continue
		}
		if n != 1 || err != nil {
			t.Errorf("the worker is still there: %v", err)
		}
		return
	}
}

// TestKilledWhileCompiling kills a supervisor while its worker compiles: nothing is left
// of that in the cache.
func TestKilledWhileCompiling(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	must(t, err)
	dir := t.TempDir()
	cache, told := filepath.Join(dir, "cache"), filepath.Join(dir, "pid")
	c := exec.CommandContext(t.Context(), self, superviseMode, cache,
		self, fakeMode, "ready=process,landlock unless-run module code-good pid="+told+" hang")
	must(t, c.Start())
	waitFile(t, told)
	if keys := entries(t, cache); len(keys) != 0 {
		t.Errorf("while it compiles the cache holds %v", keys)
	}
	must(t, c.Process.Kill())
	_ = c.Wait() // it was killed
	waitGone(t, pidFrom(t, told))
	cfg := realConfig()
	cfg.CacheDir = cache
	wantCached(t, supervisor(t, cfg), false)
	if keys := entries(t, cache); len(keys) != 1 {
		t.Errorf("the cache holds %v, and not the module of the second supervisor alone", keys)
	}
}

// TestSweep removes what a process that is gone has left in the staging folder, and
// leaves alone what another one is making.
func TestSweep(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c, err := openCache(dir, 1<<30, fakeEngine)
	must(t, err)
	left, unlock, err := c.stage()
	must(t, err)
	defer unlock()
	gone := filepath.Join(dir, stagingDir, stagingName+"gone")
	must(t, os.MkdirAll(filepath.Join(gone, "entry"), 0o700))
	_, err = openCache(dir, 1<<30, fakeEngine)
	must(t, err)
	if _, err := os.Stat(left); err != nil {
		t.Errorf("a staging folder in use was removed: %v", err)
	}
	if _, err := os.Stat(gone); err == nil {
		t.Error("what was left is still there")
	}
}

// waitFile waits for a file with something in it.
func waitFile(t *testing.T, name string) {
	t.Helper()
	deadline := time.After(time.Minute)
	for {
		if info, err := os.Stat(name); err == nil && info.Size() > 0 {
			return
		}
		select {
		case <-deadline:
			t.Fatalf("%s does not come", name)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// TestSupervisorMemory passes 256 MiB through plasm-run and looks at the most
// memory that its supervisor has had, before it ends.
func TestSupervisorMemory(t *testing.T) {
	t.Parallel()
	const size, most = 256 << 20, 30 << 10 // bytes, KiB
	const unread = 1 << 20                 // more than the pipe holds, so that it cannot have ended
	dir := t.TempDir()
	module, err := guest.Module("write-" + strconv.Itoa(size))
	must(t, err)
	file := filepath.Join(dir, "write.wasm")
	must(t, os.WriteFile(file, module, 0o600))
	c := exec.CommandContext(t.Context(), filepath.Join(built, "plasm-run"), "--no-cache", "-n", "--output-limit",
		strconv.Itoa(size), file)
	c.Env = []string{"HOME=" + dir}
	out, err := c.StdoutPipe()
	must(t, err)
	must(t, c.Start())
	buf := make([]byte, 1<<20)
	for left := size - unread; left > 0; {
		n, err := out.Read(buf[:min(left, len(buf))])
		must(t, err)
		left -= n
	}
	status, err := os.ReadFile("/proc/" + strconv.Itoa(c.Process.Pid) + "/status")
	must(t, err)
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	peak, err := strconv.Atoi(strings.Fields(rest)[0])
	must(t, err)
	t.Logf("peak memory of the supervisor is %d KiB", peak)
	if peak > most {
		t.Errorf("peak memory of the supervisor is %d KiB, more than %d", peak, most)
	}
	if n, err := io.Copy(io.Discard, out); n != unread || err != nil {
		t.Errorf("behind them: %d bytes, %v", n, err)
	}
	must(t, c.Wait())
}
