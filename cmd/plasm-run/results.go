package main

import (
	"crypto/ed25519"
	"fmt"

	"plasm/lib/cli"
	"plasm/lib/cli/reuse"
)

// results opens the folder of --results, of which only what the user's own key has signed
// counts here. Nil: there is none.
func (o *options) results(in *cli.Invocation, guards []string) (*reuse.Shelf, error) {
	if o.job.Results == "" {
		return nil, nil //nolint:nilnil // the nil one is a folder that has nothing
	}
	key, err := o.job.LoadKey(in)
	if err != nil {
		return nil, err
	}
	return reuse.Open(reuse.Config{
		Dir: o.job.Results, Keep: o.job.ResultsKeep, Trusted: []ed25519.PublicKey{key.Public()}, Guards: guards,
		Say: func(line string) { _, _ = fmt.Fprintf(in.Stderr, "%s: %s\n", name, cli.OneLine(line)) },
	})
}
