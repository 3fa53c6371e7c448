package wire

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// Stream is what a Conn speaks over; libp2p's network.Stream is one. Its methods
// may be called by several goroutines, but Read by one and Write by one at a time.
// Deadlines can be set as long as the stream isn't over.
type Stream interface {
	io.ReadWriteCloser                // Close sends what was written, and then the end
	Reset() error                     // ends both directions at once; may lose what was written
	SetReadDeadline(time.Time) error  // holds for a Read under way too
	SetWriteDeadline(time.Time) error // holds for a Write under way too
}

// Config is the timing of a Conn. The zero value is that of the protocol.
type Config struct {
	Ping time.Duration // without having sent anything, until a ping; default 2 s
	Lost time.Duration // without a byte from the other end, until the connection is lost; default 8 s
	// that a write of at most 64 KiB may wait to be taken while the other end is alive; default 10
	// min
	Stall time.Duration
}

// Conn is one end of an exchange on a stream: it sends and reads frames, pings,
// notices silence, and keeps the turns.
//
// One goroutine may read (Next, Some, Message); any number may send (Send,
// SendData). A send waits until the stream has taken it: what the other end
// doesn't take is not held here. So that two ends which both send can't wait for
// each other, whoever reads must never wait for a send of its own end.
type Conn struct {
	stream Stream
	role   Role
	cfg    Config
	reader *Reader

	mu    sync.Mutex
	order Order
	by    time.Time // no read waits beyond it, unless zero
	idle  time.Time // when the read under way becomes a lost connection
	lost  error     // why the connection is lost, or nil
	ended bool      // Close or Reset was called

	pinger *time.Timer // calls ping

	sending chan struct{} // holds a token while somebody sends; guards what follows
	buf     []byte
	sent    time.Time // when the last send ended
	broken  error     // why no more can be sent, or nil

	pinged chan struct{} // closed when the pinger has ended
}

// NewConn returns the end of an exchange on stream that role says. Close or
// Reset must end it.
func NewConn(stream Stream, role Role, cfg Config) *Conn {
	c := &Conn{
		stream: stream, role: role, cfg: cfg,
		sending: make(chan struct{}, 1), sent: time.Now(),
		pinged: make(chan struct{}),
	}
	c.cfg.Ping = cmp.Or(cfg.Ping, 2*time.Second)
	c.cfg.Lost = cmp.Or(cfg.Lost, 8*time.Second)
	c.cfg.Stall = cmp.Or(cfg.Stall, 10*time.Minute)
	other := Node
	if role == Node {
		other = Requester
	}
	c.reader = NewReader(timedReader{c}, other)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pinger = time.AfterFunc(c.cfg.Ping, c.ping)
	return c
}

// timedReader reads a Conn's stream, with deadlines.
type timedReader struct{ c *Conn }

func (t timedReader) Read(p []byte) (int, error) {
	c := t.c
	c.mu.Lock()
	c.idle = time.Now().Add(c.cfg.Lost)
	c.setReadDeadline()
	c.mu.Unlock()
	return c.stream.Read(p)
}

// setReadDeadline needs c.mu. Where it can't be set the stream is over, and the
// read says how.
func (c *Conn) setReadDeadline() {
	deadline := c.idle
	if !c.by.IsZero() && c.by.Before(deadline) {
		deadline = c.by
	}
	_ = c.stream.SetReadDeadline(deadline)
}

// ReadBy sets a time that no read, also one under way, waits beyond, whatever
// the other end sends: it then returns an error that is os.ErrDeadlineExceeded
// and not ErrLost. The zero time takes that back.
func (c *Conn) ReadBy(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.by = t
	if !c.idle.IsZero() {
		c.setReadDeadline()
	}
}

// Next returns the kind of the next frame that is no ping, and skips what was
// not taken of the one before. What a frame of a data kind holds comes from
// Some, any other from Message, which must be called for an Accept.
//
// Errors: io.EOF when the other end has closed the stream, at the requester only
// after the last frame or its own cancel; a *BreachError, after which Reset is
// due; ErrClosed after Close or Reset; os.ErrDeadlineExceeded, see ReadBy;
// ErrLost for everything else, and then sends under way return too. After an
// error there is no more to be had.
func (c *Conn) Next() (Kind, error) {
	for {
		kind, n, err := c.reader.Next()
		if err != nil {
			return 0, c.readError(err)
		}
		if kind == KindPing {
			continue
		}
		if kind.IsData() {
			c.mu.Lock()
			err = c.order.Data(kind, n)
			c.mu.Unlock()
		}
		if err != nil {
			return 0, err
		}
		return kind, nil
	}
}

// Some returns the next bytes of the frame's payload, at least one and as many
// as are at hand, or none at its end. They are valid until the next call.
// Errors are those of Next.
func (c *Conn) Some() ([]byte, error) {
	p, err := c.reader.Some()
	if err != nil {
		return nil, c.readError(err)
	}
	return p, nil
}

// Held has f called with the bytes that the message under way is to be given room
// for, each time that it gets more than the first few KiB. An error of f's ends the
// connection. It must be called before Next.
func (c *Conn) Held(f func(bytes int) error) { c.reader.held = f }

// Message returns what a frame of no data kind says. Errors are those of Next.
func (c *Conn) Message() (Message, error) {
	payload, err := c.reader.Payload()
	if err != nil {
		return nil, c.readError(err)
	}
	m, err := Decode(c.reader.kind, payload)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.order.Message(m); err != nil {
		return nil, err
	}
	return m, nil
}

// readError says what an error of the stream's means.
func (c *Conn) readError(err error) error {
	if _, ok := errors.AsType[*BreachError](err); ok {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.ended:
		return ErrClosed
	case errors.Is(err, io.EOF) && (c.role == Node || c.order.Over() || c.order.Cancelled()):
		return io.EOF
	case errors.Is(err, io.EOF):
		err = errors.New("the node has closed the stream before its last frame")
	case isTimeout(err) && !c.by.IsZero() && !time.Now().Before(c.by):
		return fmt.Errorf("the %s took too long: %w", c.reader.from, os.ErrDeadlineExceeded)
	case isTimeout(err) && !time.Now().Before(c.idle):
		err = fmt.Errorf("nothing came for %s", c.cfg.Lost)
	}
	if c.lost == nil {
		c.lost = lost(err)
		_ = c.stream.Reset() // frees whoever is sending; of a stream that is lost anyway
	}
	return c.lost
}

// isTimeout reports whether a stream says that a deadline has passed. Libp2p's
// muxers don't say it in one way, and say the same of a connection that died.
func isTimeout(err error) bool {
	timeout, ok := errors.AsType[net.Error](err)
	return ok && timeout.Timeout() || errors.Is(err, os.ErrDeadlineExceeded)
}
