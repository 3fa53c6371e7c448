package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"strings"
	"time"

	"plasm/lib/job"
)

// Build is what a plasm-run says of itself when it is started with --engine-info,
// as one line of JSON.
type Build struct {
	Version string       `json:"version"` // of plasm
	Engines []EngineInfo `json:"engines"` // those that its workers have
}

// Limits on what a plasm-run may say of itself, and on the time it may take.
const (
	maxBuild    = 64 << 10 // bytes
	buildWithin = 10 * time.Second
)

// AskBuild starts the plasm-run at path and returns what it says of itself. An
// error is a *job.Error: job.CodeNotFound where there is none.
func AskBuild(ctx context.Context, path string) (*Build, error) {
	ctx, cancel := context.WithTimeout(ctx, buildWithin)
	defer cancel()
	ask := exec.CommandContext(ctx, path, "--engine-info")
	ask.Env, ask.Dir, ask.WaitDelay = []string{}, "/", time.Second
	var out, words short
	ask.Stdout, ask.Stderr = &out, &words
	err := ask.Run()
	switch {
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	case out.err != nil: // and not the signal that it ended with then
		err = out.err
	case errors.Is(err, fs.ErrPermission):
		err = fs.ErrPermission
	case err != nil && len(words.data) > 0:
		said, _, _ := strings.Cut(string(words.data), "\n")
		err = fmt.Errorf("%w: %s", err, job.Quote(said))
	}
	b := &Build{}
	if err == nil {
		err = json.Unmarshal(out.data, b)
	}
	if err == nil && len(b.Engines) == 0 {
		err = errors.New("it names no engine")
	}
	if err == nil {
		return b, nil
	}
	e := &job.Error{
		Code:    job.CodeIO,
		Message: fmt.Sprintf("the worker does not say which engines it has: %s: %v", path, err),
		Hint:    "name a plasm-run of this version with --worker PATH", Err: err,
	}
	if errors.Is(err, fs.ErrNotExist) {
		e.Code, e.Message = job.CodeNotFound, "there is no worker: "+path
	}
	return nil, e
}

// short is what was written to it, of which there may not be much.
type short struct {
	data []byte
	err  error // there was more
}

func (s *short) Write(p []byte) (int, error) {
	if len(s.data)+len(p) > maxBuild {
		s.err = fmt.Errorf("it says more than %d bytes", maxBuild)
		return 0, s.err
	}
	s.data = append(s.data, p...)
	return len(p), nil
}
