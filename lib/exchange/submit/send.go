package submit

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"plasm/lib/exchange/wire"
	"plasm/lib/job"
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
	u := &upload{x: x, total: x.offer.Lacking(accept)}
	if accept.Stdin && !x.a.job.inputKnown() {
		u.total = 0
	}
	if !u.trees(accept.Trees) || x.a.cfg.only == dry || accept.Module && !u.module() {
		return
	}
	if accept.Want {
		select {
		case want := <-x.wanted:
			if u.total += want.Bytes; !u.blobs(want) {
				return
			}
		case <-x.over:
			return
		}
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

// trees sends the documents of trees.
func (u *upload) trees(digests []job.Digest) bool {
	for _, d := range digests {
		if !u.data(wire.KindTree, u.x.a.job.Pack.Document(d)) {
			return false
		}
	}
	return true
}

// blobs sends the contents that are wanted: small ones together.
func (u *upload) blobs(w *wire.Want) bool {
	buf := make([]byte, 0, pieceSize)
	skip := w.From
	for i, b := range u.x.a.p.folders.blobs {
		if !w.Wants(i) {
			continue
		}
		r, _ := u.x.a.job.Pack.Blob(b.Digest) // newFolders has looked
		for at := skip; at < b.Size; {
			n, err := r.ReadAt(buf[len(buf):min(int64(cap(buf)), int64(len(buf))+b.Size-at)], at)
			if n == 0 {
				u.x.a.fail(packError(err))
				return false
			}
			buf, at = buf[:len(buf)+n], at+int64(n)
			if len(buf) == cap(buf) {
				if !u.data(wire.KindBlob, buf) {
					return false
				}
				buf = buf[:0]
			}
		}
		skip = 0
	}
	return len(buf) == 0 || u.data(wire.KindBlob, buf)
}

// queuePlace says what a node has said of its queue.
func queuePlace(q *wire.Queued) string {
	wait := time.Duration(q.WaitMS) * time.Millisecond
	return fmt.Sprintf("is busy: place %d in its queue, about %v", q.Position, wait.Round(100*time.Millisecond))
}

// accepted says what a node has accepted, and what it is sent.
func accepted(m *wire.Accept, n int64, j *Job) string {
	text := "has accepted"
	if m.Attached {
		text = "knows the job"
	}
	switch {
	case m.Stdin && !j.inputKnown():
		return text + "; input follows as it comes"
	case n == 0 && m.Want:
		return text + ", and looks for what it has of the folders"
	case n == 0:
		return text + ", and needs nothing of it"
	}
	return fmt.Sprintf("%s; %s to be sent", text, job.Roughly(n))
}
