//go:build linux

package hostile_test

import (
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"plasm/lib/job"
	"plasm/test/guest"
	"plasm/test/hostile"
)

// What a job may take beyond what it asked for. docs/limits.md has the figures.
const (
	slack   = 100 * time.Millisecond // for a machine that others use too
	start   = 500 * time.Millisecond // of a command, beside compiling and the guest: two processes, signing
	refusal = 2 * time.Second        // of a module: reading it, one process, one pass over it

	runOverhead     = 464 << 20  // bytes of a worker that runs, beside linear memory
	compileOverhead = 1680 << 20 // bytes of a worker that compiles
)

// TestCases runs each module against each engine, compiling it and then, if it
// starts, from the cache; and then an honest job.
func TestCases(t *testing.T) {
	t.Parallel()
	for _, engine := range hostile.Engines() {
		for _, c := range hostile.Cases() {
			c := c.On(engine)
			t.Run(engine+"/"+c.Name, func(t *testing.T) {
				t.Parallel()
				g := newGround(t)
				module := g.write(t, c.Module())
				before := g.state(t)
				cold := g.timely(t, &c, engine, module)
				check(t, &c, cold, compileOverhead)
				if cold.outcome != nil {
					warm := g.timely(t, &c, engine, module)
					check(t, &c, warm, c.Manifest().MemoryMB<<20+runOverhead)
					if !warm.outcome.CompileCached {
						t.Error("it was compiled twice")
					}
				}
				g.next(t)
				g.unchanged(t, before)
			})
		}
	}
}

// check holds what came of a case against what must, and peak against the most
// bytes that one of its processes may have had.
func check(t *testing.T, c *hostile.Case, r *ran, most int64) {
	t.Helper()
	if problem := differs(&c.Want, r); problem != "" {
		t.Error(problem)
	}
	if o := r.outcome; o != nil {
		if o.MemoryBytes > c.Manifest().MemoryMB<<20 || o.StdoutBytes+o.StderrBytes > c.Manifest().OutputLimitBytes {
			t.Errorf("%d bytes of linear memory, %d and %d of output", o.MemoryBytes, o.StdoutBytes, o.StderrBytes)
		}
		if len(r.guards) != len(job.Guards()) {
			t.Errorf("guarded by %v only", r.guards)
		}
	}
	if r.Peak > most {
		t.Errorf("a process had %d MiB, and may have %d", r.Peak>>20, most>>20)
	}
	if r.Left > 0 {
		t.Errorf("%d processes are left", r.Left)
	}
}

// late says by how much a case took longer than it may; "" is not at all.
func late(c *hostile.Case, r *ran) string {
	limit := refusal
	if o := r.outcome; o != nil {
		limit = time.Duration(c.Manifest().TimeoutMS)*time.Millisecond*11/10 + slack
		if wall := time.Duration(o.WallTimeUS) * time.Microsecond; wall > limit {
			return fmt.Sprintf("the guest ran for %v, and may for %v", wall, limit)
		}
		limit += start + time.Duration(o.CompileTimeUS)*time.Microsecond
	}
	if r.Wall > limit {
		return fmt.Sprintf("the command took %v, and may take %v", r.Wall, limit)
	}
	return ""
}

// timely runs a case, and again when it was late: now and then that is the machine's
// doing, which other tests and programs share.
func (g *ground) timely(t *testing.T, c *hostile.Case, engine, module string) *ran {
	t.Helper()
	for tries := 1; ; tries++ {
		r := g.play(t, c, engine, module)
		problem := late(c, r)
		if problem != "" && tries < 8 {
			continue
		}
		if problem != "" {
			t.Error(problem)
		}
		return r
	}
}

// play runs a case.
func (g *ground) play(t *testing.T, c *hostile.Case, engine, module string) *ran {
	t.Helper()
	flags := append(c.Flags(), "--engine", engine)
	if c.Folder {
		flags = append(flags, "--dir", g.path("rw")+"::/rw", "--dir", g.path("ro")+"::/ro:ro")
	}
	var input io.Reader
	if c.Blocked {
		r, w, err := os.Pipe()
		must(t, err)
		defer func() {
			must(t, w.Close())
			must(t, r.Close())
		}()
		input = r
	}
	return g.run(t, module, input, flags...)
}

// differs says in what a job ended otherwise than it should.
func differs(w *hostile.Want, r *ran) string {
	if w.Code != "" || r.outcome == nil {
		if r.code != w.Code || !strings.Contains(r.message, w.Says) {
			return fmt.Sprintf("error %q: %.300q; want %q: …%s…, or status %q", r.code, r.message, w.Code, w.Says,
				w.Status)
		}
		return ""
	}
	o := r.outcome
	switch {
	case o.Status != w.Status, o.Trap != w.Trap:
		return fmt.Sprintf("status %s %s; want %s %s: %s", o.Status, o.Trap, w.Status, w.Trap, r.complaint)
	case o.Status == job.Exit && *o.ExitCode != w.Exit:
		return fmt.Sprintf("exit code %d, want %d", *o.ExitCode, w.Exit)
	case o.Truncated != (o.Status == job.OutputLimit):
		return fmt.Sprintf("truncated is %v", o.Truncated)
	case w.Memory != 0 && o.MemoryBytes != w.Memory:
		return fmt.Sprintf("%d bytes of linear memory, want %d", o.MemoryBytes, w.Memory)
	case w.Stdout != "" && r.stdout.String() != w.Stdout:
		return fmt.Sprintf("stdout is %.100q, want %.100q", r.stdout.String(), w.Stdout)
	}
	return ""
}

// TestCorpus holds the descriptions themselves to what they must be.
func TestCorpus(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, c := range hostile.Cases() {
		switch {
		case seen[c.Name]:
			t.Errorf("two cases are named %s", c.Name)
		case (c.Want.Status == "") == (c.Want.Code == ""):
			t.Errorf("%s wants nothing, or two things: %+v", c.Name, c.Want)
		case c.Want.Status == job.Timeout && c.Timeout == 0:
			t.Errorf("%s would run for a minute", c.Name)
		case (c.Want.Code == job.CodeModuleRefused) && c.Want.Says == "":
			t.Errorf("%s names no limit", c.Name)
		}
		seen[c.Name] = true
	}
	for _, name := range guest.Names() {
		if !seen[name] {
			t.Errorf("the guest %s is no case", name)
		}
	}
}
