// Package node puts a node together: its folders and key, the plasm-run that is
// its worker, its place in the network, what it says of itself, and its control
// socket. Package cmd/plasmd gives it its flags.
package node

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p/core/event"
	ma "github.com/multiformats/go-multiaddr"

	"plasm/lib/capability"
	"plasm/lib/control"
	"plasm/lib/exchange/queue"
	"plasm/lib/exchange/serve"
	"plasm/lib/identity"
	"plasm/lib/job"
	"plasm/lib/network"
	"plasm/lib/node/page"
	"plasm/lib/sandbox"
	"plasm/lib/store"
)

// Names in the data folder.
const (
	keyName   = "key.pem"
	peersName = "peers"
	AllowName = "allow" // the default allow file
)

// KeyPath returns where the key of a node with this data folder is.
func KeyPath(dataDir string) string { return filepath.Join(dataDir, keyName) }

// Config says what a node is to be. It is copied by Run. All but Given, GivenBy, Metrics,
// Reload and Log must be there; paths are absolute.
type Config struct {
	Version    string       // of plasm
	User       control.User // who runs the node
	DataDir    string
	RuntimeDir string

	Network network.Config     // Key, Server, UserAgent, PeersFile, Metrics and Log are filled in
	Machine capability.Machine // what jobs can have here, already lowered
	Slots   int64              // jobs at a time
	Spare   int64              // workers kept ready; see SpareWorkers
	Limits  job.NodeLimits     // what one job may have at most

	Keep         time.Duration // how long results are kept at most
	ContentBytes int64         // most bytes of modules and packs that are kept
	JobBytes     int64         // most bytes of results, and of what running jobs may read and write

	Worker        string   // the plasm-run that runs jobs
	Engines       string   // where other engines are, beside the worker's folder; "": nowhere else
	RequireGuards []string // what its workers must prove

	AllowFile string   // who may submit: a file that need not be there
	Given     []string // who may submit besides: peer IDs, or "any"
	GivenBy   string   // what says so: --allow, a variable, or a file and its key

	Drain   time.Duration        // how long jobs may go on when the node is to end; 0: they are cancelled at once
	Metrics string               // loopback address of the metrics and the status page, as 127.0.0.1:9464; "" for none
	Reload  <-chan struct{}      // a value has the allow file read again
	Ready   func([]string) error // told the addresses once all is ready; an error ends the node
	Log     *slog.Logger         // nil: nothing is logged
}

// Node is a running node.
type Node struct {
	cfg     Config
	log     *slog.Logger
	manager manager

	folders  *control.Folders
	who      *requesters
	metrics  *Metrics
	engines  []*backend // the first is for jobs that name none
	guards   []string   // of each of them
	key      *identity.Key
	store    *store.Store
	queue    *queue.Queue
	jobs     *serve.Server
	host     *network.Host
	announce *capability.Announcer
	changes  event.Subscription
	history  page.History
	shows    atomic.Bool // what the status page shows is there

	started    time.Time
	drainUntil atomic.Pointer[time.Time] // set once it drains; zero: for as long as its jobs take
	drained    <-chan struct{}           // closed when it has no more jobs; nil before it drains; the loop's alone
	cut        func()                    // cancels what runs of a node that drains; the loop's alone
	addrs      []string                  // as they are in the runtime folder; the loop's alone
	calls      chan func()               // to be called by the loop
	undo       []func()                  // what stop calls, last first
}

// Run starts a node and keeps it going until ctx ends; that is no error. What
// keeps it from starting is a *job.Error. Everything that it started has ended
// when it returns.
func Run(ctx context.Context, cfg Config) error {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	keepThreads(cfg.Slots)
	n := &Node{cfg: cfg, log: cfg.Log, manager: manager{cfg.Log}, started: time.Now(), calls: make(chan func())}
	defer n.stop()
	for _, step := range []func(context.Context) error{
		n.openFolders, n.askWorker, n.openStore, n.startNetwork, n.serveJobs, n.leaveAddrs, n.answer, n.watchLoad,
		n.tellReady,
	} {
		if err := step(ctx); err != nil {
			if ctx.Err() != nil { // whatever did not work because of that
				return nil
			}
			return err
		}
	}
	return n.loop(ctx)
}

// onStop has stop call f before what was given to onStop earlier.
func (n *Node) onStop(f func()) { n.undo = append(n.undo, f) }

// stop ends what runs of the node.
func (n *Node) stop() {
	for _, f := range slices.Backward(n.undo) {
		f()
	}
}

// closed logs what went wrong when something was closed.
func (n *Node) closed(what string, err error) {
	if err != nil {
		n.log.Warn("closing went wrong", "what", what, "error", err)
	}
}

// openFolders takes the node's folders, and reads its key and who may submit.
func (n *Node) openFolders(context.Context) error {
	var err error
	if n.folders, err = control.OpenFolders(n.cfg.DataDir, n.cfg.RuntimeDir); err != nil {
		return err
	}
	n.onStop(n.folders.Close)
	key, created, err := identity.LoadOrCreate(KeyPath(n.cfg.DataDir), n.cfg.User.Getenv("CREDENTIALS_DIRECTORY"))
	if err != nil {
		return keyError(err)
	}
	n.key, n.cfg.Network.Key = key, key.Private()
	if created {
		n.log.Info("key made", "file", KeyPath(n.cfg.DataDir), "node", key.PeerID())
	}
	n.who, err = newRequesters(n.cfg.AllowFile, n.cfg.Given)
	return err
}

// keyError is err with a hint for somebody who has no flag for the key itself.
func keyError(err error) error {
	e, ok := errors.AsType[*job.Error](err)
	if !ok || e.Fact == "" {
		return err
	}
	named := *e
	named.Fact, named.Detail = job.FactFolder, "data"
	return &named
}

