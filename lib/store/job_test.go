package store

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plasm/lib/job"
)

func TestJobKept(t *testing.T) {
	t.Parallel()
	s, dir := onDisk(t)
	r := request(1, 1)
	j, run := accept(t, s, r)
	defer j.Close()
	if j.Receipt() != nil {
		t.Error("a receipt before there is one")
	}
	for spool, text := range map[*Spool]string{j.Stdin(): "in", j.Stdout(): "out", j.Stderr(): "err!"} {
		_, err := io.WriteString(spool, text)
		must(t, err)
	}
	other, run2, err := s.Accept(r)
	must(t, err)
	defer other.Close()
	if run2 != nil {
		t.Fatal("two may run it")
	}
	must(t, run.Finish([]byte("receipt")))
	<-other.Done()
	if got := other.Receipt(); string(got) != "receipt" {
		t.Errorf("receipt %q", got)
	}
	wantUserError(t, run.Finish([]byte("another")), ErrOver)
	run.Forget([]byte("another"))

	folder := filepath.Join(dir, "jobs", r.Requester, r.ID)
	for name, want := range map[string]string{
		"manifest": string(r.Manifest), "receipt": "receipt", "stdout": "out",
		"stderr": "err!",
	} {
		got, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if diff := cmp.Diff([]string{"manifest", "receipt", "stderr", "stdout"}, names(t, folder)); diff != "" {
		t.Errorf("files: %s", diff)
	}
	if left := names(t, filepath.Join(dir, "unfinished")); left != nil {
		t.Errorf("unfinished: %q", left)
	}

	again, err := Open(Config{Dir: dir})
	must(t, err)
	stdout, receipt, ok := kept(t, again, r)
	if !ok || stdout != "out" || receipt != "receipt" {
		t.Errorf("after a restart: %v, %q, %q", ok, stdout, receipt)
	}
	if _, jobs := again.Usage(); jobs.Bytes != jobCharge+7+7+int64(len(r.Manifest)) || jobs.Entries != 1 {
		t.Errorf("usage %+v", jobs)
	}
	if _, was := s.Usage(); was.Bytes != jobCharge+7+7+int64(len(r.Manifest)) {
		t.Errorf("usage before %+v", was)
	}
}

func TestJobForgotten(t *testing.T) {
	t.Parallel()
	s, dir := onDisk(t)
	r := request(1, 1)
	j, run := accept(t, s, r)
	_, err := io.WriteString(j.Stdout(), "out")
	must(t, err)
	run.Forget([]byte("cancelled"))
	<-j.Done()
	if string(j.Receipt()) != "cancelled" {
		t.Errorf("receipt %q", j.Receipt())
	}
	got, err := io.ReadAll(j.Stdout().Follow(t.Context(), 0))
	if string(got) != "out" || !errors.Is(err, ErrForgotten) {
		t.Errorf("stdout %q, %v", got, err)
	}
	if has(t, s, r) {
		t.Error("it can be found")
	}
	j2, run2 := accept(t, s, r) // while somebody still reads the one before
	if n, _ := j2.Stdout().Size(); n != 0 {
		t.Errorf("the new run begins with %d bytes", n)
	}
	must(t, run2.Finish([]byte("receipt")))
	j2.Close()
	j.Close()
	j.Close()
	if left := names(t, filepath.Join(dir, "unfinished")); left != nil {
		t.Errorf("unfinished: %q", left)
	}
	if _, receipt, _ := kept(t, s, r); receipt != "receipt" {
		t.Errorf("receipt %q", receipt)
	}
	if _, jobs := s.Usage(); jobs.Entries != 1 {
		t.Errorf("usage %+v", jobs)
	}
}

// Of many who submit one job at once, one runs it, and all get its end.
func TestJobAcceptedOnce(t *testing.T) {
	t.Parallel()
	s, dir := onDisk(t)
	const submitters = 16
	for n := range 20 {
		var runs atomic.Int64
		var all sync.WaitGroup
		for range submitters {
			all.Go(func() {
				j, run, err := s.Accept(request(1, n))
				if err != nil {
					t.Error(err)
					return
				}
				defer j.Close()
				if run != nil {
					runs.Add(1)
					_, _ = io.WriteString(j.Stdout(), "hello")
					if err := run.Finish([]byte("receipt")); err != nil {
						t.Error(err)
					}
				}
				<-j.Done()
				got, err := io.ReadAll(j.Stdout().Follow(t.Context(), 0))
				if err != nil || string(got) != "hello" || string(j.Receipt()) != "receipt" {
					t.Errorf("%q, %v, receipt %q", got, err, j.Receipt())
				}
			})
		}
		all.Wait()
		if runs.Load() != 1 {
			t.Errorf("%d run job %d", runs.Load(), n)
		}
	}
	if left := names(t, filepath.Join(dir, "unfinished")); left != nil {
		t.Errorf("unfinished: %q", left)
	}
}

// Many jobs, each accepted, finished, forgotten, found and pushed out at once.
func TestJobsAtOnce(t *testing.T) {
	t.Parallel()
	s, d, _ := onMemory(t, Config{Jobs: 8})
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			for n := range 200 {
				r := request(n%3, (n+worker)%12)
				j, run, err := s.Accept(r)
				if err != nil {
					if _, ok := errors.AsType[*RoomError](err); !ok {
						t.Error(err)
					}
					continue
				}
				switch {
				case run != nil && n%5 == 0:
					run.Forget(nil)
				case run != nil:
					_, _ = io.WriteString(j.Stdout(), r.ID)
					if err := run.Finish([]byte(r.Requester)); err != nil {
						t.Error(err)
					}
				}
				<-j.Done()
				if receipt := j.Receipt(); receipt != nil && string(receipt) != r.Requester {
					t.Errorf("receipt %q of %q", receipt, r.Requester)
				}
				j.Close()
			}
		})
	}
	all.Wait()
	if _, jobs := s.Usage(); jobs.Entries > 8 || len(s.running) != 0 {
		t.Errorf("usage %+v, %d running", jobs, len(s.running))
	}
	if d.opened != 0 {
		t.Errorf("%d files are open", d.opened)
	}
	sound(t, s, d)
}

