package network

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	dht "github.com/libp2p/go-libp2p-kad-dht"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/peerstore"
	ma "github.com/multiformats/go-multiaddr"

	"plasm/lib/job"
)

type peerStore = peerstore.Peerstore

// Host is a libp2p host of ours. Its methods are safe for concurrent use.
type Host struct {
	host.Host

	cfg     Config
	private bool // in a private network
	log     *slog.Logger
	fair    *fair
	parts   parts
	punch   puncher

	joining sync.Mutex                  // held by Join
	dht     atomic.Pointer[dht.IpfsDHT] // nil before

	events     *eventLog
	ready      chan struct{}      // closed by the first peer in the table
	readied    sync.Once          //
	allFailed  chan struct{}      // closed when all first contacts have failed
	failedOnce sync.Once          //
	added      chan peer.ID       // peers that entered the table
	changed    chan struct{}      // cap 1
	found      chan peer.AddrInfo // cap maxFound
	redial     chan struct{}      // cap 1: a contact was lost
	punching   chan struct{}      // closed when hole punching is possible

	relayFound chan relayFound // cap maxTwins

	readdressed chan struct{} // cap 1: own addresses changed; for mDNS

	// within returns a context that ends with the host, after the duration, or
	// when it is cancelled.
	within func(time.Duration) (context.Context, context.CancelFunc)
	stop   context.CancelFunc

	mu           sync.Mutex
	closed       bool
	running      sync.WaitGroup // every goroutine of ours; added to under mu while not closed
	contacts     []*contact
	told         map[peer.ID]bool // through found
	known        map[peer.ID]bool // of whom the log said that they were discovered
	reachability Reachability
	relays       []peer.ID
	remembered   []peer.AddrInfo // as read from peersFile
}

// Start makes a host that listens, and begins to dial first contacts and to look
// for neighbours; one of DialOnly does that at Join. ctx bounds starting only. An
// error is a *job.Error that names the address, port or file.
func Start(ctx context.Context, cfg Config) (*Host, error) {
	if err := check(&cfg); err != nil {
		return nil, err
	}
	routeLibraryLogs(cfg.Log)
	h := newHost(&cfg)
	if err := h.start(ctx); err != nil {
		return nil, asStartError(errors.Join(err, h.Close()))
	}
	if !cfg.DialOnly {
		h.lookAround()
	}
	return h, nil
}

// start makes the host and has it listen, unless it only dials.
func (h *Host) start(ctx context.Context) error {
	var addrs []ma.Multiaddr
	if !h.cfg.DialOnly {
		var err error
		if addrs, err = h.whereToListen(ctx); err != nil {
			return err
		}
	}
	if err := h.open(); err != nil {
		return err
	}
	if !h.cfg.DialOnly {
		if err := h.enter(addrs); err != nil {
			return errors.Join(err, h.setOff()) // AutoNAT can't be closed before
		}
	}
	return h.setOff()
}

// Join makes a host of DialOnly one like any other: it listens, dials its first
// contacts, and looks for neighbours. Of a host that has joined it does nothing. ctx
// bounds joining only. An error is a *job.Error that names the address or port.
func (h *Host) Join(ctx context.Context) error {
	h.joining.Lock()
	defer h.joining.Unlock()
	if h.dht.Load() != nil {
		return nil
	}
	if !h.begin() {
		return errClosed
	}
	defer h.running.Done()
	addrs, err := h.whereToListen(ctx)
	if err == nil {
		err = h.enter(addrs)
	}
	if err != nil {
		return asStartError(err)
	}
	h.lookAround()
	return nil
}

// errClosed is Join's where there is nothing to join with any more.
var errClosed = errors.New("the host is closed")

// check fills in what cfg leaves out and refuses what cannot be.
func check(cfg *Config) error {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.UserAgent == "" {
		cfg.UserAgent = "plasm"
	}
	if cfg.NetworkKey != nil {
		if err := checkNetworkKey(cfg.NetworkKey); err != nil {
			return err
		}
	}
	if cfg.PeersFile != "" {
		if err := checkPeersFile(cfg.PeersFile); err != nil {
			return err
		}
	}
	if cfg.Relay != nil && cfg.Reachability != ReachabilityPublic {
		return &job.Error{
			Code: job.CodeUsage, Message: "a relay must be reachable, and reachability is " + cfg.Reachability.String(),
			Fact: job.FactNotPublic,
		}
	}
	return nil
}

