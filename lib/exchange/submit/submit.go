// Package submit is the requester's side of the job protocol: it places a job on
// one of the nodes that are proposed to it, brings it there, and gives back what
// came of it once that is verified.
//
// # Trust
//
// Nothing of a job reaches a node that Config.Trusted does not name: no offer is
// made to it, and no stream of the job protocol opened. Who proposes a node says
// nothing about whether it is trusted.
//
// # Placing
//
// One attempt at a time. Of the candidates at hand the next is one that was
// tried least often, has free slots, the most of them, and answers fastest. What
// becomes of an attempt is one of
//
//	a result       verified; the end, however the program itself ended
//	the same       the node has no room now: again after what it asks for, and
//	               no sooner than a growing pause
//	another        it can't or won't, can't be reached, or can't be believed
//	give up        no node will take this job
//
// A connection that is lost after the node has accepted is made again for at most
// Config.Reattach, and the job attached to, each stream where it broke off.
// Attempts whose offer was accepted are bounded by Config.Retries; a rejection
// costs none, so that every candidate is offered to once. A job that was
// cancelled by nobody here, or whose engine failed, or which the node says it has ended,
// is tried again too, but not at a node that is out of memory; its result is given back
// when nothing better comes, whatever becomes of the node meanwhile.
//
// # Verifying
//
// Output is held until the receipt's signature by the node that was dialled, its
// manifest, its requester, the input and the digests of both outputs have been
// checked. With Job.Live it is passed on as it comes, and then there is one node
// and no second attempt.
package submit

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"plasm/lib/exchange/wire"
	"plasm/lib/identity"
	"plasm/lib/job"
	"plasm/lib/network"
	"plasm/lib/receipt"
	"plasm/lib/tree"
)

// Config says who submits, to whom, and how patiently. It is copied by Run.
type Config struct {
	Host    *network.Host            // that dials the nodes; its key is not the requester's
	Key     *identity.Key            // the requester
	Trusted func(peerID string) bool // whether a job may go to a node

	Admit func(peerID string) string      // the line that would make a node trusted, or ""; nil: none would
	Fits  func(*job.Node) []job.Rejection // why a node that said what it is can't be used; nil: every node can

	Guards  []string // must have been active for the job
	Retries int      // new attempts after one whose offer was accepted; 0: none
	// makes a file that has no name, for the folders that a job leaves; needed where it can leave
	// some
	File  func() (File, error)
	Spool func() Spool // holds one output of an attempt; not needed with Job.Live
	// is told what happens, in one line that is safe to print, from one goroutine at a time; peerID
	// may be ""; nil: nobody is
	Tell func(peerID, text string)
	// is told how many bytes of what a node has asked for are under way, from one goroutine at a
	// time, which it holds up; nil: nobody is
	Sending func(peerID string, sent, total int64)
	// is called when a node has started the job, from one goroutine at a time; nil: nobody is
	Started func()
	Log     *slog.Logger                      // nil: nothing is logged
	Wire    wire.Config                       // timing of the connections
	Jitter  func(time.Duration) time.Duration // a random duration up to that; nil: one of crypto quality is not needed

	// without a result by then, the job goes to one node more, and the first result counts; 0:
	// never; not with Job.Live
	Hedge time.Duration
	// from offer to started, in the node's queue too; 0: 2 min, and 1 s for each 256 KiB to send,
	// without the queue
	AttemptTimeout time.Duration
	Dial           time.Duration // to connect to a node; 0: 10 s
	Answer         time.Duration // from an offer to the first word about it; 0: 20 s
	Reattach       time.Duration // for making a lost connection again; 0: 10 s
	Grace          time.Duration // beyond the job's own time, without output, until a running job is given up; 0: 15 s
	CancelWait     time.Duration // for the receipt of a job that was cancelled; 0: 5 s
	// the first pause before trying the same node again, doubled each time up to 32 times as long;
	// 0: 250 ms
	Backoff time.Duration

	claims *claims
	only   only // set by Detach, Attach, Look and DryRun
}

// File is a file that is written, and then read.
type File interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
}

// Spool holds output that is not verified yet.
type Spool interface {
	io.Writer
	Reader() (io.Reader, error) // of all that was written, from its beginning
	Close() error
}

// Job is what is to be run. Nothing of it may change while Run runs.
type Job struct {
	Manifest   *job.Manifest // valid, without live folders; without a stdin_hash only with Live
	Module     []byte        // of the manifest's digest
	Stdin      io.ReaderAt   // the whole input, StdinBytes long, where the manifest has a stdin_hash; nil: empty
	StdinBytes int64
	Pack       *tree.Pack // the manifest's Trees and their contents; nil: there are none
	Live       *Live      // nil: output is held until it is verified
}

