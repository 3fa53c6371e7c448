package main

import (
	"context"
	"os"

	"plasm/lib/cli"
	"plasm/lib/sandbox"
)

// newCheck is plasmd check.
func newCheck(in *cli.Invocation) *command {
	flags := cli.NewFlags(checkDoc(), in.Getenv)
	var config string
	flags.Path(&config, cli.Flag{
		Name: "config", Category: does, Value: "FILE", Variables: []string{"PLASMD_CONFIG"},
		Default: "for root that of the packaged service, where there is one",
		Usage:   "the configuration file, or - for standard input", Complete: cli.FileLike(".toml"),
	})
	return &command{flags, func(ctx context.Context, in *cli.Invocation) error {
		if err := noArgument(flags); err != nil {
			return err
		}
		s := newServeFlags(in)
		if config != "" {
			if err := s.flags.Set("config", config); err != nil {
				return err
			}
		} else if _, err := os.Stat(serviceConfig); err == nil && s.user.UsesRoots() {
			s.config = serviceConfig
		}
		return s.check(ctx, in)
	}}
}

// check says that a node would start with the variables and the file that are there, or
// returns the error that it would end with.
func (s *serve) check(ctx context.Context, in *cli.Invocation) error {
	if err := s.flags.FromVariables(); err != nil {
		return err
	}
	cfg, err := s.prepare(in)
	if err != nil {
		return err
	}
	if err := s.checkLimits(); err != nil {
		return err
	}
	if _, err := sandbox.AskBuild(ctx, cfg.Worker); err != nil {
		return s.flags.About("worker", err)
	}
	what := s.config
	if what == "" {
		what = "without a configuration file"
	}
	say(in, "%s: a node would start", what)
	return nil
}
