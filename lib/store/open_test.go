package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"plasm/lib/job"
)

func TestOpenEmptiesUnfinished(t *testing.T) {
	t.Parallel()
	s, dir := onDisk(t)
	runJob(t, s, request(1, 1), "out", "receipt")
	_, _ = accept(t, s, request(1, 2))
	u, err := s.Upload(peer(1), job.EmptyDigest, 10)
	must(t, err)
	_, err = u.Write([]byte("half"))
	must(t, err)
	for _, name := range []string{"job-", "job-x", "mine", "gone-1x"} { // not ours
		must(t, os.WriteFile(filepath.Join(dir, "unfinished", name), nil, 0o600))
	}
	s, err = Open(Config{Dir: dir})
	must(t, err)
	if got := names(t, filepath.Join(dir, "unfinished")); len(got) != 4 {
		t.Errorf("left: %q", got)
	}
	if has(t, s, request(1, 2)) || !has(t, s, request(1, 1)) {
		t.Error("the running one is there, or the kept one is not")
	}
	if _, run := accept(t, s, request(1, 2)); run == nil {
		t.Error("it cannot run again")
	}
}

// What isn't ours is neither counted nor removed.
func TestOpenLeavesOthersAlone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var mine []string
	for _, name := range []string{
		"key.pem", "jobs/lost+found/x", "jobs/file", "content/" + peer(1) + "/README", "jobs/" + peer(1) + "/notes",
		"jobs/" + peer(1) + "x/" + id(1) + "/manifest",
		"content/" + id(1),
	} {
		name = filepath.Join(dir, name)
		must(t, os.MkdirAll(filepath.Dir(name), 0o700))
		must(t, os.WriteFile(name, []byte("mine"), 0o600))
		mine = append(mine, name)
	}
	s, err := Open(Config{Dir: dir})
	must(t, err)
	if modules, jobs := s.Usage(); modules.Entries+jobs.Entries != 0 {
		t.Errorf("usage %+v, %+v", modules, jobs)
	}
	runJob(t, s, request(1, 1), "", "receipt")
	for _, name := range mine {
		if data, err := os.ReadFile(name); err != nil || string(data) != "mine" {
			t.Errorf("%s: %q, %v", name, data, err)
		}
	}
}

func TestModes(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a", "b")
	must(t, os.MkdirAll(filepath.Join(dir, "jobs"), 0o755))
	s, err := Open(Config{Dir: dir})
	must(t, err)
	runJob(t, s, request(1, 1), "out", "receipt")
	send(t, s, 1, []byte("module"))
	_, _ = accept(t, s, request(1, 2))
	entries := 0
	must(t, filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || name == dir {
			return err
		}
		entries++
		info, err := d.Info()
		if err != nil {
			return err
		}
		want := fs.FileMode(0o600)
		if d.IsDir() {
			want = 0o700
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s: %04o", name, got)
		}
		return nil
	}))
	if entries < 14 {
		t.Errorf("%d files and folders", entries)
	}
}

func TestOpenRefused(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, nil, 0o600))
	_, err := Open(Config{Dir: filepath.Join(file, "x")})
	wantUserError(t, err, syscall.ENOTDIR)

	for _, errno := range []error{syscall.EROFS, syscall.EACCES} { // as root no mode refuses anything
		_, d, clock := onMemory(t, Config{})
		d.fault = func(_ int, op, _ string) error {
			if op == "create" {
				return errno
			}
			return nil
		}
		_, err := open(Config{}, d, clock.clock())
		wantUserError(t, err, errno)
		if e, ok := errors.AsType[*job.Error](err); !ok || e.Fact == "" {
			t.Errorf("no hint: %v", err)
		}
	}
}

// A full disk shows when a job comes, and not before.
func TestOpenFull(t *testing.T) {
	t.Parallel()
	s, d, clock := onMemory(t, Config{})
	runJob(t, s, request(1, 1), "out", "receipt")
	d.room = 0
	d.fault = func(_ int, op, _ string) error {
		if op == "create" {
			return syscall.ENOSPC
		}
		return nil
	}
	s = reopen(t, d, Config{}, clock)
	if !has(t, s, request(1, 1)) {
		t.Error("the result is lost")
	}
	r := request(1, 2)
	r.Output = 1 << 20
	_, _, err := s.Accept(r)
	wantUserError(t, err, syscall.ENOSPC)
}

// BenchmarkOpen opens a store of 100,000 results.
func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	const results = 100_000
	for n := range results {
		folder := filepath.Join(dir, jobsDir, peer(n%100), id(n))
		must(b, os.MkdirAll(folder, 0o700))
		for _, name := range []string{manifestFile, receiptFile, stdoutFile, stderrFile} {
			must(b, os.WriteFile(filepath.Join(folder, name), []byte(name), 0o600))
		}
	}
	for b.Loop() {
		s, err := Open(Config{Dir: dir, UnlistedPercent: 100})
		must(b, err)
		if _, jobs := s.Usage(); jobs.Entries != results {
			b.Fatal(jobs)
		}
	}
	b.ReportMetric(results, "results")
}

// BenchmarkJob takes a job with a line of output from accept to kept.
func BenchmarkJob(b *testing.B) {
	s, _ := onDisk(b)
	n := 0
	start := time.Now()
	for b.Loop() {
		n++
		runJob(b, s, request(1, n), fmt.Sprintln("hello"), "receipt")
	}
	b.ReportMetric(float64(n)/time.Since(start).Seconds(), "jobs/s")
}
