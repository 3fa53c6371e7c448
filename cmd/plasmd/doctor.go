package main

import (
	"bytes"
	"context"
	"fmt"
	"os"

	"plasm/lib/cli"
	"plasm/lib/cli/version"
	"plasm/lib/control"
	"plasm/lib/custody"
	"plasm/lib/job"
	"plasm/lib/node"
	"plasm/lib/node/doctor"
)

// The packaged service's runtime folder and configuration.
const (
	serviceRuntime = "/run/plasmd"
	serviceConfig  = "/etc/plasmd/plasmd.toml"
)

// examine are the flags of plasmd doctor.
type examine struct {
	where  *place
	config string
	asJSON bool
}

// newDoctor is plasmd doctor.
func newDoctor(in *cli.Invocation) *command {
	flags := cli.NewFlags(doctorDoc(), in.Getenv)
	e := &examine{}
	flags.Path(&e.config, cli.Flag{
		Name: "config", Category: does, Value: "FILE", Variables: []string{"PLASMD_CONFIG"},
		Default: "that of the packaged service, where it is about that", Usage: "the node's configuration file",
		Complete: cli.FileLike(".toml"),
	})
	flags.Switch(&e.asJSON, cli.Flag{
		Name: "json", Category: does, Usage: "write a document: the worst state, and each check",
	})
	e.where = addPlace(flags, in)
	return &command{flags, func(ctx context.Context, in *cli.Invocation) error {
		if err := noArgument(flags); err != nil {
			return err
		}
		return e.run(ctx, in)
	}}
}

func (e *examine) run(ctx context.Context, in *cli.Invocation) error {
	patient, err := e.patient(ctx, in)
	if err != nil {
		return err
	}
	report := doctor.Examine(ctx, patient)
	var out bytes.Buffer
	if e.asJSON {
		err = cli.WriteJSON(&out, report)
	} else {
		writeReport(&out, report)
	}
	if err == nil {
		err = in.Print(out.Bytes())
	}
	if err == nil && report.State == doctor.Failed {
		err = errFailed
	}
	return err
}

// patient finds the node, and the settings that it has or would have.
func (e *examine) patient(ctx context.Context, in *cli.Invocation) (*doctor.Patient, error) {
	running, unheard := e.where.running(ctx)
	p := &doctor.Patient{Unheard: unheard, Version: version.String(), Credentials: in.Getenv("CREDENTIALS_DIRECTORY")}
	if unheard != nil && cli.AsError(unheard).Code == job.CodeUsage {
		return nil, unheard
	}
	if unheard == nil {
		p.Status = running.Status
	} else if p.Shut = e.where.shut; p.Shut != "" {
		p.PeerID, p.Addrs, _ = e.where.public()
	}
	e.asService(p)
	if err := e.where.enterConfig(e.config); err != nil {
		return nil, err
	}
	s, err := e.settings(in, p, e.config)
	if err != nil {
		p.Settings = err
		if s, err = e.settings(in, p, ""); err != nil {
			return nil, err
		}
	}
	p.Config, p.DataDir, p.AllowFile, p.Worker = e.config, s.dataDir, s.allowFile, s.worker
	if p.Status != nil {
		p.DataDir, p.AllowFile, p.Worker = p.Status.DataDir, p.Status.Allow.File, p.Status.Worker
	}
	if err := e.enter(s, p); err != nil {
		return nil, err
	}
	p.Strange = p.Status != nil && running.Other != custody.Nobody && running.Other != os.Geteuid()
	p.KeyPath, p.Engines = node.KeyPath(p.DataDir), s.engines
	p.Given, p.Listen, p.Slots, p.MemoryMB = s.allow, s.listen, s.slots, s.memory
	p.Disk = s.keepContent + s.keepJobs
	p.RequireGuards, err = s.flags.Guards(s.requireGuards)
	if err != nil && p.Settings == nil {
		p.Settings = err
	}
	return p, nil
}

// enter has root become the user in whose hands is what the checks look at, and what
// they start: the data folder first. A worker beside plasmd is where plasmd is.
func (e *examine) enter(s *serve, p *doctor.Patient) error {
	paths := []string{p.DataDir, s.runtimeDir}
	if p.Status != nil || s.flags.Changed("worker") {
		paths = append(paths, p.Worker)
	}
	for _, path := range paths {
		if err := e.where.enter(path); err != nil {
			return err
		}
	}
	return e.where.enterParent(p.AllowFile)
}

// asService finds out whether this is about the packaged service, and takes its
// configuration then.
func (e *examine) asService(p *doctor.Patient) {
	if _, err := os.Stat(serviceConfig); err != nil || e.config != "" && e.config != serviceConfig {
		return
	}
	switch {
	case p.Status != nil:
		p.Service = p.Status.RuntimeDir == serviceRuntime
	case p.Shut != "":
		p.Service = p.Shut == serviceRuntime
	default:
		p.Service = e.where.dataDir == "" && e.where.runtimeDir == "" && (e.where.user.UsesRoots() || !e.where.hasOwn())
	}
	if p.Service {
		e.config = serviceConfig
	}
}

// settings are what plasmd serve would have with a configuration file.
func (e *examine) settings(in *cli.Invocation, p *doctor.Patient, config string) (*serve, error) {
	s := newServeFlags(in)
	s.config, s.user = config, e.where.user
	if p.Service && !s.user.UsesRoots() {
		s.user = control.User{Getenv: in.Getenv}.As(e.where.user.UID)
	}
	if config == "" && p.Settings != nil { // nor variables: what is wrong may be one of them
		of := s.user
		s = newServeFlags(&cli.Invocation{Getenv: func(string) string { return "" }})
		s.user = of
	}
	for flag, value := range map[string]string{"data-dir": e.where.dataDir, "runtime-dir": e.where.runtimeDir} {
		if value == "" {
			continue
		}
		if err := s.flags.Set(flag, value); err != nil {
			return nil, err
		}
	}
	if err := s.flags.FromVariables(); err != nil {
		return nil, err
	}
	if err := s.settle(in); err != nil {
		return nil, err
	}
	_, err := s.nodeConfig()
	return s, err
}

// writeReport says in words what the checks came to.
func writeReport(out *bytes.Buffer, r *doctor.Report) {
	for _, f := range r.Checks {
		fmt.Fprintf(out, "%-8s %-13s %s\n", f.State, f.Name, cli.OneLine(f.Message))
		if f.Hint != "" {
			fmt.Fprintf(out, "%-8s %-13s hint: %s\n", "", "", cli.OneLine(f.Hint))
		}
	}
}
