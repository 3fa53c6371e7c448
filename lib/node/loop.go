package node

import (
	"context"
	"fmt"
	"slices"
	"time"

	"plasm/lib/control"
	"plasm/lib/job"
)

// loop does what comes up until ctx ends, or the owner has the node drained, and then
// until the jobs that it has have ended. It is the node's one place where things
// happen one after the other, and so where it shows that a node is stuck.
func (n *Node) loop(ctx context.Context) error {
	watched, unwatch := context.WithCancel(context.WithoutCancel(ctx))
	done := n.manager.watch(watched, n.healthy)
	defer func() { unwatch(); <-done }()
	stop := ctx.Done()
	for {
		select {
		case <-stop:
			stop = nil
			n.drain(fmt.Sprint(context.Cause(ctx)))
			n.limitDrain()
		case <-n.drained:
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
			if open && !n.draining() {
				n.moved()
			}
		}
	}
}

// drain has the node take no more jobs, and ends the loop when it has none. It is the
// loop's to call, any number of times.
func (n *Node) drain(reason string) {
	if n.draining() {
		return
	}
	n.drainUntil.Store(&time.Time{})
	n.closed("addresses", n.folders.RemoveAddrs())
	stats := n.queue.Stats()
	n.log.Info("node.draining", "reason", reason, "uptime", time.Since(n.started), "running", stats.Running, "reserved",
		stats.Reserved, "waiting", stats.Waiting)
	ctx, cut := context.WithCancel(context.Background())
	drained := make(chan struct{})
	n.drained, n.cut = drained, cut
	go func() {
		defer close(drained)
		defer cut()
		n.jobs.Drain(ctx)
	}()
}

// limitDrain has the jobs of a node that drains cancelled after Config.Drain.
func (n *Node) limitDrain() {
	until := time.Now().Add(n.cfg.Drain)
	n.drainUntil.Store(&until)
	n.manager.stopping(n.cfg.Drain)
	if n.cfg.Drain <= 0 {
		n.cut()
		return
	}
	late := time.AfterFunc(n.cfg.Drain, n.cut)
	n.onStop(func() { late.Stop() })
}

// draining reports whether the node takes no more jobs.
func (n *Node) draining() bool { return n.drainUntil.Load() != nil }

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

// Jobs returns the jobs of now.
func (n controlled) Jobs() *control.Jobs { return n.namedJobs() }

// Cancel stops a job.
func (n controlled) Cancel(ctx context.Context, requester, id string) (*control.Job, error) {
	return n.jobs.Cancel(ctx, requester, id)
}

// Drain has the node take no more jobs, and end when it has none.
func (n controlled) Drain(ctx context.Context) error {
	if err := n.do(ctx, func() { n.drain("drained by its owner") }); err != nil {
		return &job.Error{Code: job.CodeIO, Message: "the node does not come to it: " + err.Error(), Err: err}
	}
	return nil
}
