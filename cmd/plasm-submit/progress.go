package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"plasm/lib/cli"
	"plasm/lib/job"
)

const (
	progressAfter = 300 * time.Millisecond // what is over sooner needs none
	clearLine     = "\r\x1b[2K"
	barWidth      = 16
	barLine       = 72 // columns that a line with a bar may need
	dots          = 14 // the spinner's look, in the library's list
)

// progress is what stands between a command and its stderr: where that is a
// terminal, and once it is started, it shows in a line how far a submission has
// come, which goes away before anything else is written. It is safe for
// concurrent use.
type progress struct {
	stderr io.Writer
	called func(peerID string) string // a node, in few letters

	mu      sync.Mutex
	running bool
	after   time.Time // when the line may appear
	bar     *progressbar.ProgressBar
	total   int64 // of a bar that fills, in bytes; 0: it only turns
	text    string
	peer    string        // whom the text is about, or ""
	since   time.Time     // of a program that runs: from when on
	limit   time.Duration // and for how long it may; 0: none runs
	drawn   bool
	done    chan struct{}
	ticking sync.WaitGroup
}

// start begins a line with that text, where somebody may see it.
func (p *progress) start(getenv func(string) string, text string) {
	if cli.IsTerminal(p.stderr) && getenv("TERM") != "dumb" {
		p.begin(text, progressAfter)
	}
}

// begin begins a line, which appears after that long.
func (p *progress) begin(text string, after time.Duration) {
	p.after, p.done, p.running = time.Now().Add(after), make(chan struct{}), true
	p.show("", text, 0)
	p.ticking.Go(p.tick)
}

// tick turns the line while nothing is heard of.
func (p *progress) tick() {
	every := time.NewTicker(100 * time.Millisecond)
	defer every.Stop()
	for {
		select {
		case <-p.done:
			return
		case <-every.C:
		}
		p.mu.Lock()
		if p.running && p.limit > 0 {
			p.show(p.peer, shareOf(time.Since(p.since), p.limit), 0)
		}
		p.draw(0)
		p.mu.Unlock()
	}
}

// timing returns what shows, from when it is called on, how long a job's program runs, of the
// time that it may.
func (p *progress) timing(m *job.Manifest) (started func()) {
	limit := time.Duration(m.TimeoutMS) * time.Millisecond
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.running {
			p.since, p.limit = time.Now(), limit
			p.show(p.peer, shareOf(0, limit), 0)
		}
	}
}

// shareOf says for how long a program has run.
func shareOf(ran, limit time.Duration) string {
	return fmt.Sprintf("running: %v of at most %s, %d %%", ran.Truncate(time.Second), job.Span(limit.Milliseconds()),
		100*ran/limit)
}

// say shows a text about a node, in place of what was there.
func (p *progress) say(peerID, text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running {
		p.limit = 0
		p.show(peerID, text, 0)
	}
}

// sending shows how much of a job is on its way to a node, in bytes.
func (p *progress) sending(peerID string, sent, total int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.limit = 0
	switch {
	case !p.running:
	case sent >= total:
		p.show(peerID, "has the job", 0)
	default:
		p.show(peerID, "sending", total)
		p.draw(sent)
	}
}

// show makes the line that this wants, if it is not there.
func (p *progress) show(peerID, text string, total int64) {
	p.peer = peerID
	if peerID != "" {
		text = p.called(peerID) + ": " + text
	}
	if p.columns() < barLine {
		total = 0
	}
	if text = p.cut(cli.OneLine(text)); text == p.text && total == p.total {
		return
	}
	p.text, p.total = text, total
	options := []progressbar.Option{
		progressbar.OptionSetWriter((*line)(p)), progressbar.OptionSetDescription(text),
		progressbar.OptionUseANSICodes(true), progressbar.OptionSetSpinnerChangeInterval(0),
	}
	size := int64(-1)
	if total > 0 {
		size = total
		options = append(options, progressbar.OptionShowBytes(true), progressbar.OptionShowCount(),
			progressbar.OptionUseIECUnits(true), progressbar.OptionSetWidth(barWidth),
			progressbar.OptionSetElapsedTime(false), progressbar.OptionSetPredictTime(false))
	} else {
		options = append(options, progressbar.OptionSpinnerType(dots))
	}
	p.bar = progressbar.NewOptions64(size, options...)
}

// columns is how wide the terminal is.
func (p *progress) columns() int {
	if f, ok := cli.FileOf(p.stderr); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
			return width
		}
	}
	return 80
}

// cut cuts a text to what fits on one line, with what turns beside it: a line that
// wraps could not be taken away.
func (p *progress) cut(text string) string {
	const added = 12
	runes := []rune(text)
	if limit := max(p.columns()-added, 1); len(runes) > limit {
		return string(runes[:limit-1]) + "…"
	}
	return text
}

// draw draws the line; a bar that fills, filled so far unless that is 0.
func (p *progress) draw(sent int64) {
	if !p.running || time.Now().Before(p.after) {
		return
	}
	switch {
	case p.total == 0:
		_ = p.bar.Add(1) // of a line that nobody needs
	case sent > 0:
		_ = p.bar.Set64(sent)
	}
}

// line is what the bar is drawn on. It is written to under the progress's lock.
type line progress

func (l *line) Write(b []byte) (int, error) {
	l.drawn = true
	return l.stderr.Write(b)
}

// Write writes what is not progress, where the line was.
func (p *progress) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
	return p.stderr.Write(b)
}

func (p *progress) clear() {
	if p.drawn {
		_, _ = io.WriteString(p.stderr, clearLine)
		p.drawn = false
	}
}

// stop takes the line away for good. What is written later goes to stderr as it is.
func (p *progress) stop() {
	p.mu.Lock()
	wasRunning := p.running
	if p.running {
		p.clear()
		p.running = false
		close(p.done)
	}
	p.mu.Unlock()
	if wasRunning {
		p.ticking.Wait()
	}
}
