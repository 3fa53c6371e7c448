package network

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p"
	dht "github.com/libp2p/go-libp2p-kad-dht"
	"github.com/libp2p/go-libp2p/core/event"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/peerstore"
	"github.com/libp2p/go-libp2p/core/routing"
	ma "github.com/multiformats/go-multiaddr"

	"plasm/lib/job"
)

type peerStore = peerstore.Peerstore

// Host is a libp2p host of ours. Its methods are safe for concurrent use.
type Host struct {
	host.Host

	inner     host.Host // the same without routing; for what runs before New returns
	dht       *dht.IpfsDHT
	fair      *fair
	log       *slog.Logger
	bootstrap []peer.AddrInfo
	private   bool // in a private network
	server    bool
	peersFile string // "" for none

	bus      event.Subscription // closed last
	events   *eventLog
	ready    chan struct{}      // closed by the first peer in the table
	readied  sync.Once          //
	added    chan peer.ID       // peers that entered the table
	changed  chan struct{}      // cap 1
	found    chan peer.AddrInfo // cap maxFound
	redial   chan struct{}      // cap 1: a contact was lost
	punching chan struct{}      // closed when hole punching is possible

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
// for neighbours. ctx bounds starting only. An error is a *job.Error that names
// the address, port or file.
func Start(ctx context.Context, cfg Config) (*Host, error) {
	if err := check(&cfg); err != nil {
		return nil, err
	}
	routeLibraryLogs(cfg.Log)
	h := newHost(&cfg)
	addrs, err := h.whereToListen(ctx, &cfg)
	if err != nil {
		h.abandon(cfg.Log)
		return nil, err
	}
	if err := h.open(&cfg, addrs); err != nil {
		h.abandon(cfg.Log)
		return nil, asStartError(err)
	}
	if len(cfg.Options) == 0 {
		if err := checkListening(addrs, h.Network().ListenAddresses()); err != nil {
			return nil, errors.Join(err, h.Close())
		}
	}
	h.run(&cfg)
	return h, nil
}

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
	if cfg.Relay != nil && cfg.Reachability != ReachabilityPublic {
		return &job.Error{
			Code: job.CodeUsage, Message: "a relay must be reachable, and reachability is " + cfg.Reachability.String(),
			Hint: "give --reachability public when others can dial this machine",
		}
	}
	return nil
}

// newHost makes everything of a host that does not need libp2p.
func newHost(cfg *Config) *Host {
	lifetime, stop := context.WithCancel(context.Background())
	return &Host{
		log:       cfg.Log,
		bootstrap: slices.Clone(cfg.Bootstrap),
		private:   cfg.NetworkKey != nil,
		server:    cfg.Server,
		peersFile: cfg.PeersFile,
		ready:     make(chan struct{}),
		added:     make(chan peer.ID, maxFound),
		changed:   make(chan struct{}, 1),
		found:     make(chan peer.AddrInfo, maxFound),
		redial:    make(chan struct{}, 1),
		punching:  make(chan struct{}),

		readdressed: make(chan struct{}, 1),
		within: func(d time.Duration) (context.Context, context.CancelFunc) {
			return context.WithTimeout(lifetime, d)
		},
		stop:   stop,
		events: newEventLog(cfg.Log),
		told:   make(map[peer.ID]bool),
		known:  make(map[peer.ID]bool),
	}
}

// whereToListen reads and tries the addresses. With options of a test the
// network may be a simulated one, of which the kernel knows nothing.
func (h *Host) whereToListen(ctx context.Context, cfg *Config) ([]ma.Multiaddr, error) {
	if len(cfg.Options) == 0 {
		return listenAddrs(ctx, cfg.Listen, h.private, h.log)
	}
	addrs := make([]ma.Multiaddr, 0, len(cfg.Listen))
	for _, value := range cfg.Listen {
		addr, err := parseListen(value)
		if err != nil {
			return nil, err
		}
		addrs = append(addrs, addr)
	}
	return addrs, nil
}

// open makes the libp2p host. The DHT and the subscription are made before it
// listens, so that nothing that happens is missed.
func (h *Host) open(cfg *Config, addrs []ma.Multiaddr) error {
	resources, err := newResourceManager(cfg.Metrics, cfg.Log)
	if err != nil {
		return err
	}
	h.fair = resources
	conns, err := newConnManager()
	if err != nil {
		return errors.Join(err, resources.Close())
	}
	peers, err := newPeerstore()
	if err != nil {
		return errors.Join(err, conns.Close(), resources.Close())
	}
	options, err := h.options(cfg, addrs, func(inner host.Host) (routing.PeerRouting, error) {
		h.inner = inner
		if h.bus, err = inner.EventBus().Subscribe(watched(), watchBuffer()); err != nil {
			return nil, err
		}
		h.dht, err = newDHT(inner, cfg.Server, h.entered)
		return h.dht, err
	})
	if err == nil {
		options = append([]libp2p.Option{
			libp2p.ResourceManager(resources), libp2p.ConnectionManager(conns), libp2p.Peerstore(peers),
		}, options...)
		var outer host.Host
		if outer, err = libp2p.New(options...); err == nil {
			h.Host = outer
			return nil
		}
	}
	if h.dht != nil {
		err = errors.Join(err, h.dht.Close())
	}
	if h.bus != nil {
		err = errors.Join(err, h.bus.Close())
	}
	return errors.Join(err, peers.Close(), conns.Close(), resources.Close())
}

// abandon undoes newHost.
func (h *Host) abandon(log *slog.Logger) {
	h.stop()
	unrouteLibraryLogs(log)
}

// run starts what goes on for as long as the host does.
func (h *Host) run(cfg *Config) {
	for _, info := range h.bootstrap {
		h.ConnManager().Protect(info.ID, SourceBootstrap)
		h.Contact(info, SourceBootstrap)
	}
	h.spawn(h.watch)
	h.spawn(h.keepContacts)
	if cfg.MDNS {
		h.spawn(h.findNeighbours)
	}
	if h.peersFile != "" {
		h.remembered = readPeers(h.peersFile, h.log)
		for _, info := range h.remembered {
			h.Contact(info, SourceRemembered)
		}
		h.spawn(h.keepPeersFile)
	}
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
		ctx, cancel := h.within(forever)
		defer cancel()
		f(ctx)
	}()
}

// forever is longer than any host runs.
const forever = 100 * 365 * 24 * time.Hour

// joined returns a context that ends with ctx and with the host.
func (h *Host) joined(ctx context.Context) (context.Context, context.CancelFunc) {
	both, cancel := context.WithCancel(ctx)
	own, cancelOwn := h.within(forever)
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
	err := h.rememberPeers()
	h.stop()
	// The watcher drains the events until the host is closed: one that is not
	// drained holds up whoever publishes. Connections go first, as libp2p's own
	// keeper of observed addresses stops listening to events and does not say so:
	// with peers still talking, the rest of the host would wait for it for ever.
	err = errors.Join(err, h.dht.Close(), h.Network().Close(), h.Host.Close(), h.bus.Close())
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
