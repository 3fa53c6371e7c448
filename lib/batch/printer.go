package batch

import (
	"io"
	"sync"
	"time"
)

// turn is an item's place in the order of printing; 0: it prints as it ends.
type turn int64

// printer writes what items print, one item at a time, in their order. What has ended
// before its turn waits on a shelf.
type printer struct {
	stdout, stderr io.Writer
	unordered      bool
	stirred        func() // is called when one that has waited is out

	out sync.Mutex // held while something is written

	mu      sync.Mutex
	last    turn // that was given
	next    turn // to print
	shelf   shelf
	pending map[turn]waiting
	stored  int // of pending, those that are on the shelf
}

// waiting is an item whose turn has not come.
type waiting struct {
	kept *kept // nil: it prints nothing
	done func(error)
}

func newPrinter(stdout, stderr io.Writer, unordered bool, stirred func()) *printer {
	return &printer{
		stdout: stdout, stderr: stderr, unordered: unordered, stirred: stirred, next: 1,
		pending: map[turn]waiting{},
	}
}

// turn returns the turn of an item, the next that is read.
func (p *printer) turn(it *Item) turn {
	if p.unordered || it.Filed {
		return 0
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last++
	return p.last
}

// waiting returns how many ended items wait for their turn.
func (p *printer) waiting() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stored
}

// skip gives up a turn: nothing comes.
func (p *printer) skip(t turn) { p.put(t, Printed{}, func(error) {}) }

// put prints what an item prints when its turn comes, at once or later, and then calls
// done, with the error of writing.
func (p *printer) put(t turn, what Printed, done func(error)) {
	if what.Close != nil {
		defer what.Close()
	}
	if t == 0 {
		done(p.write(what))
		return
	}
	now, err := p.keep(t, what, done)
	switch {
	case err != nil:
		done(err)
	case now:
		done(p.write(what)) // nothing else has this turn
		p.advance()
	}
}

// keep puts what an item prints on the shelf, unless it is its turn now.
func (p *printer) keep(t turn, what Printed, done func(error)) (now bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if t == p.next {
		return true, nil
	}
	w := waiting{done: done}
	if what.Stdout != nil || what.Stderr != nil {
		if w.kept, err = p.shelf.put(what); err != nil {
			w.done = func(error) {}
		} else {
			p.stored++
		}
	}
	p.pending[t] = w
	return false, err
}

// advance goes on behind a turn that is over, as far as what waits is in order.
func (p *printer) advance() {
	for {
		p.mu.Lock()
		p.next++
		w, ok := p.pending[p.next]
		delete(p.pending, p.next)
		p.mu.Unlock()
		if !ok {
			return
		}
		var err error
		if w.kept != nil {
			err = p.write(Printed{Stdout: w.kept.stdout, Stderr: w.kept.stderr})
		}
		w.done(err)
		p.mu.Lock()
		if w.kept != nil {
			p.shelf.drop(w.kept)
			p.stored--
		}
		p.mu.Unlock()
		p.stirred()
	}
}

// write writes to the command's own streams.
func (p *printer) write(what Printed) error {
	p.out.Lock()
	defer p.out.Unlock()
	return what.write(p.stdout, p.stderr)
}

// interrupt ends a write that a reader holds up, where that can be done.
func (p *printer) interrupt() {
	for _, w := range []io.Writer{p.stdout, p.stderr} {
		if d, ok := w.(interface{ SetWriteDeadline(t time.Time) error }); ok {
			_ = d.SetWriteDeadline(time.Now().Add(hurry)) // where it can't be, the process ends before the write
		}
	}
}

// hurry is how long a write has to end when the batch is broken off.
const hurry = 100 * time.Millisecond

// close lets go of what was not printed.
func (p *printer) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.shelf.close()
}
