package bulk

import (
	"fmt"
	"io"
	"sync"
	"time"

	"golang.org/x/term"

	"plasm/lib/batch"
	"plasm/lib/cli"
)

const (
	statusAfter = 300 * time.Millisecond // what is over sooner needs no line
	statusEvery = 200 * time.Millisecond
	statusClear = "\r\x1b[2K"
	barWidth    = 16
)

// terminal is what stands between a batch and its output streams: where stderr is a
// terminal, a line there shows how far the batch has come, and goes away before anything
// else is written.
type terminal struct {
	stdout, stderr io.Writer

	words io.Writer // where the line is drawn
	lines bool      // it can be
	width int

	mu    sync.Mutex
	drawn bool
}

func newTerminal(in *cli.Invocation) *terminal {
	t := &terminal{words: in.Stderr}
	stdout, stderr := in.OwnStreams()
	if f, ok := cli.FileOf(in.Stderr); ok && term.IsTerminal(int(f.Fd())) && in.Getenv("TERM") != "dumb" {
		t.lines = true
		t.width, _, _ = term.GetSize(int(f.Fd()))
		stdout, stderr = clearing{stdout, t}, clearing{stderr, t}
	}
	t.stdout, t.stderr = stdout, stderr
	return t
}

// clearing takes the line away before something is written.
type clearing struct {
	io.Writer
	t *terminal
}

func (c clearing) Write(p []byte) (int, error) {
	c.t.mu.Lock()
	defer c.t.mu.Unlock()
	c.t.clear()
	return c.Writer.Write(p)
}

// SetWriteDeadline ends a write that a reader holds up, where that can be done.
func (c clearing) SetWriteDeadline(at time.Time) error {
	if d, ok := c.Writer.(interface{ SetWriteDeadline(t time.Time) error }); ok {
		return d.SetWriteDeadline(at)
	}
	return nil
}

func (t *terminal) clear() {
	if t.drawn {
		_, _ = io.WriteString(t.words, statusClear)
		t.drawn = false
	}
}

// show draws the line again and again until stop.
func (t *terminal) show(status func() string) (stop func()) {
	if !t.lines {
		return func() {}
	}
	done := make(chan struct{})
	var drawing sync.WaitGroup
	drawing.Go(func() {
		timer := time.NewTimer(statusAfter)
		defer timer.Stop()
		for {
			select {
			case <-timer.C:
				t.draw(status())
				timer.Reset(statusEvery)
			case <-done:
				return
			}
		}
	})
	return func() {
		close(done)
		drawing.Wait()
		t.mu.Lock()
		defer t.mu.Unlock()
		t.clear()
	}
}

func (t *terminal) draw(text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if runes := []rune(text); t.width > 1 && len(runes) >= t.width {
		text = string(runes[:t.width-1])
	}
	_, _ = io.WriteString(t.words, statusClear+text)
	t.drawn = true
}

// status returns what says how far a batch has come.
func (p *Plan) status(b *batch.Batch) func() string {
	began := time.Now()
	return func() string {
		return status(b.Counts(), time.Since(began), p.list.Read(), p.size)
	}
}

// status is the line about a batch of whose list so many bytes of so many have been
// read; 0: nobody knows of how many.
func status(c batch.Counts, took time.Duration, read, size int64) string {
	over := c.Succeeded + c.Failed
	text := fmt.Sprintf("%d done, %d running, %d failed", over, c.Running, c.Failed)
	rate := float64(over-c.Resumed) / took.Seconds()
	if rate > 0 {
		text += fmt.Sprintf(", %.1f/s", rate)
	}
	if size <= 0 || c.Items == 0 || read <= 0 {
		return text
	}
	items := float64(c.Items) * float64(size) / float64(min(read, size)) // as many as the list seems to have
	part := min(float64(over)/items, 1)
	bar := make([]rune, barWidth)
	for i := range bar {
		bar[i] = '░'
		if float64(i) < part*barWidth {
			bar[i] = '█'
		}
	}
	text = fmt.Sprintf("%s %3.0f%% %s", string(bar), part*100, text)
	if rate > 0 {
		left := time.Duration((items - float64(over)) / rate * float64(time.Second))
		text += fmt.Sprintf(", %s left", left.Round(time.Second))
	}
	return text
}
