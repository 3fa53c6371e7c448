// Package repeat runs jobs more than once, through the commands as their users do,
// and compares all that the receipts say: run after run, the engine's compiler with
// its interpreter, one engine and one processor with the other, and this machine with a node.
package repeat_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plasm/test/bin"
	"plasm/test/need"
)

// root is the module's root, seen from here.
const root = "../.."

// built is the folder with plasm-run, and home the one of its user: one key signs
// all that is compared. TestMain sets them before any test runs.
var built, home string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "plasm-repeat-")
		if err == nil {
			defer func() { _ = os.RemoveAll(dir) }()
			built, home = dir, filepath.Join(dir, "home")
			err = bin.Build(context.Background(), built, "plasm-run", "plasm-submit", "plasm-verify", "plasmd")
		}
		if err == nil {
			err = command(context.Background(), here(), "--identity").Run()
		}
		if err != nil {
			_, _ = fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return m.Run()
	}())
}

// here is how plasm-run is started.
func here() []string { return []string{filepath.Join(built, "plasm-run")} }

// command is a plasm-run of the one user.
func command(ctx context.Context, program []string, args ...string) *exec.Cmd {
	line := slices.Concat(program, args)
	cmd := exec.CommandContext(ctx, line[0], line[1:]...)
	cmd.Env = append(bin.Env(), "HOME="+home, "PATH="+os.Getenv("PATH"), "TMPDIR="+built)
	return cmd
}

// object is a JSON object.
type object = map[string]any

// ran is all that plasm-run has said of a job: the predicate of its receipt, or
// why it did not start.
type ran struct {
	Stderr    string
	Code      int
	Error     any
	Subject   any // digests of both outputs
	Predicate object
}

// play runs a job.
func play(t *testing.T, program []string, job run, more ...string) *ran {
	t.Helper()
	r, _ := played(t, program, job, more...)
	return r
}

// played runs a job, and returns the result document too.
func played(t *testing.T, program []string, job run, more ...string) (*ran, []byte) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := command(t.Context(), program, append(more, job.command()...)...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	_ = cmd.Run() // what it exits with is compared
	var document struct {
		Error   any
		Receipt struct{ Payload []byte }
	}
	if err := json.Unmarshal(stdout.Bytes(), &document); err != nil {
		t.Fatalf("%v: %v: %.300s%s", cmd.Args, err, stdout.Bytes(), stderr.Bytes())
	}
	r := &ran{Stderr: stderr.String(), Code: cmd.ProcessState.ExitCode(), Error: document.Error}
	if document.Error == nil {
		must(t, json.Unmarshal(document.Receipt.Payload, r))
	}
	return r, stdout.Bytes()
}

func (r *ran) part(name string) object {
	o, _ := r.Predicate[name].(object) // of nil nothing can be taken, and nothing is
	return o
}

// lasting is what must be the same in each run of a job: all but its id, times, and
// whether it was compiled before.
func (r *ran) lasting(t *testing.T) *ran {
	t.Helper()
	return r.without(t, "started_at", "finished_at", "manifest.id",
		"outcome.wall_time_us", "outcome.cpu_time_us", "outcome.compile_time_us", "outcome.compile_cached")
}

// elsewhere is what must be the same on another processor too.
func (r *ran) elsewhere(t *testing.T) *ran {
	t.Helper()
	return r.lasting(t).without(t, "node.arch", "node.guards")
}

// engineless is what must be the same on another engine too, wherever it is.
func (r *ran) engineless(t *testing.T) *ran {
	t.Helper()
	if engine, ok := r.part("node")["engine"].(object); r.Predicate != nil && (!ok || engine["name"] == "") {
		t.Errorf("no engine: %v", r.Predicate)
	}
	return r.elsewhere(t).without(t, "node.engine")
}

// wasmtime builds the other engine and returns the flags with which plasm-run takes it.
func wasmtime(t *testing.T) []string {
	t.Helper()
	need.Compiler(t)
	dir := t.TempDir()
	must(t, bin.BuildEngines(t.Context(), dir))
	return []string{"--engine", "wasmtime", "--engines", dir}
}

// without is r without some members of the predicate, or of an object in it. They
// must be there if there is a predicate.
func (r *ran) without(t *testing.T, names ...string) *ran {
	t.Helper()
	if r.Predicate == nil {
		return r
	}
	left := *r
	left.Predicate = maps.Clone(r.Predicate)
	for _, name := range names {
		o := left.Predicate
		if part, member, within := strings.Cut(name, "."); within {
			o, name = maps.Clone(left.part(part)), member
			left.Predicate[part] = o
		}
		if _, ok := o[name]; !ok {
			t.Errorf("no %s", name)
		}
		delete(o, name)
	}
	return &left
}

// same compares two runs, of which the second was done in another way.
func same(t *testing.T, way string, one, other *ran) {
	t.Helper()
	if diff := cmp.Diff(one, other); diff != "" {
		t.Errorf("%s the same job came out differently (-first +%s):\n%s", way, way, diff)
	}
}

// TestRepeat runs each job in several ways, all of which must come to the same.
//
// Without fuel, how deep calls go is the engine's to say: a program that finds out
// shows the difference. So what recurses without end is left out there.
func TestRepeat(t *testing.T) {
	t.Parallel()
	interpreter, emulated := interpreted(t), arm64(t)
	other, both := wasmtime(t), wasmtimeOnArm64(t)
	for _, r := range runs(subjects(t)) {
		t.Run(r.String(), func(t *testing.T) {
			t.Parallel()
			first := play(t, here(), r)
			again(t, r, first)
			alike := !r.refused && !r.bounded && (r.metered || !r.deep)
			if alike {
				same(t, "interpreted", first.lasting(t), play(t, interpreter, r, "--no-cache").lasting(t))
			}
			if alike && !r.differs {
				same(t, "on wasmtime", first.engineless(t), play(t, here(), r, other...).engineless(t))
			}
			if both != nil && emulable(r) && !r.large && !r.differs {
				same(t, "on wasmtime on arm64", first.engineless(t), play(t, here(), r, both...).engineless(t))
			}
			if emulated != nil && emulable(r) {
				other := play(t, emulated, r, "--no-cache")
				if arch := other.part("node")["arch"]; arch != "arm64" {
					t.Errorf("the other receipt is of %v: %v %v", arch, other.Error, other.Stderr)
				}
				same(t, "on arm64", first.elsewhere(t), other.elsewhere(t))
			}
		})
	}
}

// again runs a job a second time. Its machine code comes from the cache then, where
// there is one.
func again(t *testing.T, r run, first *ran) {
	t.Helper()
	second := play(t, here(), r)
	if cached := second.part("outcome")["compile_cached"]; second.Error == nil && cached != true &&
		guarded(second, "landlock") {
		t.Errorf("the second run has compile_cached %v", cached)
	}
	same(t, "again", first.lasting(t), second.lasting(t))
}

// guarded reports whether a guard was active.
func guarded(r *ran, guard string) bool {
	list, _ := r.part("node")["guards"].([]any)
	return slices.Contains(list, any(guard))
}
