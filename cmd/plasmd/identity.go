package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"plasm/lib/cli"
	"plasm/lib/identity"
	"plasm/lib/job"
	"plasm/lib/node"
)

// newIdentity is plasmd identity.
func newIdentity(in *cli.Invocation) *command {
	flags := cli.NewFlags(identityDoc(), in.Getenv)
	where := addPlace(flags, in)
	return &command{flags, func(ctx context.Context, in *cli.Invocation) error {
		if err := noArgument(flags); err != nil {
			return err
		}
		id, err := where.peerID(ctx)
		if err != nil {
			return err
		}
		return in.Print([]byte(id + "\n"))
	}}
}

// peerID returns the peer ID of the running node, or of the key that the next one
// will have.
func (p *place) peerID(ctx context.Context) (string, error) {
	running, unheard := p.running(ctx)
	if unheard == nil {
		id := running.Status.Node.PeerID
		if _, err := identity.ParsePeerID(id); err != nil {
			return "", &job.Error{
				Code:    job.CodeIO,
				Message: fmt.Sprintf("the node in %s does not say who it is: %v", running.Dir, err), Err: err,
			}
		}
		return id, nil
	}
	if p.runtimeDir != "" && p.dataDir == "" || cli.AsError(unheard).Code == job.CodeUsage {
		return "", unheard
	}
	if id, _, ok := p.public(); ok {
		return id, nil
	}
	dir, err := p.data()
	if err != nil {
		return "", err
	}
	key, err := identity.Load(node.KeyPath(dir), p.user.Getenv("CREDENTIALS_DIRECTORY"))
	switch {
	case err == nil:
		return key.PeerID(), nil
	case !errors.Is(unheard, errNobody): // a node runs, and is the better reason
		return "", unheard
	case errors.Is(err, fs.ErrNotExist):
		return "", &job.Error{
			Code: job.CodeNotFound, Message: "no node has run here: there is no key in " + dir,
			Hint: "plasmd serve makes one; --data-dir DIR names another folder", Err: err,
		}
	}
	return "", err
}
