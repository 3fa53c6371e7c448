//go:build linux

package main

import (
	"context"
	"io"
	"os"
	"path/filepath"

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

// Compile attacks if that is the plan, else it leaves something in the cache.
func (engine) Compile(_ context.Context, module []byte, staging string) error {
	plan, err := attack.Read(module)
	if err != nil {
		return err
	}
	if plan.Stage == attack.Compile {
		return told(attempt(plan.Attack, plan.Argument))
	}
	dir := filepath.Join(staging, "code")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "file"), module, 0o600)
}

func (engine) Load(_ context.Context, module []byte, cached string, _ int64) (engines.Program, error) {
	plan, err := attack.Read(module)
	if err != nil {
		return nil, err
	}
	if cached != "" { // as an engine would
		if _, err := os.ReadFile(filepath.Join(cached, "code", "file")); err != nil {
			return nil, err
		}
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
