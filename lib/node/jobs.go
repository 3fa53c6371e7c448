package node

import (
	"context"
	"slices"
	"strings"
	"time"

	"plasm/lib/control"
	"plasm/lib/exchange/queue"
	"plasm/lib/exchange/serve"
	"plasm/lib/job"
	"plasm/lib/receipt"
	"plasm/lib/store"
)

const (
	cacheName    = "cache"         // in the data folder: compiled modules
	expireEvery  = 5 * time.Minute // how often results that are too old are looked for
	placesInLine = 256             // of jobs that wait for a slot, which is as many as the queue has
)

// A worker that waits has 6 MiB of memory, 5 of them the executable's, which all share.
const (
	spareMB  = 8
	mostPool = 64
)

// SpareWorkers returns how many workers a node keeps ready, and what they take of the
// memory that it has for jobs, in units of 2^20 bytes: one for each slot, no more
// than 64, nor than fit into an eighth of that memory.
func SpareWorkers(slots, memoryMB int64) (workers, takeMB int64) {
	workers = min(slots, mostPool, memoryMB/8/spareMB)
	return workers, workers * spareMB
}

// openStore opens what jobs need that is not of the network.
func (n *Node) openStore(context.Context) error {
	var err error
	n.store, err = store.Open(store.Config{
		Dir: n.cfg.DataDir, ContentBytes: n.cfg.ContentBytes, JobBytes: n.cfg.JobBytes, MaxAge: n.cfg.Keep,
		Listed: n.listed, Log: n.log, Sound: serve.Sound(n.key),
	})
	if err != nil {
		return err
	}
	n.onStop(n.keepExpiring())
	n.queue = queue.New(queue.Config{
		Slots: int(n.cfg.Slots), MemoryMB: n.cfg.Machine.MemoryMB, Waiting: placesInLine,
	})
	n.openEngines()
	return nil
}

// listed reports whether the allow file, or a flag, names a requester.
func (n *Node) listed(requester string) bool { return n.who.now().peers[requester] }

// keepExpiring removes results that are too old, until what it returns is called.
func (n *Node) keepExpiring() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(expireEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			if _, err := n.store.Expire(); err != nil {
				n.log.Warn("old results not removed", "error", err)
			}
		}
	}()
	return func() { cancel(); <-done }
}

// serveJobs begins to answer offers.
func (n *Node) serveJobs(context.Context) error {
	first := n.engines[0].supervisor
	n.jobs = serve.New(serve.Config{
		Host: n.host, Key: n.key, Store: n.store, Queue: n.queue,
		Run: n.run, Warm: first.Warm, Node: n.describe,
		Receipt:   receipt.Node{PeerID: n.key.PeerID(), Version: n.cfg.Version},
		Allow:     func(requester string) (listed, anybody bool) { return n.listed(requester), n.who.now().any },
		AllowLine: n.allowLine, RequireGuards: n.cfg.RequireGuards,
		Observe: observer{n.metrics}, Log: n.log,
	})
	n.metrics.watchQueue(n.queue)
	n.metrics.watchStore(n.store)
	n.metrics.watchWorkers(first)
	n.onStop(n.jobs.Close) // which has nothing left to do where the loop has drained it
	return nil
}

// systemRuntime is the runtime folder of the packaged service.
const systemRuntime = "/run/plasmd"

// allowLine is the command that lists a requester, as somebody has to type it who
// is logged in on this machine.
func (n *Node) allowLine(requester string) string {
	u, dir := n.cfg.User, n.cfg.RuntimeDir
	if u.Getenv("RUNTIME_DIRECTORY") == systemRuntime && dir == systemRuntime {
		return "sudo plasmd allow " + requester
	}
	shell := control.User{UID: u.UID, Getenv: func(name string) string {
		if name == "RUNTIME_DIRECTORY" || name == "STATE_DIRECTORY" { // which only services have
			return ""
		}
		return u.Getenv(name)
	}}
	if slices.Contains(shell.RuntimeDirs(), dir) {
		return "plasmd allow " + requester
	}
	return "plasmd allow --runtime-dir " + quoted(dir) + " " + requester
}

// quoted is a path as a shell takes it.
func quoted(path string) string {
	if strings.Trim(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+:@,") == "" {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}

// observer counts what happens to jobs.
type observer struct{ m *Metrics }

func (o observer) Offered(outcome string) { o.m.Offers.WithLabelValues(outcome).Inc() }

func (o observer) Started(waited time.Duration) { o.m.WaitSeconds.Observe(waited.Seconds()) }

func (o observer) Ended(status job.Status, took time.Duration) {
	o.m.ended.Add(1)
	o.m.Jobs.WithLabelValues(string(status)).Inc()
	o.m.JobSeconds.Observe(took.Seconds())
}

func (o observer) Moved(stream string, bytes int) {
	o.m.Bytes.WithLabelValues(stream).Add(float64(bytes))
}