// newHost makes everything of a host that does not need libp2p.
func newHost(cfg *Config) *Host {
	lifetime, stop := context.WithCancel(context.Background())
	h := &Host{
		cfg:       *cfg,
		log:       cfg.Log,
		private:   cfg.NetworkKey != nil,
		ready:     make(chan struct{}),
		allFailed: make(chan struct{}),
		added:     make(chan peer.ID, maxFound),
		changed:   make(chan struct{}, 1),
		found:     make(chan peer.AddrInfo, maxFound),
		redial:    make(chan struct{}, 1),
		punching:  make(chan struct{}),

		relayFound: make(chan relayFound, maxTwins),

		readdressed: make(chan struct{}, 1),
		within: func(d time.Duration) (context.Context, context.CancelFunc) {
			return context.WithTimeout(lifetime, d)
		},
		stop:   stop,
		punch:  puncher{observed: make(chan struct{}, 1), again: make(map[peer.ID]bool)},
		events: newEventLog(cfg.Log),
		told:   make(map[peer.ID]bool),
		known:  make(map[peer.ID]bool),
	}
	h.cfg.Bootstrap = slices.Clone(cfg.Bootstrap)
	return h
}

// whereToListen reads and tries the addresses. Of a simulated network the kernel
// knows nothing.
func (h *Host) whereToListen(ctx context.Context) ([]ma.Multiaddr, error) {
	if len(h.cfg.Simulated) == 0 {
		return listenAddrs(ctx, h.cfg.Listen, h.private, h.log)
	}
	addrs := make([]ma.Multiaddr, 0, len(h.cfg.Listen))
	for _, value := range h.cfg.Listen {
		addr, err := parseListen(value)
		if err != nil {
			return nil, err
		}
		addrs = append(addrs, addr)
	}
	return addrs, nil
}

// lookAround starts what goes on for as long as a host that joined runs.
func (h *Host) lookAround() {
	h.mu.Lock()
	noted := slices.Clone(h.contacts)
	h.mu.Unlock()
	for _, c := range noted {
		h.dial(c)
	}
	for _, info := range h.cfg.Bootstrap {
		h.ConnManager().Protect(info.ID, SourceBootstrap)
		h.Contact(info, SourceBootstrap)
	}
	h.spawn(h.keepContacts)
	h.spawn(h.fillTable)
	if h.cfg.MDNS {
		h.spawn(h.findNeighbours)
	}
	if h.cfg.PeersFile != "" {
		h.remembered = readPeers(h.cfg.PeersFile, h.log)
		for _, info := range h.remembered {
			h.Contact(info, SourceRemembered)
		}
		h.spawn(h.keepPeersFile)
	}
	h.noteFailed()
}

// begin counts a goroutine of ours in; it reports false when the host is closed.
// Whoever gets true calls running.Done.
func (h *Host) begin() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return false
	}
	h.running.Add(1)
	return true
}

// spawn runs f beside, until the host's context ends.
func (h *Host) spawn(f func(context.Context)) {
	if !h.begin() {
		return
	}
	go func() {
		defer h.running.Done()
		ctx, cancel := h.within(unlimited)
		defer cancel()
		f(ctx)
	}()
}

// unlimited is longer than any host runs.
const unlimited = 100 * 365 * 24 * time.Hour

// joined returns a context that ends with ctx and with the host.
func (h *Host) joined(ctx context.Context) (context.Context, context.CancelFunc) {
	both, cancel := context.WithCancel(ctx)
	own, cancelOwn := h.within(unlimited)
	unlink := context.AfterFunc(own, cancel)
	return both, func() {
		unlink()
		cancelOwn()
		cancel()
	}
}

// Close ends the host, waits for everything it started, and writes the peers
// file. Calling it again does nothing.
func (h *Host) Close() error {
	h.mu.Lock()
	closed := h.closed
	h.closed = true
	h.mu.Unlock()
	if closed {
		return nil
	}
	h.joining.Lock() // nobody is at it any more
	defer h.joining.Unlock()
	err := h.rememberPeers()
	h.stop()
	err = errors.Join(err, h.dismantle())
	h.running.Wait()
	unrouteLibraryLogs(h.log)
	return err
}

// asStartError makes err a *job.Error.
func asStartError(err error) error {
	if e, ok := errors.AsType[*job.Error](err); ok {
		return e
	}
	return &job.Error{Code: job.CodeIO, Message: "cannot start the network: " + oneLine(err.Error()), Err: err}
}
