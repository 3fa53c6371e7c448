package reuse_test

import (
	"bytes"
	"crypto/ed25519"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"plasm/lib/cli"
	"plasm/lib/cli/reuse"
	"plasm/lib/identity"
	"plasm/lib/job"
	"plasm/lib/receipt"
)

// job1 is a job that can have one answer.
func job1() *job.Manifest {
	return &job.Manifest{
		Version: "1", ID: job.NewID(), ModuleHash: job.Sum([]byte("module")), StdinHash: job.EmptyDigest, CPUCores: 1,
		MemoryMB:  256,
		TimeoutMS: 60_000, OutputLimitBytes: 1000, Deterministic: true,
	}
}

// outcome is the end of a job that has written "out".
func outcome(status job.Status) *job.Outcome {
	o := &job.Outcome{Status: status, StdinHash: job.EmptyDigest, StdinComplete: true, StdoutBytes: 3}
	if status == job.Exit {
		o.ExitCode = new(uint32)
	}
	if status == job.Trap {
		o.Trap = job.TrapUnreachable
	}
	return o
}

// shelf is a folder, who signs, and what was said.
type shelf struct {
	*reuse.Shelf

	dir  string
	key  *identity.Key
	said []string
}

func openShelf(t *testing.T) *shelf {
	t.Helper()
	s := &shelf{dir: filepath.Join(t.TempDir(), "a", "b"), key: identity.Generate()}
	s.open(t, cli.Keep{})
	return s
}

