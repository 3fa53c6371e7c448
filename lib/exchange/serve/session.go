package serve

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"time"

	p2p "github.com/libp2p/go-libp2p/core/network"

	"plasm/lib/exchange/queue"
	"plasm/lib/exchange/wire"
	"plasm/lib/job"
	"plasm/lib/store"
)

// session is one stream. Its goroutine reads (listen); speak sends.
type session struct {
	s         *Server
	stream    p2p.Stream
	conn      *wire.Conn
	transport string // peer ID at the other end
	source    string // what it is charged by
	budget    int64  // bytes that may still be sent over a relay; wire.NoLimit: any number

	patience time.Duration // for the offer

	// Server.mu's.
	link    p2p.Conn // that it is a stream of
	pool    *pool    // that it is in as long as it has no offer
	units   int      // that it takes there
	dropped bool     // to make room there
	shut    bool     // and its connection with it
	holder  string   // who it is counted with

	offer    *wire.Offer
	manifest *job.Manifest
	client   queue.Client
	task     *task
	attached bool
	opened   time.Time
	accepted bool // speak's

	wants   bool  // speak's: a want is to be sent
	lacking int64 // speak's: bytes that accept has asked for

	asked     atomic.Pointer[wire.Want] // that was sent
	cancelled atomic.Bool               // by this stream
	sent      atomic.Int64

	// Set before accept is sent, then listen's.
	upload    *store.Upload
	takes     bool         // the module
	module    int64        // bytes of it that have come
	stdinFrom int64        // where the next piece of the input begins
	trees     []job.Digest // whose documents come
	treeAt    int64        // bytes of the first of them that have come
	blobs     place        // where the next piece of contents begins; without a want before the first
}

// serve serves the stream to its end.
func (x *session) serve() {
	if err := x.read(); err != nil {
		x.conn.Reset()
		x.s.log.Debug("no offer", "peer", x.transport, "error", job.Quote(err.Error()))
		return
	}
	if r := x.admit(); r != nil {
		x.turnAway(r)
		return
	}
	defer x.task.leave()
	ctx, cancel := context.WithCancelCause(context.Background())
	spoken, listened := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(spoken)
		if err := x.speak(ctx); err != nil {
			x.conn.Reset()
			return
		}
		x.awaitClose(listened)
		x.conn.Close()
	}()
	if err := x.listen(); err != nil {
		cancel(err)
		x.conn.Reset()
	}
	close(listened)
	<-spoken
	cancel(nil)
	if x.upload != nil {
		x.upload.Close()
	}
}

// heardTime is how long a requester has to close its side after the last frame, of a
// node that ends.
const heardTime = 2 * time.Second

// awaitClose waits, when the node ends, until the requester has closed its side: the host
// is closed next, and what is still on its way would be lost with it.
func (x *session) awaitClose(listened <-chan struct{}) {
	x.s.mu.Lock()
	draining := x.s.draining
	x.s.mu.Unlock()
	if !draining {
		return
	}
	late := time.NewTimer(heardTime)
	defer late.Stop()
	select {
	case <-listened:
	case <-late.C:
	}
}

// read reads the offer and verifies that it is the requester's.
func (x *session) read() error {
	x.conn.ReadBy(x.opened.Add(x.patience))
	if _, err := x.conn.Next(); err != nil {
		return err
	}
	m, err := x.conn.Message()
	if err != nil {
		return err
	}
	x.conn.ReadBy(time.Time{})
	offer, ok := m.(*wire.Offer)
	if !ok {
		return errors.New("the first frame is no offer")
	}
	x.offer = offer
	return offer.Verify(x.s.cfg.Host.ID().String(), x.transport)
}

// admit goes through what may speak against an offer, and else joins its task.
func (x *session) admit() (r *job.Rejection) {
	s := x.s
	if r := s.allowed(x, x.offer.Requester); r != nil {
		return r
	}
	if r := s.cfg.Queue.Charge(x.client); r != nil && r.Code != job.RejectShuttingDown { // that is for new jobs
		return r
	}
	if !s.promote(x) {
		return &job.Rejection{
			Code: job.RejectBusy, Message: "too many streams of this requester, or of its like",
			RetryAfterMS: retrySoon.Milliseconds(),
		}
	}
	m, err := x.offer.DecodeManifest()
	if err != nil {
		return &job.Rejection{Code: job.RejectBadManifest, Message: err.Error()}
	}
	x.manifest = m
	s.log.Info("job.offered", "requester", x.offer.Requester, "job", m.ID, "peer", x.transport, "source", x.source,
		"listed", x.client.Listed)
	x.task, x.attached, r = s.find(x)
	return r
}

