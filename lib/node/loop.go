package node

import (
	"context"
	"fmt"
	"slices"
	"time"

	"plasm/lib/control"
	"plasm/lib/job"
)

// loop does what comes up until ctx ends. It is the node's one place where things
// happen one after the other, and so where it shows that a node is stuck.
func (n *Node) loop(ctx context.Context) error {
	watched, unwatch := context.WithCancel(ctx)
	done := n.manager.watch(watched, n.healthy)
	defer func() { unwatch(); <-done }()
	for {
		select {
		case <-ctx.Done():
			n.stopping.Store(true)
			n.log.Info("node.stopping", "reason", fmt.Sprint(context.Cause(ctx)), "uptime", time.Since(n.started))
			n.manager.stopping(n.cfg.Drain)
			return nil
		case <-n.cfg.Reload:
			n.manager.reloading()
			if err := n.reload(); err != nil {
				n.log.Error("allow file not read, going on as before", "file", n.cfg.AllowFile, "error", err)
			}
			n.manager.reloaded()
		case f := <-n.calls:
			f()
		case _, open := <-n.changes.Out():
			if open {
				n.moved()
			}
		}
	}
}

// do has the loop call f and returns when it has, or an error when it does not
// come to that.
func (n *Node) do(ctx context.Context, f func()) error {
	called := make(chan struct{})
	select {
	case n.calls <- func() { defer close(called); f() }:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-called:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// healthy reports whether the loop comes round, and the routing table with it,
// before ctx ends.
func (n *Node) healthy(ctx context.Context) bool {
	return n.do(ctx, func() { _ = n.host.TableSize() }) == nil
}

// moved leaves new addresses in the runtime folder.
func (n *Node) moved() {
	addrs := n.localAddrs()
	if slices.Equal(addrs, n.addrs) {
		return
	}
	if err := n.folders.WriteAddrs(addrs); err != nil {
		n.log.Warn("addresses not written", "error", err)
		return
	}
	n.addrs = addrs
}

// reload reads the allow file again.
func (n *Node) reload() error {
	if err := n.who.reload(); err != nil {
		return err
	}
	now := n.who.now()
	n.log.Info("allow.reloaded", "file", n.cfg.AllowFile, "peers", len(now.peers), "any", now.any)
	return nil
}

// controlled is a node as its control socket has it.
type controlled struct{ *Node }

// Reload reads the allow file again.
func (n controlled) Reload(ctx context.Context) error {
	var failed error
	if err := n.do(ctx, func() { failed = n.reload() }); err != nil {
		return &job.Error{Code: job.CodeIO, Message: "the node does not come to it: " + err.Error(), Err: err}
	}
	return failed
}

// Status returns what the node says of itself.
func (n controlled) Status(context.Context) (*control.Status, error) { return n.status(), nil }
