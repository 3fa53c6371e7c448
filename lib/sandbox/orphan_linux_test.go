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
			c := exec.CommandContext(t.Context(), self, append([]string{superviseMode, ""}, withPID(worker, file)...)...)
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

// TestKilledWhileCompiling kills a supervisor while its worker compiles: there is
// no entry, and the next supervisor removes what is left.
func TestKilledWhileCompiling(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	must(t, err)
	dir := t.TempDir()
	cache, told := filepath.Join(dir, "cache"), filepath.Join(dir, "pid")
	c := exec.CommandContext(t.Context(), self, superviseMode, cache,
		self, fakeMode, "ready=process,landlock module stage-good pid="+told+" hang")
	must(t, c.Start())
	waitFile(t, told)
	var held []string
	if staged, err := os.ReadDir(filepath.Join(cache, stagingDir)); err == nil {
		for _, d := range staged {
			held = append(held, d.Name())
		}
	}
	if len(held) != 1 {
		t.Errorf("while it compiles the staging folders are %v", held)
	}
	// Another one that opens the cache meanwhile leaves the folder alone.
	cfg := realConfig()
	cfg.CacheDir = cache
	wantCached(t, supervisor(t, cfg), false)
	if _, err := os.Stat(filepath.Join(cache, stagingDir, strings.Join(held, ""))); err != nil {
		t.Errorf("a staging folder in use was removed: %v", err)
	}
	must(t, c.Process.Kill())
	_ = c.Wait() // it was killed
	waitGone(t, pidFrom(t, told))
	supervisor(t, cfg)
	if keys := entries(t, cache); len(keys) != 1 {
		t.Errorf("the cache holds %v, and not the module of the second supervisor alone", keys)
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
	c := exec.CommandContext(t.Context(), filepath.Join(built, "plasm-run"), "--no-cache", "-n", "--output-limit", strconv.Itoa(size), file)
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
