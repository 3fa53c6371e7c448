package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"plasm/lib/cli"
	"plasm/lib/control"
	"plasm/lib/custody"
	"plasm/lib/identity"
	"plasm/lib/job"
)

// place says which node a subcommand is about.
type place struct {
	flags               *cli.Flags
	user                control.User
	dataDir, runtimeDir string // as given; "" where not
	shut                string // set by running: the runtime folder of a node that this user may not ask
}

// addPlace adds --data-dir and --runtime-dir to a flag set.
func addPlace(f *cli.Flags, in *cli.Invocation) *place {
	p := &place{flags: f, user: user(in)}
	f.Path(&p.dataDir, cli.Flag{
		Name: "data-dir", Category: theNode, Value: "DIR", Variables: []string{settings().Variable("data-dir")},
		Usage: "the node with this data folder, also when it is not running", Complete: cli.Completion{Folders: true},
	})
	f.Path(&p.runtimeDir, cli.Flag{
		Name: "runtime-dir", Category: theNode, Value: "DIR", Variables: []string{settings().Variable("runtime-dir")},
		Usage: "the node in this runtime folder", Complete: cli.Completion{Folders: true},
	})
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

// errNobody says that no node answers, and errUnreached that one holds the data folder's
// lock, and does not answer.
var (
	errNobody    = errors.New("no node answers")
	errUnreached = errors.New("the node does not answer")
)

// become gives up root's rights, for good, where something is in another user's
// hands: that user says what is found there, and root must not act on it.
func (p *place) become(other int) error {
	if p.user.UID != 0 || other == custody.Nobody {
		return nil
	}
	p.user = p.user.As(other)
	return custody.Become(other)
}

// enter is become for what is at a path, absolute or not, which need not be there.
func (p *place) enter(path string) error {
	if p.user.UID != 0 || path == "" {
		return nil
	}
	other, err := custody.Of(0, path)
	if err != nil {
		return &job.Error{
			Code:    job.CodeIO,
			Message: fmt.Sprintf("root looks at nothing that several others can change: %s: %v", path, reason(err)),
			Err:     err,
		}
	}
	return p.become(other)
}

// reason is err without the operation and the path that package os puts before it.
func reason(err error) error {
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		return pathErr.Err
	}
	return err
}

// enterConfig is become for a configuration file, which says where all else is.
func (p *place) enterConfig(file string) error {
	if given(file) {
		return nil
	}
	file, err := filepath.Abs(file)
	if err != nil {
		return &job.Error{Code: job.CodeIO, Message: fmt.Sprintf("%s: %v", file, err), Err: err}
	}
	return p.enter(file)
}

// given reports whether a file is none, standard input, or open already: what the
// shell has in the place of a file.
func given(file string) bool {
	return file == "" || file == "-" || file == "/dev/stdin" || strings.HasPrefix(file, "/dev/fd/") ||
		strings.HasPrefix(file, "/proc/self/fd/")
}

// enterParent is become for the folder of a file, or what there is of the way to it:
// what is in a folder of root's own is for root to replace, whoever's it is.
func (p *place) enterParent(file string) error {
	if p.user.UID != 0 {
		return nil
	}
	dir, _, err := custody.Find(0, file)
	if err != nil {
		return p.enter(filepath.Dir(file))
	}
	defer dir.Close()
	return p.become(dir.Other)
}

// running returns the node that is running there, and root has become the user in
// whose hands it is by then. Where none answers the error is
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
		return &found[0], p.become(found[0].Other)
	case len(found) > 1:
		return nil, &job.Error{
			Code: job.CodeUsage, Message: "more than one node answers: " + strings.Join(where, ", "),
			Hint: "say which one with --runtime-dir DIR",
		}
	}
	for _, u := range unheard {
		if u.Shut {
			p.shut = u.Dir
			return nil, u.Err
		}
	}
	for _, u := range unheard {
		// one of many that is closed to this user is passed over
		if len(dirs) == 1 || !errors.Is(u.Err, fs.ErrPermission) {
			return nil, p.about(u.Err)
		}
	}
	if held, err := p.holder(ctx); held != nil || err != nil {
		return held, err
	}
	return nil, &job.Error{
		Code: job.CodeNoNode, Message: "no running node: nothing answers in " + strings.Join(dirs, ", "),
		Hint: "start one with plasmd serve, or say where it is with --runtime-dir DIR", Err: errNobody,
	}
}

// holder returns the node that holds the lock of the data folder, nil where there is none.
func (p *place) holder(ctx context.Context) (*control.Running, error) {
	if p.runtimeDir != "" && p.dataDir == "" {
		return nil, nil //nolint:nilnil // there is no node to be found so
	}
	dir, err := p.data()
	if err != nil {
		return nil, nil //nolint:nilnil,nilerr // a user without a folder has no node
	}
	held, running, err := control.HolderOf(dir)
	if errors.Is(err, fs.ErrPermission) || err == nil && !running {
		return nil, nil //nolint:nilnil // nor one that this user may know of
	}
	if err == nil && held.Runtime == "" {
		err = errors.New("its lock does not say where it is asked")
	}
	if err == nil {
		var c *control.Client
		if c, err = p.user.Client(held.Runtime); err == nil {
			var status *control.Status
			if status, err = c.Status(ctx); err == nil && status.DataDir == dir {
				return &control.Running{Client: c, Status: status}, p.become(c.Other)
			}
		}
	}
	if err == nil {
		err = errors.New("another node answers in " + held.Runtime)
	}
	return nil, &job.Error{
		Code: job.CodeIO,
		Message: fmt.Sprintf("the node that runs with %s (process %d) cannot be asked: %s", dir, held.PID,
			cli.AsError(err).Message),
		Hint: "ask as the node's user or as root; or end that process, and start plasmd anew", Err: errUnreached,
	}
}

// public returns what everybody may know of the node that this user may not ask: its
// addresses, which it leaves in its runtime folder, and its peer ID, which they end in.
// ok says whether there is such a node, in the one folder that it may be in.
func (p *place) public() (id string, addrs []string, ok bool) {
	if p.shut == "" || p.dataDir != "" && p.runtimeDir == "" && p.shut != filepath.Join(p.dataDir, "run") {
		return "", nil, false
	}
	addrs, err := p.user.ReadAddrs(p.shut)
	if err != nil || len(addrs) == 0 {
		return "", nil, false
	}
	for _, addr := range addrs {
		_, this, _ := strings.Cut(addr, "/p2p/")
		if _, err := identity.ParsePeerID(this); err != nil || id != "" && this != id {
			return "", nil, false
		}
		id = this
	}
	return id, addrs, true
}

// hasOwn reports whether this user has had a node.
func (p *place) hasOwn() bool {
	dir, err := p.user.DataDir()
	if err == nil {
		_, err = os.Stat(dir)
	}
	return err == nil
}

// data returns the data folder, for when no node is running. Root has become the user
// in whose hands it is.
func (p *place) data() (string, error) {
	dir := p.dataDir
	if dir == "" {
		var err error
		if dir, err = p.user.DataDir(); err != nil {
			return "", err
		}
	}
	return dir, p.about(p.enter(dir))
}

// about names the flag that says where the node is, in an error of asking there.
func (p *place) about(err error) error {
	for _, flag := range []string{"runtime-dir", "data-dir"} {
		if err != nil && p.flags != nil && p.flags.Changed(flag) {
			return p.flags.About(flag, err)
		}
	}
	return err
}
