package submit

import (
	"errors"
	"fmt"
	"io"
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
	if accept.Module && x.conn.SendData(wire.KindModule, x.a.job.Module) != nil {
		return
	}
	if accept.Stdin {
		x.sendInput(accept.StdinFrom)
	}
}

// sendInput sends the input from a byte on.
func (x *exchange) sendInput(at int64) {
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
		if x.conn.SendData(wire.KindStdin, p) != nil {
			return
		}
		at += int64(len(p))
	}
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
	var bytes int64
	if m.Module {
		bytes = int64(len(j.Module))
	}
	if m.Stdin {
		bytes += max(j.StdinBytes-m.StdinFrom, 0)
	}
	switch {
	case m.Stdin && !j.inputKnown():
		return text + "; input follows as it comes"
	case bytes == 0:
		return text + ", and needs nothing of it"
	}
	return fmt.Sprintf("%s; %d bytes follow", text, bytes)
}
