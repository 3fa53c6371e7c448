// Package serve is the node's side of the job protocol (lib/exchange/wire): it
// answers offers, takes in modules and input, has jobs run, and sends what comes
// of them. docs/protocol.md says what a requester sees of it.
//
// # An offer
//
// In this order, and the first that doesn't hold is the answer: the signature
// (else the stream is reset without a word); the requester is allowed; not too
// many offers; the manifest is one. A job that is known is attached to, or
// answered from the store. One that isn't must fit the node, gets a place in the
// queue, room in the store, and is accepted.
//
// # A job and its streams
//
// A job runs apart from the streams that speak of it. What it needs may come over
// any of them; its output goes into the store's spools, from which each stream
// is served at its own pace. A stream that ends stops nothing, but for a job that
// still waits for a slot and has no other. A cancel stops the job.
//
// Who runs it is the task that stands under (requester, ID) in Server.tasks, from
// the first offer on until its end is in the store or nothing is left of it. So
// there is never more than one, and an offer finds either the task or the result.
//
// # What strangers can make a node hold
//
// See limits.go. Modules, input and output are bounded by what the node says of
// its limits, and charged to the store's bounds before they come.
//
// # Deadlines
//
//	an offer                        8 s (wire.OfferTime), 2 s in a crowd
//	a stream's silence              8 s (wire.Config)
//	between two pieces of an upload Config.Idle, whatever pings come
//	a whole upload                  Config.Reserve, and a second for each Config.Rate bytes
//	compiling                       the supervisor's own; Config.Compile says it
//	a run                           the manifest's timeout_ms, kept by the supervisor
//	the rest of a result            Config.Flush, and a second for each Config.Rate bytes
package serve

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	p2p "github.com/libp2p/go-libp2p/core/network"

	"plasm/lib/control"
	"plasm/lib/exchange/queue"
	"plasm/lib/exchange/wire"
	"plasm/lib/identity"
	"plasm/lib/job"
	"plasm/lib/network"
	"plasm/lib/receipt"
	"plasm/lib/sandbox"
	"plasm/lib/store"
)

// Config says what a server works with. It is copied by New. The fields of the
// first group must be there; functions may be called by several goroutines at a
// time and must not block, but for Run.
type Config struct {
	Host  *network.Host
	Key   *identity.Key // signs receipts; the host's
	Store *store.Store
	Queue *queue.Queue
	Run   func(context.Context, *sandbox.Job) (*sandbox.Report, error) // sandbox.Supervisor.Run
	// the node as it is now: arch, engines, cores, limits
	Node func() job.Node
	// what receipts say of the node; engine, system, arch and guards are each run's
	Receipt receipt.Node
	// whether the requester is listed, and whether anybody may submit
	Allow     func(requester string) (listed, anybody bool)
	AllowLine func(requester string) string // the command that would list the requester

	Warm          func()       // sandbox.Supervisor.Warm, called when a worker will soon be needed; nil: nothing
	RequireGuards []string     // what workers must prove
	Observe       Observer     // nil: nobody
	Log           *slog.Logger // nil: nothing is logged

	Reserve time.Duration // for an upload of nothing; default 30 s
	Idle    time.Duration // without a byte of an upload, until it is given up; default 20 s
	Rate    int64         // bytes a second that an upload, or taking a result, must reach; default 256 KiB
	Compile time.Duration // the longest that it takes from a whole upload to the start; default 2 min
	Flush   time.Duration // for taking the rest of a result; default 10 min
	Goodbye time.Duration // for last words, when the node ends; default 5 s
	Wire    wire.Config   // timing of streams
}

// Observer is told what happens, for metrics. Its methods must not block.
type Observer interface {
	Offered(outcome string)                      // "accepted", or a job.RejectCode
	Started(waited time.Duration)                // a job, so long after it was offered
	Ended(status job.Status, took time.Duration) // a job, so long after it started
	// received of "tree", "blob", "module" or "stdin", sent of "stdout", "stderr" or "folders"
	Moved(stream string, bytes int)
}