// askWorker learns what the workers are, and how they are confined on this machine.
func (n *Node) askWorker(ctx context.Context) error {
	build, err := sandbox.AskBuild(ctx, n.cfg.Worker)
	if e, ok := errors.AsType[*job.Error](err); ok {
		named := *e
		named.Message = "--worker: " + e.Message
		return &named
	}
	if err != nil {
		return err
	}
	if build.Version != n.cfg.Version {
		n.log.Warn("the worker is of another version", "worker", n.cfg.Worker, "version", build.Version, "own_version",
			n.cfg.Version)
	}
	builtIn := &backend{Backend: sandbox.Backend{
		Worker: []string{n.cfg.Worker, "--worker"}, Engine: build.Engines[0],
		Version: build.Version,
	}}
	if n.guards, err = n.confines(ctx, builtIn); err != nil {
		return err
	}
	n.engines = append(n.otherEngines(ctx), builtIn)
	return nil
}

// startNetwork begins to listen, to be asked and to be announced.
func (n *Node) startNetwork(ctx context.Context) error {
	n.metrics = newMetrics()
	if err := n.serveMetrics(ctx); err != nil {
		return err
	}
	cfg := n.cfg.Network
	cfg.Server, cfg.Log = true, n.log
	cfg.UserAgent = "plasm/" + n.cfg.Version
	cfg.PeersFile = filepath.Join(n.cfg.DataDir, peersName)
	if n.cfg.Metrics != "" {
		cfg.Metrics = n.metrics.registry
	}
	host, err := network.Start(ctx, cfg)
	if err != nil {
		return err
	}
	n.host = host
	n.onStop(func() { n.closed("network", host.Close()) })
	n.metrics.watch(host)
	n.contactLocal()
	if n.changes, err = host.EventBus().Subscribe(new(event.EvtLocalAddressesUpdated)); err != nil {
		return &job.Error{Code: job.CodeInternal, Message: "following own addresses: " + err.Error(), Err: err}
	}
	n.onStop(func() { n.closed("events", n.changes.Close()) })
	server := capability.Serve(host, n.describe, n.log)
	n.onStop(server.Close)
	doc := n.describe()
	n.announce = capability.Announce(host, capability.Announcement{Keys: capability.Keys(&doc), Log: n.log})
	n.onStop(n.announce.Close)
	return nil
}

// contactLocal makes other nodes on this machine first contacts.
func (n *Node) contactLocal() {
	addrs, problems := n.cfg.User.LocalAddrs()
	for _, err := range problems {
		n.log.Info("a runtime folder is not believed", "error", err)
	}
	infos, err := network.ParseAddrs(addrs)
	if err != nil {
		n.log.Info("a runtime folder has bad addresses", "error", err)
	}
	for _, info := range infos {
		n.host.Contact(info, network.SourceLocal)
	}
}

// leaveAddrs says in the runtime folder where the node is, before the control socket
// answers: who has asked for the node's status finds it.
func (n *Node) leaveAddrs(context.Context) error {
	n.addrs = n.localAddrs()
	n.onStop(func() { n.closed("addresses", n.folders.RemoveAddrs()) })
	return n.folders.WriteAddrs(n.addrs)
}

// answer opens the control socket.
func (n *Node) answer(context.Context) error {
	server, err := n.folders.Listen(controlled{n})
	if err != nil {
		return err
	}
	n.onStop(func() { n.closed("control socket", server.Close()) })
	return nil
}

// tellReady says where the node is, to everybody who waits for it.
func (n *Node) tellReady(context.Context) error {
	if err := n.cfg.Ready(n.addrs); err != nil {
		return err
	}
	if err := n.manager.ready(); err != nil {
		return err
	}
	for _, addr := range n.addrs {
		n.log.Info("node.address", "addr", addr)
	}
	n.log.Info("node.ready", "node", n.host.ID().String(), "slots", n.cfg.Slots,
		"cores", n.cfg.Machine.Cores, "memory_mb", n.cfg.Machine.MemoryMB, "guards", n.guards,
		"allow_file", n.cfg.AllowFile, "duration", time.Since(n.started))
	if now := n.who.now(); !now.any && len(now.peers) == 0 {
		n.log.Info("nobody may submit jobs yet", "allow", n.allowLine("PEERID"))
	}
	return nil
}

// localAddrs returns the node's addresses, whole, as programs on this machine
// reach it.
func (n *Node) localAddrs() []string { return n.whole(n.host.LocalAddrs()) }

func (n *Node) whole(addrs []ma.Multiaddr) []string {
	whole := make([]string, 0, len(addrs))
	for _, addr := range addrs {
		whole = append(whole, addr.String()+"/p2p/"+n.host.ID().String())
	}
	return whole
}

// describe returns the node as it is now, without addresses.
func (n *Node) describe() job.Node {
	doc := job.Node{
		PeerID: n.host.ID().String(), Version: n.cfg.Version, OS: runtime.GOOS, Arch: runtime.GOARCH,
		CPUCores: n.cfg.Machine.Cores, MemoryMB: n.cfg.Machine.MemoryMB, Guards: n.guards,
		Slots:  job.Slots{Total: n.cfg.Slots, Free: n.freeSlots()},
		Limits: n.cfg.Limits,
	}
	for _, b := range n.engines {
		e := b.Engine
		doc.Engines = append(doc.Engines, job.NodeEngine{Name: e.Name, Version: e.Version, Features: e.Features})
	}
	return doc
}

// freeSlots returns how many jobs could start now.
func (n *Node) freeSlots() int64 {
	if n.draining() {
		return 0
	}
	return int64(n.queue.Stats().FreeSlots)
}
