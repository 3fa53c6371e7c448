//go:build linux

package attack_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"plasm/test/attack"
)

// ownUser is the world without a filter, as the user who runs the tests.
const ownUser = "own user"

// nobody is a user without rights.
const nobody = 65534

// world is a way to run a supervisor: as a user, under a filter.
type world struct {
	name   string
	user   uint32 // 0: the test's own
	filter []string
	guards []string // that every job requires
	reaped bool     // somebody takes in what the supervisor leaves behind
	c      bool     // the worker has the C library in it, as an engine of its own has
}

var allGuards = []string{"process", "rlimits", "nodump", "pdeathsig", "nofds", "nnp", "landlock", "seccomp"}

// worlds are those in which every promise must hold.
func worlds(t *testing.T) []world {
	t.Helper()
	return bothWorkers(users(t))
}

// bothWorkers repeats worlds with the other kind of worker.
func bothWorkers(all []world) []world {
	for _, w := range all {
		w.name, w.c = w.name+", with C", true
		all = append(all, w)
	}
	return all
}

// users are the worlds without regard to the worker.
func users(t *testing.T) []world {
	t.Helper()
	all := []world{
		{name: ownUser, guards: allGuards},
		{name: "service filter", filter: serviceFilter(t), guards: allGuards},
	}
	if os.Geteuid() == 0 {
		all = append(all,
			world{name: "nobody", user: nobody, guards: allGuards},
			world{name: "nobody, service filter", user: nobody, filter: serviceFilter(t), guards: allGuards})
	}
	return all
}

// extremes are the freest and the narrowest world, for promises that neither a
// user's rights nor another filter have a part in.
func extremes(t *testing.T) []world {
	t.Helper()
	all := users(t)
	return bothWorkers([]world{all[0], all[len(all)-1]})
}

// attackerDir names the variable by which TestMain tells the tests where the
// attacker is.
const attackerDir = "PLASM_TEST_ATTACKER"

// TestMain builds the attacker, once without and once with C.
func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "attacker")
		if err == nil {
			defer func() { _ = os.RemoveAll(dir) }()
			err = build(dir)
		}
		if err != nil {
			_, _ = fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return m.Run()
	}())
}

// The attacker's executables.
const (
	attacker      = "attacker"
	attackerWithC = "attacker-with-c"
)

// built returns the path of one of them.
func built(name string) string { return filepath.Join(os.Getenv(attackerDir), name) }

// build builds the attacker into a folder that everybody may enter.
func build(dir string) error {
	for cgo, name := range []string{attacker, attackerWithC} {
		cmd := exec.CommandContext(context.Background(), "go", "build", "-o", filepath.Join(dir, name), "./attacker")
		cmd.Env = append(os.Environ(), fmt.Sprintf("CGO_ENABLED=%d", cgo))
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s", name, err, out)
		}
	}
	return errors.Join(os.Chmod(dir, 0o755), os.Setenv(attackerDir, dir))
}

// ground is what attacks are aimed at, in a folder that the world can enter.
type ground struct {
	dir string
}

func newGround(t *testing.T) *ground {
	t.Helper()
	dir := t.TempDir()
	for _, way := range []string{dir, filepath.Dir(dir)} { // another user must get in
		must(t, os.Chmod(way, 0o755))
	}
	return &ground{dir: dir}
}

// folder makes a folder that belongs to the world's user.
func (g *ground) folder(t *testing.T, w world) string {
	t.Helper()
	dir, err := os.MkdirTemp(g.dir, "") //nolint:usetesting // below a folder that others can enter
	must(t, err)
	g.give(t, w, dir)
	return dir
}

// file makes a file that belongs to the world's user.
func (g *ground) file(t *testing.T, w world, dir, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	must(t, os.WriteFile(path, content, 0o600))
	g.give(t, w, path)
	return path
}

func (*ground) give(t *testing.T, w world, path string) {
	t.Helper()
	if w.user != 0 {
		must(t, os.Chown(path, int(w.user), int(w.user)))
	}
}

// command returns the attacker's command in a world.
func (*ground) command(t *testing.T, w world, args ...string) *exec.Cmd {
	t.Helper()
	args = append([]string{built(attacker)}, args...)
	if w.filter != nil {
		args = append(append([]string{built(attacker), "under"}, w.filter...), args...)
	}
	cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
	cmd.Dir, cmd.Env = "/", []string{"SECRET=in the environment"}
	if w.user != 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: w.user, Gid: w.user}}
	}
	return cmd
}

// supervise returns the command of a supervisor in a world.
func (g *ground) supervise(t *testing.T, w world) *exec.Cmd {
	t.Helper()
	worker := built(attacker)
	if w.c {
		worker = built(attackerWithC)
	}
	return g.command(t, w, "supervise", worker)
}

// bare tries an attack without any confinement.
func (g *ground) bare(t *testing.T, w world, name, argument string) string {
	t.Helper()
	out, err := g.command(t, world{user: w.user}, "bare", name, argument).CombinedOutput()
	if err != nil {
		t.Fatalf("bare %s %s: %v: %s", name, argument, err, out)
	}
	return strings.TrimSpace(string(out))
}

// reports runs jobs, one after the other, with one supervisor.
func (g *ground) reports(t *testing.T, w world, jobs []attack.Job) []attack.Report {
	t.Helper()
	var in bytes.Buffer
	for i := range jobs {
		jobs[i].Guards = w.guards
		must(t, json.NewEncoder(&in).Encode(jobs[i]))
	}
	cmd := g.supervise(t, w)
	cmd.Stdin = &in
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s%s", err, out, stderr.Bytes())
	}
	var all []attack.Report
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var r attack.Report
		err := d.Decode(&r)
		if errors.Is(err, io.EOF) {
			break
		}
		must(t, err)
		all = append(all, r)
	}
	if len(all) != len(jobs) {
		t.Fatalf("%d reports on %d jobs: %s", len(all), len(jobs), stderr.Bytes())
	}
	return all
}

// killed is what came of an attack that was deadly.
const killed = "SIGSYS"

// came says what came of an attack.
func came(r attack.Report) string {
	switch dead := "signal 31"; {
	case strings.Contains(r.Message, dead), strings.Contains(r.Cause, dead) && r.Status == "engine_failed":
		return killed
	case r.Started && r.Status == "exit":
		return r.Stdout
	case r.Code == "bad_module":
		return r.Message
	}
	return strings.Join([]string{r.Status, r.Cause, r.Code, r.Message}, "|")
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