func (c Config) withDefaults() Config {
	c.Reserve = cmp.Or(c.Reserve, 30*time.Second)
	c.Idle = cmp.Or(c.Idle, 20*time.Second)
	c.Rate = cmp.Or(c.Rate, 256<<10)
	c.Compile = cmp.Or(c.Compile, 2*time.Minute)
	c.Flush = cmp.Or(c.Flush, 10*time.Minute)
	c.Goodbye = cmp.Or(c.Goodbye, 5*time.Second)
	if c.Warm == nil {
		c.Warm = func() {}
	}
	if c.Observe == nil {
		c.Observe = unobserved{}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

// unobserved is the Observer that nobody is.
type unobserved struct{}

func (unobserved) Offered(string)                  {}
func (unobserved) Started(time.Duration)           {}
func (unobserved) Ended(job.Status, time.Duration) {}
func (unobserved) Moved(string, int)               {}

// Server answers offers at a host, until Drain or Close. Its methods are safe for
// concurrent use.
type Server struct {
	cfg     Config
	log     *slog.Logger
	buffers sync.Pool // of *[]byte, bufferSize long

	documents atomic.Int64 // bytes of the documents of folders that arrive

	mu        sync.Mutex
	draining  bool // no new jobs
	closed    bool // no new streams
	tasks     map[jobKey]*task
	ended     []control.Job // the newest last, at most control.MaxEnded
	trapped   []trapped     // likewise, of those whose trace is known
	cancelled []jobKey      // by the owner, the newest last, at most maxCancelled
	streams   streams
	crowded   time.Time // when the log last said that streams are dropped

	live     sync.WaitGroup // tasks; added to under mu while not draining
	sessions sync.WaitGroup // streams; added to under mu while not closed
}

// jobKey is what a job is known by.
type jobKey struct{ requester, id string }

// bufferSize is how much of an output is read, and sent, at a time.
const bufferSize = 64 << 10

// New begins to answer at cfg.Host.
func New(cfg Config) *Server {
	s := &Server{cfg: cfg.withDefaults(), tasks: map[jobKey]*task{}, streams: newStreams()}
	s.log = s.cfg.Log
	s.buffers.New = func() any { b := make([]byte, bufferSize); return &b }
	s.cfg.Host.SetStreamHandler(wire.Protocol, s.handle)
	return s
}

// Slots returns how many jobs the node runs at a time, and how many more it could
// take now.
func (s *Server) Slots() job.Slots {
	stats := s.cfg.Queue.Stats()
	slots := job.Slots{Total: int64(stats.Slots), Free: int64(stats.FreeSlots)}
	if stats.Draining {
		slots.Free = 0
	}
	return slots
}

// Drain takes no new jobs, lets those that were accepted go on until ctx ends, and
// then cancels them: those that have started end in a receipt. It returns when
// each task and each stream has ended; streams get Config.Goodbye for their last
// words. The store and the host can be closed then.
func (s *Server) Drain(ctx context.Context) {
	s.mu.Lock()
	s.draining = true
	s.mu.Unlock()
	s.cfg.Queue.Drain()
	done := waited(&s.live)
	select {
	case <-done:
	case <-ctx.Done():
		s.mu.Lock()
		for _, t := range s.tasks {
			t.abort(errShuttingDown)
		}
		s.mu.Unlock()
		<-done
	}
	s.sayGoodbye()
}

// sayGoodbye waits for the streams, and then no longer.
func (s *Server) sayGoodbye() {
	s.mu.Lock()
	s.closed = true
	s.streams.dropFresh() // who has offered nothing waits for nothing
	s.mu.Unlock()
	s.cfg.Host.RemoveStreamHandler(wire.Protocol)
	late := time.NewTimer(s.cfg.Goodbye)
	defer late.Stop()
	done := waited(&s.sessions)
	select {
	case <-done:
	case <-late.C:
		s.mu.Lock()
		s.streams.dropAll()
		s.mu.Unlock()
		<-done
	}
}

// waited returns a channel that is closed when g is at zero.
func waited(g *sync.WaitGroup) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		g.Wait()
		close(done)
	}()
	return done
}

// Close is Drain for nobody's sake: jobs are cancelled at once.
func (s *Server) Close() {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	s.Drain(ctx)
}

// handle serves one stream. It runs in a goroutine of the host's.
func (s *Server) handle(stream p2p.Stream) {
	x := &session{
		s: s, stream: stream, link: stream.Conn(), opened: time.Now(),
		budget:    wire.RelayBudget(network.RelayLimit(stream.Conn())),
		transport: stream.Conn().RemotePeer().String(), source: source(stream.Conn()),
	}
	if !s.enter(x) {
		_ = stream.Reset() // it has said nothing, and is told nothing
		return
	}
	defer s.leave(x)
	x.serve()
}
