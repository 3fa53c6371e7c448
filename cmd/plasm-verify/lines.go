package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"plasm/lib/cli"
	"plasm/lib/job"
	"plasm/lib/receipt"
)

// lines are what --json has written of a batch: a line about each item.
type lines struct {
	r    *bufio.Reader
	file io.Closer
}

// isBatch reports whether the document in r is a line about an item of a batch.
func isBatch(r *bufio.Reader) bool {
	head, _ := r.Peek(job.MaxEnvelope + 1) // an error comes again where the document is read
	switch firstMember(head) {
	case "index", "label", "result":
		return true
	}
	return false
}

// checkLines refuses flags that are about one job.
func (o *options) checkLines() error {
	for _, flag := range []string{"manifest", "stdin", "stdout", "stderr", "in", "out"} {
		if o.flags.Changed(flag) {
			return cli.Usage(name, "--%s is about one job, and %s has the items of a batch", flag, shown(o.receipt))
		}
	}
	if o.rerun || o.print == printStatement {
		return cli.Usage(name, "--rerun and --print statement are about one job, and %s has the items of a batch",
			shown(o.receipt))
	}
	return nil
}

// judgeLines comes to a verdict about each item, and tells it. What it returns is
// verified when all are.
func (o *options) judgeLines(in *cli.Invocation, e *evidence) (*verdict, error) {
	all := &verdict{Verified: true}
	for number := int64(1); ; number++ {
		if _, err := e.lines.r.Peek(1); errors.Is(err, io.EOF) {
			return all, nil
		}
		v, err := o.judgeLine(in, e, number)
		if err != nil {
			return nil, err
		}
		all.Verified = all.Verified && v.Verified
	}
}

// judgeLine reads the next line and comes to a verdict about it.
func (o *options) judgeLine(in *cli.Invocation, e *evidence, number int64) (*verdict, error) {
	of := &evidence{
		log: e.log, trusted: e.trusted, expect: e.expect, left: e.left,
		received: &received{outputs: true, trees: carried{}},
	}
	defer of.close()
	stdout, stderr := newDigester(of.spool(o.print == printStdout)), newDigester(of.spool(o.print == printStderr))
	line := &lineReader{r: e.lines.r}
	it, err := job.ReadItemResult(&capped{r: line, left: job.MaxDocument}, stdout, stderr, of.received.trees)
	if _, skipped := io.Copy(io.Discard, line); skipped != nil {
		return nil, fileError(o.receipt, skipped)
	}
	v := &verdict{}
	switch {
	case err != nil:
		if of.received.refusal, err = refused(err); err != nil {
			return nil, fileError(o.receipt, err)
		}
		of.received.refusal.Detail = fmt.Sprintf("line %d: %s", number, of.received.refusal.Detail)
	case it.Failed != nil:
		v.Index, v.Label = it.Index, it.Label
		of.received.failed = it.Failed
		of.received.refusal = &receipt.RefusalError{
			Reason: receipt.BadJSON, Of: receipt.Envelope, Detail: "an error, no receipt: " + it.Failed.Message,
		}
	default:
		v.Index, v.Label, of.received.envelope = it.Index, it.Label, it.Envelope
		of.received.others = it.Receipts
		of.expect.Stdout = []receipt.Content{stdout.content()}
		of.expect.Stderr = []receipt.Content{stderr.content()}
		of.expect.Carried = slices.Sorted(maps.Keys(of.received.trees))
	}
	return o.conclude(in, of, v)
}

// lineReader reads a line, without its end.
type lineReader struct {
	r    *bufio.Reader
	over bool
}

func (l *lineReader) Read(p []byte) (int, error) {
	if l.over || len(p) == 0 {
		return 0, io.EOF
	}
	if len(p) > l.r.Size() {
		p = p[:l.r.Size()]
	}
	if _, err := l.r.Peek(1); err != nil {
		return 0, err
	}
	ready, _ := l.r.Peek(min(len(p), l.r.Buffered())) // all of it is there
	n := 0
	for n < len(ready) && ready[n] != '\n' {
		n++
	}
	copy(p, ready[:n])
	l.over = n < len(ready)
	skip := n
	if l.over {
		skip++
	}
	_, _ = l.r.Discard(skip) // as it is there
	if n == 0 && l.over {
		return 0, io.EOF
	}
	return n, nil
}