func TestJobNames(t *testing.T) {
	t.Parallel()
	s, dir := onDisk(t)
	good := request(1, 1)
	tests := []struct{ name, requester, id string }{
		{"no requester", "", good.ID},
		{"a path for a requester", "../../" + good.Requester, good.ID},
		{"a folder for a requester", good.Requester + "/x", good.ID},
		{"a requester that is too long", good.Requester + "1", good.ID},
		{"another base58", strings.ToUpper(good.Requester), good.ID},
		{"no id", good.Requester, ""},
		{"a path for an id", good.Requester, "../" + good.ID[3:]},
		{"dots", good.Requester, ".."},
		{"capitals", good.Requester, strings.Repeat("A", 32)},
		{"NUL", good.Requester, good.ID[1:] + "\x00"},
		{"too long", good.Requester, good.ID + "0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, _, err := s.Accept(Request{Requester: tt.requester, ID: tt.id})
			wantUserError(t, err, err)
			_, _, err = s.Find(tt.requester, tt.id)
			wantUserError(t, err, err)
			digest := job.Digest("sha256:" + tt.id + tt.id)
			if tt.id == good.ID {
				digest = job.EmptyDigest
			}
			_, _, err = s.Module(tt.requester, digest)
			wantUserError(t, err, err)
			_, err = s.Upload(tt.requester, digest, 1)
			wantUserError(t, err, err)
		})
	}
	t.Cleanup(func() {
		if got := names(t, filepath.Join(dir, "unfinished")); got != nil {
			t.Errorf("unfinished: %q", got)
		}
	})
}

func TestRequestOutOfRange(t *testing.T) {
	t.Parallel()
	s, _, _ := onMemory(t, Config{})
	for name, change := range map[string]func(*Request){
		"input below 0":    func(r *Request) { r.Input = -1 },
		"output below 0":   func(r *Request) { r.Output = -1 },
		"input too large":  func(r *Request) { r.Input = job.MaxSafeInt + 1 },
		"output too large": func(r *Request) { r.Output = job.MaxSafeInt + 1 },
		"long manifest":    func(r *Request) { r.Manifest = make([]byte, job.MaxManifest+1) },
	} {
		r := request(1, 1)
		change(&r)
		_, _, err := s.Accept(r)
		if err == nil {
			t.Errorf("%s: accepted", name)
			continue
		}
		wantUserError(t, err, err)
	}
	j, run := accept(t, s, request(1, 1))
	defer j.Close()
	err := run.Finish(make([]byte, job.MaxEnvelope+1))
	wantUserError(t, err, err)
	if has(t, s, request(1, 1)) || j.Receipt() != nil {
		t.Error("kept all the same")
	}
}

// What writing and reading allocates doesn't grow with the bytes. It isn't parallel
// because others' allocations would count.
func TestSpoolMemory(t *testing.T) {
	s, _ := onDisk(t)
	r := request(1, 1)
	const size = 16 << 20
	r.Output = 10 * size
	j, run := accept(t, s, r)
	defer j.Close()
	defer run.Forget(nil)
	chunk := bytes.Repeat([]byte("x"), 1<<20)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range size / len(chunk) {
		_, err := j.Stdout().Write(chunk)
		must(t, err)
	}
	_, err := io.ReadFull(j.Stdout().Follow(t.Context(), 0), chunk)
	must(t, err)
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > size/16 {
		t.Errorf("%d bytes allocated for %d", got, size)
	}
}
