//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"

	engines "plasm/lib/engine"
	"plasm/lib/job"
	"plasm/test/attack"
)

// engine attacks. Its modules are plans.
type engine struct{}

func (engine) Name() string       { return attack.Engine }
func (engine) Version() string    { return "1" }
func (engine) Features() []string { return nil }

// Validate implements engine.Validator. It is called to prepare a module that is to be
// rewritten.
func (engine) Validate(_ context.Context, module []byte) error {
	plan, err := attack.Read(module)
	if err == nil && plan.Stage == attack.Prepare {
		err = told(attempt(plan.Attack, plan.Argument))
	}
	return err
}

// Compile attacks if that is the plan, else the module is its own machine code.
func (engine) Compile(_ context.Context, module []byte, out io.Writer) error {
	plan, err := attack.Read(module)
	if err != nil {
		return err
	}
	switch {
	case plan.Stage != attack.Compile:
		_, err = out.Write(module)
	case plan.Attack == "code without end":
		for err == nil {
			_, err = out.Write(make([]byte, 1<<20))
		}
	default:
		err = told(attempt(plan.Attack, plan.Argument))
	}
	return err
}

func (engine) Load(_ context.Context, module []byte, code *os.File, _ int64) (engines.Program, error) {
	plan, err := attack.Read(module)
	if err != nil {
		return nil, err
	}
	if made, err := io.ReadAll(code); err != nil || !bytes.Equal(made, module) { // as an engine would
		return nil, fmt.Errorf("%w: %w", engines.ErrCode, err)
	}
	if plan.Stage == attack.Load {
		return nil, told(attempt(plan.Attack, plan.Argument))
	}
	return program(plan), nil
}

// program is a plan for the guest's time.
type program attack.Plan

// Run attacks and writes what came of it.
func (p program) Run(_ context.Context, host engines.Host) (engines.Result, error) {
	if _, err := io.WriteString(host.Stdout, attempt(p.Attack, p.Argument)); err != nil {
		return engines.Result{}, err
	}
	if p.Wait {
		_, err := io.Copy(io.Discard, host.Stdin)
		return engines.Result{Status: job.Exit}, err
	}
	return engines.Result{Status: job.Exit}, nil
}

// told is how what came of an attack is told before the guest starts.
func told(what string) error {
	return &job.Error{Code: job.CodeBadModule, Message: what}
}
