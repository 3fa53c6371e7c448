//go:build linux

package hostile_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"plasm/lib/identity"
	"plasm/lib/job"
	"plasm/lib/receipt"
	"plasm/test/bin"
	"plasm/test/hostile"
)

// ran is what came of one plasm-run.
type ran struct {
	hostile.Measurement
	outcome        *job.Outcome // nil: the job did not start
	guards         []string
	code           job.Code
	message        string
	stdout, stderr bytes.Buffer
	complaint      string // what the command said besides
}

// patience is for a command that hangs: no test waits longer.
const patience = 3 * time.Minute

// run runs plasm-run --json with a module, which must end with a document.
func (g *ground) run(t *testing.T, module string, input io.Reader, flags ...string) *ran {
	t.Helper()
	r, err := g.start(t.Context(), module, input, flags...)
	must(t, err)
	return r
}

// start is run for a goroutine.
func (g *ground) start(ctx context.Context, module string, input io.Reader, flags ...string) (*ran, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	args := append([]string{"measure", built("plasm-run"), "--json", "--key", g.path("key.pem")}, flags...)
	cmd := exec.CommandContext(ctx, built("runner"), append(args, module)...)
	cmd.Dir, cmd.Env = g.path("cwd"), append(g.env(), bin.Env()...)
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = input, &stdout, &stderr, []*os.File{w}
	if err = errors.Join(cmd.Run(), w.Close()); err != nil {
		return nil, fmt.Errorf("runner: %w: %s", err, stderr.String())
	}
	result := &ran{complaint: stderr.String()}
	if err := json.NewDecoder(r).Decode(&result.Measurement); err != nil {
		return nil, err
	}
	err = result.read(g, stdout.Bytes())
	return result, err
}

// read reads the one document that the command has written. What it says of a job
// must be signed, and be about the output.
func (r *ran) read(g *ground, document []byte) error {
	if _, err := job.Parse(document); err != nil {
		return fmt.Errorf("%w: %.500q, %s", err, document, r.complaint)
	}
	var failure struct {
		Error struct {
			Code    job.Code `json:"code"`
			Message string   `json:"message"`
		} `json:"error"`
	}
	if err := json.Unmarshal(document, &failure); err != nil {
		return err
	}
	if failure.Error.Code != "" {
		r.code, r.message = failure.Error.Code, failure.Error.Message
		return nil
	}
	result, err := job.ReadResult(bytes.NewReader(document), &r.stdout, &r.stderr, nil)
	if err != nil {
		return err
	}
	key, err := identity.Load(g.path("key.pem"), "")
	if err != nil {
		return err
	}
	verified, err := receipt.Verify(result.Envelope, []ed25519.PublicKey{key.Public()})
	if err != nil {
		return err
	}
	if verified.Stdout != job.Sum(r.stdout.Bytes()) || verified.Stderr != job.Sum(r.stderr.Bytes()) {
		return errors.New("the receipt is about another output")
	}
	r.outcome, r.guards = verified.Outcome, verified.Node.Guards
	return nil
}

// write puts a module into a file.
func (g *ground) write(t *testing.T, module []byte) string {
	t.Helper()
	path := g.path("home/module.wasm")
	must(t, os.WriteFile(path, module, 0o600))
	return path
}

// next runs an honest job and checks what it answers.
func (g *ground) next(t *testing.T) {
	t.Helper()
	r := g.run(t, helloModule(t), strings.NewReader("hello"))
	if r.outcome == nil || r.outcome.Status != job.Exit || r.stdout.String() != "olleh" {
		t.Errorf("the next job: %s %s %+v %q", r.code, r.message, r.outcome, r.stdout.String())
	}
}

func helloModule(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs("../../examples/hello/hello.wasm")
	must(t, err)
	return path
}
