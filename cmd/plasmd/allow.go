package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"plasm/lib/cli"
	"plasm/lib/control"
	"plasm/lib/custody"
	"plasm/lib/identity"
	"plasm/lib/job"
	"plasm/lib/node"
)

// allow are the flags of plasmd allow.
type allow struct {
	where        *place
	remove, list bool
}

// newAllow is plasmd allow.
func newAllow(in *cli.Invocation) *command {
	flags := cli.NewFlags(allowDoc(), in.Getenv)
	a := &allow{}
	flags.Switch(&a.remove, cli.Flag{
		Name: "remove", Category: does,
		Usage: "remove them instead, and the comments on their lines",
	})
	flags.Switch(&a.list, cli.Flag{Name: "list", Category: does, Usage: "print who is in the file, one a line"})
	a.where = addPlace(flags, in)
	return &command{flags, func(ctx context.Context, in *cli.Invocation) error {
		return a.run(ctx, in, flags.Args())
	}}
}

func (a *allow) run(ctx context.Context, in *cli.Invocation, names []string) error {
	switch {
	case a.list && (a.remove || len(names) > 0):
		return cli.Usage(name+" allow", "--list changes nothing: leave out --remove and PEERID")
	case !a.list && len(names) == 0:
		return cli.Usage(name+" allow", "who? PEERID or any is missing")
	}
	running, file, untold, err := a.where.allowFile(ctx)
	if err != nil {
		return err
	}
	if a.list {
		return list(in, file, running)
	}
	edit := identity.ListEdit{Kind: identity.AllowFile, Add: names}
	if a.remove {
		edit = identity.ListEdit{Kind: identity.AllowFile, Remove: names}
	}
	if err := mayEdit(running); err != nil {
		return err
	}
	peers := named(file, names)
	changed, err := identity.EditList(file, edit)
	if errors.Is(err, fs.ErrNotExist) {
		return &job.Error{
			Code: job.CodeNotFound, Message: cli.AsError(err).Message,
			Hint: "no node has run here: plasmd serve makes the folder; --data-dir DIR names another", Err: err,
		}
	}
	if err != nil {
		return a.where.lowered(file, err)
	}
	a.tell(in, file, names, changed)
	if running != nil {
		untold = running.Reload(ctx)
	}
	switch {
	case untold != nil:
		e := cli.AsError(untold)
		say(in, "the running node was not told, and goes on as before: %s", e.Message)
		say(in, "hint: %s", cmp.Or(e.Hint, "have it read the file again, which says in its log what is wrong: SIGHUP"))
		return errFailed
	case running != nil && a.remove:
		return stillAllowed(ctx, in, running, peers)
	}
	return nil
}

// named returns the peer IDs of those that the names of an allow file stand for, and of
// all others what they are called.
func named(file string, names []string) []string {
	peers := slices.Clone(names)
	data, err := identity.ReadRegular(file)
	if err != nil {
		return peers // what is wrong with it the edit says
	}
	listed, err := identity.ParseList(identity.AllowFile, data, file)
	if err != nil {
		return peers
	}
	for _, p := range listed.Peers {
		for i, name := range names {
			if name == p.Name {
				peers[i] = p.ID
			}
		}
	}
	return peers
}

// stillAllowed says who of those that were removed may submit nevertheless, and why. That
// some are named by what no command edits is errFailed.
func stillAllowed(ctx context.Context, in *cli.Invocation, running *control.Running, names []string) error {
	status, err := running.Client.Status(ctx)
	if err != nil {
		return err
	}
	var failed error
	for _, name := range names {
		switch {
		case slices.Contains(status.Allow.Given, name):
			say(in, "%s may still submit, until the node is started without: %s", name, status.Allow.GivenBy)
			failed = errFailed
		case status.Allow.Any && name != "any":
			say(in, "%s may still submit, as everybody may: any is allowed", name)
		}
	}
	return failed
}

// mayEdit refuses to edit what another user's node names: it could name any file of
// the one who asks. Root has become the node's user by then.
func mayEdit(running *control.Running) error {
	if running == nil || running.Other == custody.Nobody || running.Other == os.Geteuid() {
		return nil
	}
	return &job.Error{
		Code: job.CodeIO, Message: fmt.Sprintf("the node in %s is in the hands of %s, and its allow file with it",
			running.Dir, custody.Name(running.Other)),
		Hint: "edit it as that user, or as root: sudo plasmd allow",
	}
}

// lowered is err, with what to do where root edits as the node's user.
func (p *place) lowered(file string, err error) error {
	if !errors.Is(err, fs.ErrPermission) || p.user.UID == 0 || !p.user.UsesRoots() {
		return err
	}
	return &job.Error{
		Code: job.CodeIO,
		Message: fmt.Sprintf("%s, which the node names, is not for %s to edit, in whose hands the node is", file,
			custody.Name(p.user.UID)),
		Hint: "if it is the right file, edit it by hand, then: sudo systemctl reload plasmd", Err: err,
	}
}

// tell says what has become of the file.
func (a *allow) tell(in *cli.Invocation, file string, names, changed []string) {
	did, had := "added", "was there already"
	if a.remove {
		did, had = "removed", "was not there"
	}
	for i, name := range names {
		switch {
		case slices.Contains(names[:i], name):
		case slices.Contains(changed, name):
			say(in, "%s: %s %s", file, did, name)
		default:
			say(in, "%s: %s %s", file, name, had)
		}
	}
}

// allowFile returns the running node, if there is one, and its allow file, or
// that which the next one has unless it is told otherwise. untold is why the node that
// runs with the data folder could not be asked. Root has become the user
// in whose hands it is.
func (p *place) allowFile(ctx context.Context) (running *control.Running, file string, untold, err error) {
	running, err = p.running(ctx)
	switch {
	case err == nil:
		return running, running.Status.Allow.File, nil, p.enterParent(running.Status.Allow.File)
	case errors.Is(err, errUnreached):
		untold = err
	case !errors.Is(err, errNobody) || p.runtimeDir != "" && p.dataDir == "":
		return nil, "", nil, err
	}
	dir, err := p.data()
	return nil, filepath.Join(dir, node.AllowName), untold, err
}

// list prints who may submit, one a line: those in the file, and those whom the running
// node was given besides, with what gives them. A file that is not there lists nobody.
func list(in *cli.Invocation, file string, running *control.Running) error {
	data, err := identity.ReadRegular(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	listed, err := identity.ParseList(identity.AllowFile, data, file)
	if err != nil {
		return err
	}
	var out []byte
	if listed.Any {
		out = append(out, "any\n"...)
	}
	for _, p := range listed.Peers {
		out = append(out, p.String()+"\n"...)
	}
	if running != nil {
		for _, given := range running.Status.Allow.Given {
			out = append(out, cli.OneLine(given+" # "+running.Status.Allow.GivenBy)+"\n"...)
		}
	}
	if len(out) == 0 {
		return nil
	}
	return in.Print(out)
}