// turnAway answers an offer that came to nothing.
func (x *session) turnAway(r *job.Rejection) {
	if err := x.reject(r); err != nil {
		x.conn.Reset()
		return
	}
	x.conn.Close()
}

// reject sends a rejection, the last frame.
func (x *session) reject(r *job.Rejection) error {
	if !x.accepted {
		x.s.cfg.Observe.Offered(string(r.Code))
	}
	id := "" // of a manifest that was not read
	if x.manifest != nil {
		id = x.manifest.ID
	}
	x.s.log.Info("job.rejected", "requester", x.offer.Requester, "job", id, "peer", x.transport, "code", string(r.Code),
		"reason", job.Quote(r.Message))
	return x.conn.Send(&wire.Reject{Rejection: *r})
}

// listen takes what the requester sends until there is no more. Nil: it has closed
// its side, or the other direction has ended the exchange.
func (x *session) listen() error {
	for {
		kind, err := x.conn.Next()
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, wire.ErrClosed):
			return nil
		case err != nil:
			return err
		case kind.IsData():
			err = x.data(kind)
		default:
			err = x.message()
		}
		if errors.Is(err, wire.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// message takes what is no piece of a stream.
func (x *session) message() error {
	m, err := x.conn.Message()
	if err != nil {
		return err
	}
	switch m.(type) {
	case wire.Cancel:
		x.cancelled.Store(true)
		x.task.abort(errCancelled)
	case wire.StdinEnd:
		x.task.input.end(x.stdinFrom)
	}
	return nil
}

// data takes the pieces of one frame.
func (x *session) data(kind wire.Kind) error {
	for {
		p, err := x.conn.Some()
		if err != nil || len(p) == 0 {
			return err
		}
		x.s.cfg.Observe.Moved(kind.String(), len(p))
		x.task.touch()
		switch kind {
		case wire.KindModule:
			x.takeModule(p)
		case wire.KindTree:
			x.takeTree(p)
		case wire.KindBlob:
			x.takeBlob(p)
		default:
			x.takeStdin(p)
		}
	}
}

// takeStdin takes a piece of the input.
func (x *session) takeStdin(p []byte) {
	t := x.task
	whole, r, err := t.input.take(x.stdinFrom, p)
	x.stdinFrom += int64(len(p))
	switch {
	case err != nil:
		t.refuse(x.s.storeRejection(err, job.RejectInputTooLarge))
	case r != nil:
		t.refuse(r)
	case whole:
		t.poke()
	}
}

// takeTree takes a piece of the documents.
func (x *session) takeTree(p []byte) {
	f := x.task.folders
	for len(p) > 0 && len(x.trees) > 0 {
		d := x.trees[0]
		n := min(int64(len(p)), f.size(d)-x.treeAt)
		if r := f.document(d, x.treeAt, p[:n]); r != nil {
			x.task.refuse(r)
			x.trees = nil
			return
		}
		p = p[n:]
		if x.treeAt += n; x.treeAt == f.size(d) {
			x.trees, x.treeAt = x.trees[1:], 0
		}
	}
}

// takeBlob takes a piece of the contents.
func (x *session) takeBlob(p []byte) {
	if x.blobs.want == nil {
		x.blobs.begin(x.asked.Load())
	}
	whole, r := x.task.folders.take(&x.blobs, p)
	switch {
	case r != nil:
		x.task.refuse(r)
	case whole:
		x.task.poke()
	}
}

// takeModule takes a piece of the module.
func (x *session) takeModule(p []byte) {
	x.module += int64(len(p))
	if !x.takes {
		return
	}
	if r := x.storeModule(p); r != nil {
		x.takes = false
		x.task.refuse(r)
	}
}

func (x *session) storeModule(p []byte) *job.Rejection {
	s, hash := x.s, x.manifest.ModuleHash
	if x.upload == nil {
		var err error
		if x.upload, err = s.cfg.Store.Upload(x.offer.Requester, hash, x.offer.ModuleBytes); err != nil {
			return s.storeRejection(err, job.RejectModuleTooLarge)
		}
	}
	if _, err := x.upload.Write(p); err != nil {
		return s.storeRejection(err, job.RejectModuleTooLarge)
	}
	if x.module < x.offer.ModuleBytes {
		return nil
	}
	x.takes = false
	m, err := x.upload.Commit()
	switch {
	case errors.Is(err, store.ErrMismatch):
		return &job.Rejection{
			Code:    job.RejectHashMismatch,
			Message: "the module that came is not the one that the manifest names", Need: string(hash),
		}
	case err != nil:
		return s.storeRejection(err, job.RejectModuleTooLarge)
	}
	defer m.Close()
	module, err := m.Load()
	if err != nil {
		return s.storeRejection(err, job.RejectModuleTooLarge)
	}
	x.task.setModule(module)
	return nil
}
