//go:build linux

package hostile_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"plasm/lib/job"
	"plasm/test/bin"
	"plasm/test/hostile"
)

// serve runs cases through one supervisor and returns what it tells of each.
func (g *ground) serve(t *testing.T, setup hostile.Setup) []hostile.Served {
	t.Helper()
	setup.Worker, setup.Cache, setup.RW, setup.RO = bin.WorkerOf(os.Getenv(builtDir), setup.Engine), g.cache,
		g.path("rw"), g.path("ro")
	if dir := os.Getenv(builtDir); setup.Engine != "wazero" {
		setup.Prepare = bin.Worker(dir)
	}
	setup.Hello = helloModule(t)
	text, err := json.Marshal(setup)
	must(t, err)
	cmd := exec.CommandContext(t.Context(), built("runner"), "serve", string(text))
	cmd.Dir, cmd.Env = g.path("cwd"), g.env()
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	var all []hostile.Served
	reports := json.NewDecoder(out)
	for {
		var s hostile.Served
		if err = reports.Decode(&s); err != nil {
			break
		}
		all = append(all, s)
	}
	if ended := cmd.Wait(); ended != nil || !errors.Is(err, io.EOF) {
		t.Fatalf("%v, %v: %s", ended, err, complaint.String())
	}
	if len(all) == 0 {
		t.Fatal("the supervisor told nothing")
	}
	return all
}

// TestOneSupervisor runs all cases but slow ones through a supervisor that lives on, as a node's
// does: each ends as it must, the next job is fine, and the supervisor has in the
// end what it had in the beginning.
func TestOneSupervisor(t *testing.T) {
	t.Parallel()
	const mayGrow = 24 << 20 // bytes: what the largest modules leave in the heap
	for _, engine := range hostile.Engines() {
		g := newGround(t)
		before := g.state(t)
		cases := slices.DeleteFunc(hostile.Cases(),
			func(c hostile.Case) bool { return slices.Contains(slow(), c.Name) })
		var names []string
		for _, c := range cases {
			names = append(names, c.Name)
		}
		served := g.serve(t, hostile.Setup{Engine: engine, Only: names, Longest: 50 * time.Millisecond})
		first, served := served[0], served[1:]
		if len(served) != len(cases) {
			t.Fatalf("%d of %d cases were run", len(served), len(cases))
		}
		for i, s := range served {
			w := cases[i].On(engine).Want
			w.Stdout = ""
			if problem := differs(&w, &ran{outcome: s.Outcome, code: s.Code, message: s.Message}); problem != "" {
				t.Errorf("%s: %s", s.Name, problem)
			}
			if s.Next != "olleh" {
				t.Errorf("the job after %s wrote %q", s.Name, s.Next)
			}
			if s.Open > first.Open || s.Routines > first.Routines || s.Children > first.Children ||
				s.Resident > first.Resident+mayGrow {
				t.Errorf("after %s: %d descriptors, %d goroutines, %d children, %d MiB; before %d, %d, %d, %d", s.Name,
					s.Open, s.Routines, s.Children, s.Resident>>20, first.Open, first.Routines, first.Children,
					first.Resident>>20)
			}
		}
		g.unchanged(t, before)
	}
}

// slow are the cases that take longest to compile.
func slow() []string { return []string{"ifs-10000", "functions-100000", "live-values-50000"} }

// slowOn are those of them that are slow on an engine.
func slowOn(engine string) []string {
	if engine == "wasmtime" {
		return []string{"functions-100000"}
	}
	return slow()
}

// TestCompileTime gives compiling less time than some modules take.
func TestCompileTime(t *testing.T) {
	t.Parallel()
	const limit = 150 * time.Millisecond
	for _, engine := range hostile.Engines() {
		g := newGround(t)
		// hello is in the cache now: it is not what is timed
		g.serve(t, hostile.Setup{Engine: engine, Only: []string{"none"}})
		before := g.state(t)
		begun := time.Now()
		for _, s := range g.serve(t, hostile.Setup{Engine: engine, Only: slowOn(engine), Compile: limit})[1:] {
			if s.Code != job.CodeCompileLimit || !strings.Contains(s.Message, limit.String()) || s.Next != "olleh" ||
				s.Children > 0 {
				t.Errorf("%+v", s)
			}
		}
		if took := time.Since(begun); took > time.Duration(len(slowOn(engine)))*(limit*11/10+slack+start) {
			t.Errorf("compiling was given up after %v", took)
		}
		g.unchanged(t, before)
	}
}
