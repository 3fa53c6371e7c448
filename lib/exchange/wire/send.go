package wire

import (
	"errors"
	"time"
)

// Send sends a message. It refuses, with a *BreachError, what the other end
// would: one out of turn, or one that breaks a rule of its kind.
//
// Errors: ErrClosed after Close or Reset, ErrLost when it can't be sent. The
// latter says nothing about reading: the other end's last frame, which says why
// it takes no more, may still be there to be read.
func (c *Conn) Send(m Message) error {
	payload, err := Encode(m)
	if err != nil {
		return err
	}
	return c.send(m.Kind(), payload, func(o *Order) error { return o.Message(m) })
}

// SendData sends data, of any length, as pieces of a stream. Between the pieces
// others may send. Errors are those of Send.
func (c *Conn) SendData(kind Kind, data []byte) error {
	for len(data) > 0 {
		n := min(len(data), chunk)
		if err := c.send(kind, data[:n], func(o *Order) error { return o.Data(kind, n) }); err != nil {
			return err
		}
		data = data[n:]
	}
	return nil
}

// send sends a frame when it is its turn.
func (c *Conn) send(kind Kind, payload []byte, turn func(*Order) error) error {
	if err := kind.check(c.role, len(payload)); err != nil {
		return err
	}
	c.sending <- struct{}{}
	defer func() { <-c.sending }()
	c.mu.Lock()
	err := c.sendable()
	if err == nil {
		err = turn(&c.order)
	}
	c.mu.Unlock()
	if err != nil {
		return err
	}
	return c.write(kind, payload)
}

// sendable returns why nothing can be sent. It needs c.mu and c.sending.
func (c *Conn) sendable() error {
	switch {
	case c.ended:
		return ErrClosed
	case c.lost != nil:
		return c.lost
	}
	return c.broken
}

// write writes a frame. It needs c.sending.
func (c *Conn) write(kind Kind, payload []byte) error {
	c.buf = appendFrame(c.buf[:0], kind, payload)
	err := c.setWriteDeadline()
	if err == nil {
		_, err = c.stream.Write(c.buf)
	}
	c.sent = time.Now()
	if err == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if isTimeout(err) && !c.ended && c.lost == nil {
		c.lost = lost(errors.New("the other end takes nothing"))
		_ = c.stream.Reset() // of a stream that nothing can follow on
	}
	// A part of the frame may be out: nothing can follow.
	c.broken = lost(err)
	return c.sendable()
}

// setWriteDeadline sets the deadline of the next write, unless the end has come.
func (c *Conn) setWriteDeadline() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.sendable(); err != nil {
		return err
	}
	_ = c.stream.SetWriteDeadline(time.Now().Add(c.cfg.Stall)) // of a stream that is over, whose write says so
	return nil
}

// ping sends a ping if nothing else was sent for long enough, and sets the time of
// the next look. The timer calls it, so that a stream that waits has no goroutine for
// this.
func (c *Conn) ping() {
	wait := c.cfg.Ping
	select {
	case c.sending <- struct{}{}:
		if silent := time.Since(c.sent); silent < c.cfg.Ping {
			wait -= silent
		} else {
			_ = c.write(KindPing, nil) // who sends next is told
		}
		<-c.sending
	default: // a send is under way: no silence
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		close(c.pinged)
		return
	}
	c.pinger.Reset(wait)
}

// Close ends the exchange in good order: what was sent, and then the end of the
// stream, arrive if the connection holds. Sends and reads under way are cut off.
// It waits for what the Conn has started. Calls after the first, and after
// Reset, do nothing.
func (c *Conn) Close() {
	if !c.end() {
		return
	}
	// A write of the pinger's may be under way, which the stream is not to be
	// closed under.
	select {
	case c.sending <- struct{}{}:
	default:
		_ = c.stream.SetWriteDeadline(time.Unix(1, 0)) // of a broken stream, whose write is over
		c.sending <- struct{}{}
	}
	<-c.sending
	<-c.pinged
	// It fails when the other end has gone or wants no more, and that can't be
	// told from success a moment earlier: nothing can be made of it.
	_ = c.stream.Close()
}

// Reset breaks the exchange off: the other end finds the stream broken. It waits
// for what the Conn has started. Calls after the first, and after Close, do
// nothing.
func (c *Conn) Reset() {
	if !c.end() {
		return
	}
	_ = c.stream.Reset() // of a stream that is over anyway
	<-c.pinged
}

// end marks the end, and reports whether this call was the first to.
func (c *Conn) end() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return false
	}
	c.ended = true
	if c.pinger.Stop() { // else ping is under way, and finds the end
		close(c.pinged)
	}
	return true
}