func (s *shelf) open(t *testing.T, keep cli.Keep, guards ...string) {
	t.Helper()
	opened, err := reuse.Open(reuse.Config{
		Dir: s.dir, Keep: keep, Trusted: []ed25519.PublicKey{s.key.Public()}, Guards: guards,
		Say: func(line string) { s.said = append(s.said, line) },
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Shelf = opened
}

// put runs the job of m, as it were.
func (s *shelf) put(t *testing.T, m *job.Manifest, o *job.Outcome) {
	t.Helper()
	f := cli.NewFlags(cli.Doc{Name: "test"}, func(string) string { return "" })
	j := cli.AddJobFlags(f, "signs")
	j.Results = s.dir
	out, err := j.Open(t.Context(), &cli.Invocation{Stdout: io.Discard, Stderr: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	defer out.Release()
	_, err = io.WriteString(out.Stdout, "out")
	if err == nil {
		err = out.Finish(func() ([]byte, error) {
			return receipt.Sign(s.key, &receipt.Statement{
				Stdout: job.Sum([]byte("out")), Stderr: job.EmptyDigest, Manifest: m, Outcome: o,
				Node: receipt.Node{
					PeerID: s.key.PeerID(), Version: "1", OS: "linux", Arch: "amd64",
					Engine: receipt.Engine{Name: "e", Version: "1"}, Guards: []string{"process"},
				},
				StartedAt: time.Unix(0, 0), FinishedAt: time.Unix(1, 0),
			})
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	s.Put(m, o, out)
}

// entries are the names in the folder.
func (s *shelf) entries(t *testing.T) []string {
	t.Helper()
	all, err := os.ReadDir(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range all {
		names = append(names, e.Name())
	}
	return names
}

// TestWhatIsKept tells jobs and ends that have one answer from those that have not.
func TestWhatIsKept(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(*job.Manifest)
		o      *job.Outcome
		kept   bool
	}{
		{"exit", nil, outcome(job.Exit), true},
		{"a trap", nil, outcome(job.Trap), true},
		{"out of output", nil, outcome(job.OutputLimit), true},
		{
			"out of fuel", func(m *job.Manifest) { m.Fuel = 1 },
			&job.Outcome{
				Status: job.OutOfFuel, FuelUsed: new(int64), StdinHash: job.EmptyDigest, StdinComplete: true,
				StdoutBytes: 3,
			}, true,
		},
		{"a timeout", nil, outcome(job.Timeout), false},
		{"out of memory", nil, outcome(job.OutOfMemory), false},
		{"cancelled", nil, outcome(job.Cancelled), false},
		{"the engine's stack", nil, &job.Outcome{
			Status: job.Trap, Trap: job.TrapStackOverflow,
			StdinHash: job.EmptyDigest, StdoutBytes: 3,
		}, false},
		{"real time", func(m *job.Manifest) { m.Deterministic = false }, outcome(job.Exit), false},
		{"input that nobody knows", func(m *job.Manifest) { m.StdinHash = "" }, outcome(job.Exit), false},
		{
			"a live folder", func(m *job.Manifest) { m.Dirs = []job.Dir{{Guest: "/d", ReadOnly: true}} },
			outcome(job.Exit), false,
		},
		{
			"a folder that it writes",
			func(m *job.Manifest) { m.Dirs = []job.Dir{{Guest: "/d", Tree: job.EmptyDigest}} },
			outcome(job.Exit), false,
		},
		{
			"a folder that it reads",
			func(m *job.Manifest) { m.Dirs = []job.Dir{{Guest: "/d", ReadOnly: true, Tree: job.EmptyDigest}} },
			outcome(job.Exit), true,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s, m := openShelf(t), job1()
			if test.change != nil {
				test.change(m)
			}
			s.put(t, m, test.o)
			m.ID = job.NewID()
			hit := s.Find(m)
			if (hit != nil) != test.kept || (len(s.entries(t)) > 0) != test.kept || s.said != nil {
				t.Fatalf("found: %v; %q, %q", hit != nil, s.entries(t), s.said)
			}
			if hit == nil {
				return
			}
			defer hit.Close()
			stdout, _, err := hit.Readers()
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(stdout)
			if string(text) != "out" || err != nil || hit.Outcome.Status != test.o.Status {
				t.Errorf("%q, %v, %+v", text, err, hit.Outcome)
			}
		})
	}
}

// TestEveryByteCounts turns each bit of an entry's bytes in turn: none is believed that is
// not the result.
func TestEveryByteCounts(t *testing.T) {
	t.Parallel()
	s, m := openShelf(t), job1()
	s.put(t, m, outcome(job.Exit))
	name := filepath.Join(s.dir, s.entries(t)[0])
	good, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for i := range good {
		bad := bytes.Clone(good)
		bad[i] ^= 1 << (i % 8)
		if err := os.WriteFile(name, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		s.said = nil
		hit := s.Find(m)
		if hit == nil {
			if len(s.said) != 1 || !strings.HasPrefix(s.said[0], "--results: "+name+" is passed over: ") {
				t.Fatalf("byte %d: %q", i, s.said)
			}
			continue
		}
		stdout, stderr, err := hit.Readers()
		if err != nil {
			t.Fatal(err)
		}
		out, _ := io.ReadAll(stdout)
		words, _ := io.ReadAll(stderr)
		if string(out) != "out" || len(words) != 0 || hit.Manifest.ModuleHash != m.ModuleHash {
			t.Errorf("byte %d: believed: %q, %q", i, out, words)
		}
		hit.Close()
	}
	for n := range good {
		if err := os.WriteFile(name, good[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		if hit := s.Find(m); hit != nil && n < len(good)-1 { // the last byte ends the line
			t.Errorf("the first %d of %d bytes are believed", n, len(good))
		}
	}
}

// TestGuardsOfNow asks for a guard that the entry's job has not had.
func TestGuardsOfNow(t *testing.T) {
	t.Parallel()
	s, m := openShelf(t), job1()
	s.put(t, m, outcome(job.Exit))
	s.open(t, cli.Keep{}, "process", "seccomp")
	if s.Find(m) != nil || len(s.said) != 1 || !strings.Contains(s.said[0], "is passed over: guards: seccomp") {
		t.Errorf("%q", s.said)
	}
}

// TestPrune keeps what was used last, and leaves alone what is no entry.
func TestPrune(t *testing.T) {
	t.Parallel()
	s := openShelf(t)
	var jobs []*job.Manifest
	var names []string
	for i := range int64(4) {
		m := job1()
		m.Seed = i
		jobs = append(jobs, m)
		s.put(t, m, outcome(job.Exit))
		for _, name := range s.entries(t) {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	at := func(name string, age time.Duration) {
		then := time.Now().Add(-age)
		if err := os.Chtimes(filepath.Join(s.dir, name), then, then); err != nil {
			t.Fatal(err)
		}
	}
	for i, name := range names {
		at(name, time.Duration(10-i)*time.Hour) // the first is the oldest
	}
	for _, other := range []string{"notes.json", ".plasm-new", ".plasm-old"} {
		if err := os.WriteFile(filepath.Join(s.dir, other), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	at(".plasm-old", 25*time.Hour)
	at("notes.json", 1000*time.Hour)
	if hit := s.Find(jobs[0]); hit == nil { // now it is the newest
		t.Fatal("not found")
	} else {
		hit.Close()
	}
	s.open(t, cli.Keep{Age: 510 * time.Minute}) // the others are 9, 8 and 7 hours old
	want := []string{".plasm-new", "notes.json", names[0], names[2], names[3]}
	slices.Sort(want)
	if got := s.entries(t); !slices.Equal(got, want) {
		t.Errorf("by age: %q, want %q", got, want)
	}
	info, err := os.Stat(filepath.Join(s.dir, names[0]))
	if err != nil {
		t.Fatal(err)
	}
	s.open(t, cli.Keep{Bytes: info.Size()*2 + info.Size()/2})
	want = []string{".plasm-new", "notes.json", names[0], names[3]}
	slices.Sort(want)
	if got := s.entries(t); !slices.Equal(got, want) {
		t.Errorf("by size: %q, want %q", got, want)
	}
}
