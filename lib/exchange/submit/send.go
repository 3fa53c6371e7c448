package submit

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"plasm/lib/exchange/wire"
)

// send sends the offer, and what the node then asks for. What goes wrong with the
// connection is for the reading side to say.
func (x *exchange) send(offer *wire.Offer) {
	if x.conn.Send(offer) != nil {
		return
	}
	var accept *wire.Accept
	select {
	case accept = <-x.accepted:
	case <-x.over:
		return
	}
	u := &upload{x: x, total: toSend(accept, x.a.job)}
	if accept.Module && !u.module() {
		return
	}
	if accept.Stdin {
		u.input(accept.StdinFrom)
	}
}

// upload is what a node is sent of a job, and how much of it is under way.
type upload struct {
	x           *exchange
	sent, total int64 // in bytes; total is 0 while an input comes as it comes
}

// data sends a piece, and reports whether more can be sent.
func (u *upload) data(kind wire.Kind, p []byte) bool {
	if u.x.conn.SendData(kind, p) != nil {
		return false
	}
	u.sent += int64(len(p))
	if u.total > 0 {
		u.x.a.cfg.Sending(u.x.a.c.id, u.sent, u.total)
	}
	return true
}

// module sends the module, in pieces so that somebody who watches sees it go.
func (u *upload) module() bool {
	for p := range slices.Chunk(u.x.a.job.Module, pieceSize) {
		if !u.data(wire.KindModule, p) {
			return false
		}
	}
	return true
}

// input sends the input from a byte on.
func (u *upload) input(at int64) {
	x := u.x
	for {
		p, err := x.a.p.input.next(x.over, at)
		switch {
		case errors.Is(err, io.EOF):
			_ = x.conn.Send(wire.StdinEnd{})
			return
		case err != nil:
			x.a.fail(err)
			return
		case p == nil:
			return // it is over
		}
		x.a.sentStdin = true
		if !u.data(wire.KindStdin, p) {
			return
		}
		at += int64(len(p))
	}
}

// toSend returns how many bytes a node needs of a job, as far as that is known.
func toSend(m *wire.Accept, j *Job) int64 {
	var n int64
	if m.Stdin && !j.inputKnown() {
		return 0
	}
	if m.Module {
		n = int64(len(j.Module))
	}
	if m.Stdin {
		n += max(j.StdinBytes-m.StdinFrom, 0)
	}
	return n
}

// queuePlace says what a node has said of its queue.
func queuePlace(q *wire.Queued) string {
	wait := time.Duration(q.WaitMS) * time.Millisecond
	return fmt.Sprintf("is busy: place %d in its queue, about %v", q.Position, wait.Round(100*time.Millisecond))
}

// accepted says what a node has accepted, and what it is sent.
func accepted(m *wire.Accept, j *Job) string {
	text := "has accepted"
	if m.Attached {
		text = "knows the job"
	}
	n := toSend(m, j)
	switch {
	case m.Stdin && !j.inputKnown():
		return text + "; input follows as it comes"
	case n == 0:
		return text + ", and needs nothing of it"
	}
	return fmt.Sprintf("%s; %d bytes follow", text, n)
}
