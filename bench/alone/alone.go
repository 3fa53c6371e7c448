// Package alone runs a module by an engine in the process that it is called in,
// with nothing around it: no confinement, no supervisor, no receipt. It is what the
// whole of plasm-run is compared with.
package alone

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"plasm/lib/engine"
	"plasm/lib/job"
)

// memoryMB is what a guest may have, as by default in a job.
const memoryMB = 256

// Main is the whole of such a program, with its arguments: a file for the
// machine code, which is made where it is not there yet; the module; and the
// guest's arguments. Input is empty. It returns the guest's exit code, or 125 where
// the guest did not come to its end.
func Main(e engine.Engine, args []string, stdout, stderr io.Writer) int {
	if len(args) < 2 {
		_, _ = fmt.Fprintf(stderr, "usage: alone CACHE MODULE [ARG…]\n")
		return 125
	}
	result, err := run(context.Background(), e, args[0], args[1],
		engine.Host{Args: args[2:], StdinKnown: true, Stdout: stdout, Stderr: stderr})
	if err == nil && result.Status != job.Exit {
		err = fmt.Errorf("it ended with %s %s", result.Status, result.Trap)
	}
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "alone: %s: %v\n", args[1], err)
		return 125
	}
	return int(min(result.ExitCode, 255))
}

func run(ctx context.Context, e engine.Engine, cache, path string, host engine.Host) (engine.Result, error) {
	module, err := os.ReadFile(path)
	if err != nil {
		return engine.Result{}, err
	}
	code, err := compiled(ctx, e, module, cache)
	if err != nil {
		return engine.Result{}, err
	}
	program, err := e.Load(ctx, module, code, memoryMB)
	if err != nil {
		return engine.Result{}, err
	}
	return program.Run(ctx, host)
}

// compiled opens the module's machine code, which it compiles into the file cache unless it is
// there.
func compiled(ctx context.Context, e engine.Engine, module []byte, cache string) (*os.File, error) {
	if code, err := os.Open(cache); err == nil {
		return code, nil
	}
	made, err := os.Create(cache + ".new")
	if err != nil {
		return nil, err
	}
	err = errors.Join(e.Compile(ctx, module, made), made.Close())
	if err == nil {
		err = os.Rename(made.Name(), cache)
	}
	if err != nil {
		return nil, err
	}
	return os.Open(cache)
}