// Live passes a job's streams on as they come.
type Live struct {
	// input that the manifest does not know; nil: empty. A read that blocks outlasts Run: it ends
	// when the reader does
	Stdin          io.Reader
	Stdout, Stderr io.Writer // a write that blocks holds up Run, unless they have SetWriteDeadline as an os.File
}

// Candidate is a node that might take the job.
type Candidate struct {
	Info peer.AddrInfo // without addresses: they are looked for
	Node *job.Node     // what it said of itself, or nil

	Out *job.Rejection // why it can't be the one: it is listed and not offered to; nil: it can
}

// Source proposes candidates through found, until there are no more or ctx ends.
// Found may be called from any goroutine until Source returns. An error is what
// the submission fails with when no node takes the job.
type Source func(ctx context.Context, found func(Candidate)) error

// Result is what came of a job that started, verified.
type Result struct {
	Receipt  []byte            // the envelope, as the node sent it
	Verified *receipt.Verified // what it says
	Stdout   io.Reader         // nil with Job.Live
	Stderr   io.Reader
	Folders  []tree.Part // what the outcome's Dirs are, in their order
	Trace    []string    // of a trap: in which functions, by the node's word and as job has them; nil: it does not say
	Cause    error       // why the job was cancelled, or its output could not be passed on, or an *EndedError; else nil

	ticket *job.Ticket // of Detach, which has nothing else
	state  wire.State  // of Look, which has nothing else
	plan   *Plan       // of DryRun, which has nothing else
	close  func()
}

// EndedError says that a node has itself ended a job that had started.
type EndedError struct {
	Node string         // its peer ID
	Why  *job.Rejection // what it says of that; nil: nothing
}

// Error returns one line, in the node's words.
func (e *EndedError) Error() string {
	text := "by the node " + e.Node
	if e.Why != nil {
		text += ": " + e.Why.Message
	}
	return text
}

// Close lets go of the output.
func (r *Result) Close() { r.close() }

// ErrDeadline is the cause of a context that ends with the submission's deadline.
var ErrDeadline = errors.New("the deadline has passed")

// Run places the job on one of the nodes that source proposes, and returns what
// came of it. When ctx ends, the job is cancelled on its node too.
//
// An error is a *job.Error, whose Nodes say of each candidate why it was not the
// one: CodeNoNode when none was trusted, fitted and could be reached, CodeRefused
// when every one refused, CodeUnverified when what came can't be believed,
// CodeDeadline when ctx ended with ErrDeadline as its cause, CodeCancelled when it
// ended otherwise, CodeIO when input or output failed here, CodeBadManifest,
// CodeBadModule, CodeModuleRefused and CodeCompileLimit when nodes say so.
func Run(ctx context.Context, cfg Config, j *Job, source Source) (*Result, error) {
	if cfg.Hedge > 0 {
		return hedged(ctx, cfg, j, source)
	}
	return place(ctx, cfg, j, source)
}

// place is Run, at one node at a time.
func place(ctx context.Context, cfg Config, j *Job, source Source) (*Result, error) {
	cfg.fill(j)
	p, err := newPlacement(&cfg, j)
	if err != nil {
		return nil, err
	}
	defer p.input.close()
	var searching sync.WaitGroup
	defer searching.Wait()
	looking, stop := context.WithCancel(ctx)
	defer stop()
	searching.Go(func() { p.ended(source(looking, p.propose)) })
	return p.run(ctx)
}

// fill puts in the defaults.
func (cfg *Config) fill(j *Job) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Tell == nil {
		cfg.Tell = func(string, string) {}
	}
	if cfg.Sending == nil {
		cfg.Sending = func(string, int64, int64) {}
	}
	if cfg.Started == nil {
		cfg.Started = func() {}
	}
	if cfg.Admit == nil {
		cfg.Admit = func(string) string { return "" }
	}
	if cfg.Fits == nil {
		cfg.Fits = func(*job.Node) []job.Rejection { return nil }
	}
	if cfg.Jitter == nil {
		cfg.Jitter = jitter
	}
	cfg.Dial = cmp.Or(cfg.Dial, 10*time.Second)
	cfg.Answer = cmp.Or(cfg.Answer, 20*time.Second)
	cfg.Reattach = cmp.Or(cfg.Reattach, 10*time.Second)
	cfg.Grace = cmp.Or(cfg.Grace, 15*time.Second)
	cfg.CancelWait = cmp.Or(cfg.CancelWait, 5*time.Second)
	cfg.Backoff = cmp.Or(cfg.Backoff, 250*time.Millisecond)
	if j.Live != nil {
		cfg.Retries = 0
	}
}

// inputKnown reports whether all of the input can be sent again.
func (j *Job) inputKnown() bool { return j.Manifest.StdinHash != "" }

// bytesToSend is how much of a job goes to a node that has nothing of it.
func (p *placement) bytesToSend() int64 {
	return int64(len(p.job.Module)) + p.job.StdinBytes + p.folders.bytes()
}
