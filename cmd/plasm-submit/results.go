package main

import (
	"context"
	"crypto/ed25519"

	"plasm/lib/cli"
	"plasm/lib/cli/reuse"
	"plasm/lib/identity"
)

// results opens the folder of --results, of which only what peers have signed that are
// named counts. Nil: there is none.
func (o *options) results(in *cli.Invocation, t *trust) (*reuse.Shelf, error) {
	if o.job.Results == "" {
		return nil, nil //nolint:nilnil // the nil one is a folder that has nothing
	}
	trusted := make([]ed25519.PublicKey, 0, len(t.ids))
	for id := range t.ids {
		key, err := identity.ParsePeerID(id)
		if err != nil {
			return nil, err
		}
		trusted = append(trusted, key)
	}
	return reuse.Open(reuse.Config{
		Dir: o.job.Results, Keep: o.job.ResultsKeep, Trusted: trusted, Guards: o.guards,
		Say: func(line string) { say(in.Stderr, "", line) },
	})
}

// find looks for the job in the folder of --results, all of its input read. Nil: it is not
// there.
func (o *options) find(ctx context.Context,
	described func() (*cli.Description, error),
) (*cli.Description, *reuse.Hit, error) {
	if o.shelf == nil {
		return nil, nil, nil
	}
	d, err := described()
	if err == nil {
		err = cli.Interruptible(ctx, d.Whole)
	}
	if err != nil {
		return nil, nil, late(err)
	}
	return d, o.shelf.Find(d.Manifest), nil
}
