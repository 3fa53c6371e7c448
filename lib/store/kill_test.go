package store

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// killMode makes the test program one that runs the scenario in the folder of its
// second argument and kills itself at the step of its third.
const killMode = "kill"

func TestMain(m *testing.M) {
	if len(os.Args) == 4 && os.Args[1] == killMode {
		os.Exit(killed(os.Args[2], os.Args[3]))
	}
	os.Exit(m.Run())
}

// killed prints the ID of each job that is said to be kept, and ends with "whole" if
// it is never killed.
func killed(dir, step string) int {
	at, err := strconv.ParseInt(step, 10, 64)
	if err != nil {
		return 1
	}
	d := &killDisk{osDisk: osDisk{dir: dir}, at: at}
	s, err := open(scenarioConfig(dir), d, systemClock())
	if err != nil {
		return 1
	}
	code := 0
	scenario(s, func(r Request) { _, _ = fmt.Fprintln(os.Stdout, r.ID) }, func(error) { code = 1 })
	_, _ = fmt.Fprintln(os.Stdout, "whole")
	return code
}

// killDisk is a folder of this machine whose process is killed before the step at,
// or in its midst where it has one.
type killDisk struct {
	osDisk
	at    int64
	steps atomic.Int64
}

// step reports whether this is the one.
func (d *killDisk) step() bool { return d.steps.Add(1) == d.at }

func (d *killDisk) before() {
	if d.step() {
		d.kill()
	}
}

func (d *killDisk) kill() {
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	for { // until it arrives; a timer, as a program without one that waits is dead to Go
		<-time.After(time.Hour)
	}
}

func (d *killDisk) create(name string) (file, error) {
	d.before()
	f, err := d.osDisk.create(name)
	if err != nil {
		return nil, err
	}
	return &killFile{file: f, disk: d}, nil
}

func (d *killDisk) mkdir(name string) error           { d.before(); return d.osDisk.mkdir(name) }
func (d *killDisk) rename(from, to string) error      { d.before(); return d.osDisk.rename(from, to) }
func (d *killDisk) remove(name string) error          { d.before(); return d.osDisk.remove(name) }
func (d *killDisk) syncDir(name string) error         { d.before(); return d.osDisk.syncDir(name) }
func (d *killDisk) touch(n string, t time.Time) error { d.before(); return d.osDisk.touch(n, t) }

// removeAll is killed when it has removed one file.
func (d *killDisk) removeAll(name string) error {
	if d.step() {
		if names, err := d.readDir(name); err == nil && len(names) > 0 {
			_ = d.osDisk.remove(path.Join(name, names[0]))
		}
		d.kill()
	}
	return d.osDisk.removeAll(name)
}

type killFile struct {
	file
	disk *killDisk
}

// WriteAt is killed when it has written half.
func (f *killFile) WriteAt(p []byte, off int64) (int, error) {
	if f.disk.step() {
		_, _ = f.file.WriteAt(p[:len(p)/2], off)
		f.disk.kill()
	}
	return f.file.WriteAt(p, off)
}

func (f *killFile) Sync() error { f.disk.before(); return f.file.Sync() }

// TestKilled kills a process at each of its steps and looks at what is left.
func TestKilled(t *testing.T) {
	t.Parallel()
	var next atomic.Int64
	var through atomic.Bool
	var workers sync.WaitGroup
	for range 2 {
		workers.Go(func() {
			for !through.Load() && !t.Failed() {
				at := next.Add(1)
				if killAt(t, at) {
					through.Store(true)
				}
			}
		})
	}
	workers.Wait()
	if n := next.Load(); n < 60 {
		t.Errorf("only %d steps", n)
	}
}

// killAt reports whether the process got through without coming to that step.
func killAt(t *testing.T, at int64) bool {
	t.Helper()
	dir := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	child := exec.CommandContext(ctx, os.Args[0], killMode, dir, strconv.FormatInt(at, 10))
	out, err := child.Output()
	var finished []string
	whole := false
	for lines := bufio.NewScanner(strings.NewReader(string(out))); lines.Scan(); {
		whole = lines.Text() == "whole"
		if !whole {
			finished = append(finished, lines.Text())
		}
	}
	if whole != (err == nil) {
		t.Errorf("step %d: %v, %q", at, err, out)
		return false
	}
	s, err := Open(scenarioConfig(dir))
	if err != nil {
		t.Errorf("step %d: %v", at, err)
		return false
	}
	afterKill(t, at, s, dir, finished)
	return whole
}

// afterKill checks what a killed process has left: what it said is kept, and
// nothing else that isn't whole.
func afterKill(t *testing.T, at int64, s *Store, dir string, finished []string) {
	t.Helper()
	for n, said := range finished {
		r := request(1, 1)
		switch said {
		case id(3):
			r = request(1, 3)
		case id(4):
			r = request(3, 4)
		}
		_, receipt, ok := kept(t, s, r)
		if ok && receipt != receiptOf(r) {
			t.Errorf("step %d: receipt %q", at, receipt)
		}
		if !ok && (n > 0 || len(finished) < 2) { // the first may go once the second is kept
			t.Errorf("step %d: job %s is lost", at, said)
		}
	}
	for k, e := range s.jobs.items {
		stdout, receipt, _ := kept(t, s, Request{
			Requester: k.requester, ID: k.name,
			Manifest: fmt.Appendf(nil, `{"id":%q}`, k.name),
		})
		if out := "out " + k.name[28:]; stdout != out+out ||
			receipt != receiptOf(Request{Requester: k.requester, ID: k.name}) {
			t.Errorf("step %d: %s has %q, %q", at, e.path, stdout, receipt)
		}
	}
	for k := range s.content.items {
		if strings.HasSuffix(k.name, packSuffix) {
			if !hasPack(t, s, 1, "content of a file") {
				t.Errorf("step %d: the pack is damaged", at)
			}
			continue
		}
		m, _, err := s.Module(k.requester, digestOf(k))
		if err != nil {
			t.Errorf("step %d: %v", at, err)
			continue
		}
		if _, err := m.Load(); err != nil {
			t.Errorf("step %d: %v", at, err)
		}
		m.Close()
	}
	if left := names(t, filepath.Join(dir, unfinishedDir)); left != nil {
		t.Errorf("step %d: %q are left", at, left)
	}
	for _, kind := range []string{contentDir, jobsDir} {
		for _, requester := range names(t, filepath.Join(dir, kind)) {
			if len(names(t, filepath.Join(dir, kind, requester))) == 0 {
				t.Errorf("step %d: %s of %s is empty", at, kind, requester)
			}
		}
	}
	r := request(5, 5)
	runJob(t, s, r, "", "receipt")
}
