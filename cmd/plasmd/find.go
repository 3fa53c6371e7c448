package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"plasm/lib/cli"
	"plasm/lib/control"
	"plasm/lib/job"
)

// place says which node a subcommand is about.
type place struct {
	user                control.User
	dataDir, runtimeDir string // as given; "" where not
}

// addPlace adds --data-dir and --runtime-dir to a flag set.
func addPlace(f *cli.Flags, in *cli.Invocation) *place {
	p := &place{user: user(in)}
	f.Path(&p.dataDir, "data-dir", in.Getenv(settings().Variable("data-dir")))
	f.Path(&p.runtimeDir, "runtime-dir", in.Getenv(settings().Variable("runtime-dir")))
	return p
}

// absolute makes the folders absolute.
func (p *place) absolute() error {
	for _, dir := range []*string{&p.dataDir, &p.runtimeDir} {
		if *dir == "" {
			continue
		}
		abs, err := filepath.Abs(*dir)
		if err != nil {
			return &job.Error{Code: job.CodeIO, Message: fmt.Sprintf("%s: %v", *dir, err), Err: err}
		}
		*dir = abs
	}
	return nil
}

// dirs returns the runtime folders in which the node may be.
func (p *place) dirs() []string {
	if p.runtimeDir != "" {
		return []string{p.runtimeDir}
	}
	dirs := p.user.RuntimeDirs()
	if p.dataDir != "" {
		dirs = append(dirs, filepath.Join(p.dataDir, "run"))
	}
	return dirs
}

// errNobody says that no node answers.
var errNobody = errors.New("no node answers")

// running returns the node that is running there. Where none answers the error is
// a *job.Error that wraps errNobody, or says what kept one from being asked.
func (p *place) running(ctx context.Context) (*control.Running, error) {
	if err := p.absolute(); err != nil {
		return nil, err
	}
	dirs := p.dirs()
	nodes, unheard := p.user.Running(ctx, dirs)
	var found []control.Running
	var where []string
	for _, node := range nodes {
		if p.dataDir == "" || node.Status.DataDir == p.dataDir {
			found = append(found, node)
			where = append(where, node.Dir)
		}
	}
	switch {
	case len(found) == 1:
		return &found[0], nil
	case len(found) > 1:
		return nil, &job.Error{
			Code: job.CodeUsage, Message: "more than one node answers: " + strings.Join(where, ", "),
			Hint: "say which one with --runtime-dir DIR",
		}
	case len(unheard) > 0:
		return nil, unheard[0]
	}
	return nil, &job.Error{
		Code: job.CodeNoNode, Message: "no running node: nothing answers in " + strings.Join(dirs, ", "),
		Hint: "start one with plasmd serve, or say where it is with --runtime-dir DIR", Err: errNobody,
	}
}

// data returns the data folder, for when no node is running.
func (p *place) data() (string, error) {
	if p.dataDir != "" {
		return p.dataDir, nil
	}
	return p.user.DataDir()
}
