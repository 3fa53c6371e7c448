package batch

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"plasm/lib/job"
)

// Event is what a line of a log tells.
type Event string

// The events, a closed set.
const (
	Started Event = "started" // the job is about to be offered to Node, or run
	Ended   Event = "ended"   // the job has ended by itself, its files are in place and its output is written
	Failed  Event = "failed"  // the job has no result, or was stopped
)

// Entry is a line of a log behind the first. Nothing in it tells what an item's
// arguments, variables and files are.
type Entry struct {
	Index    int64
	Label    string
	Job      string     // the job's ID
	Input    job.Digest // of the manifest without its id
	Event    Event
	Time     time.Time
	Node     string // peer ID, or ""
	Status   job.Status
	ExitCode *uint32    // with job.Exit
	Receipt  job.Digest // of the receipt's envelope, or ""
}

// line is an Entry as it is written, its members in their order.
type line struct {
	Index    int64      `json:"index"`
	Label    string     `json:"label,omitempty"`
	Job      string     `json:"job"`
	Input    job.Digest `json:"input"`
	Event    Event      `json:"event"`
	Time     string     `json:"time"`
	Node     string     `json:"node,omitempty"`
	Status   job.Status `json:"status,omitempty"`
	ExitCode *uint32    `json:"exit_code,omitempty"`
	Receipt  job.Digest `json:"receipt,omitempty"`
}

// logHead is the first line of a log.
const logHead = `{"version":"1"}` + "\n"

// Log is the file that says how far a batch has come: a line of JSON for each event,
// each whole or, where a crash has cut the last, removed. It is safe for concurrent use;
// a nil Log keeps nothing.
type Log struct {
	file *os.File
	name string
	done map[int64]past // before it was resumed

	mu    sync.Mutex
	err   error
	dirty bool          // something is written and not on the disk
	sync  chan struct{} // has a value when it should be
	syncs sync.WaitGroup
}

// past is what a log knew of an item when it was opened.
type past struct {
	job   [16]byte
	work  [32]byte
	node  string
	event Event
	ok    bool // it had exited with 0
}

func (p past) id() string { return hex.EncodeToString(p.job[:]) }

// workOf is a valid digest's bytes.
func workOf(d job.Digest) (sum [32]byte) {
	_, _ = hex.Decode(sum[:], []byte(d.Hex()))
	return sum
}

// OpenLog opens the log of the file name, which is made where there is none, with mode
// 0600, and locked. One with something in it is wrong use unless the batch is resumed.
// An error is a *job.Error.
func OpenLog(name string, resume bool) (*Log, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_APPEND|syscall.O_NONBLOCK, 0o600)
	if err != nil {
		code := job.CodeIO
		if errors.Is(err, fs.ErrNotExist) {
			code = job.CodeNotFound
		}
		why := err
		if e, ok := errors.AsType[*fs.PathError](err); ok {
			why = e.Err
		}
		return nil, &job.Error{Code: code, Message: fmt.Sprintf("--joblog: %s: %v", name, why), Err: err}
	}
	l := &Log{file: f, name: name, done: map[int64]past{}, sync: make(chan struct{}, 1)}
	if err := l.open(resume); err != nil {
		_ = f.Close() // nothing was written
		return nil, err
	}
	l.syncs.Go(l.syncing)
	return l, nil
}

func (l *Log) open(resume bool) error {
	info, err := l.file.Stat()
	switch {
	case err != nil:
		return l.broken(err)
	case !info.Mode().IsRegular():
		return &job.Error{Code: job.CodeUsage, Message: fmt.Sprintf("--joblog: not a regular file: %s", l.name)}
	}
	if err := lock(l.file); err != nil {
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return &job.Error{
				Code:    job.CodeUsage,
				Message: fmt.Sprintf("--joblog: %s is in use by another command", l.name),
				Hint:    "wait for its end, or name another file", Err: err,
			}
		}
		return l.broken(err)
	}
	if info, err = l.file.Stat(); err != nil { // again, now that nobody else writes
		return l.broken(err)
	}
	if info.Size() > 0 && !resume {
		return &job.Error{
			Code: job.CodeUsage, Message: fmt.Sprintf("--joblog: %s is not empty", l.name),
			Hint: "--resume goes on where it ends; another file begins anew",
		}
	}
	if info.Mode().Perm()&0o077 != 0 {
		if err := l.file.Chmod(0o600); err != nil {
			return l.broken(err)
		}
	}
	return l.load(info.Size())
}

// lock locks a file for this process until it is closed.
func lock(f *os.File) error {
	for {
		if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// load reads what the file has, and cuts off a last line that was not written whole.
func (l *Log) load(size int64) error {
	whole, err := readLog(io.NewSectionReader(l.file, 0, size), func(e *Entry) {
		p := past{work: workOf(e.Input), node: e.Node, event: e.Event, ok: e.ExitCode != nil && *e.ExitCode == 0}
		_, _ = hex.Decode(p.job[:], []byte(e.Job))
		l.done[e.Index] = p
	})
	if err != nil {
		if e, ok := errors.AsType[*job.Error](err); ok {
			e.Message = fmt.Sprintf("--joblog: %s: %s", l.name, e.Message)
			return e
		}
		return l.broken(err)
	}
	if whole < size {
		if err := l.file.Truncate(whole); err != nil {
			return l.broken(err)
		}
	}
	if whole == 0 {
		if _, err := l.file.WriteString(logHead); err != nil {
			return l.broken(err)
		}
	}
	return nil
}

func (l *Log) broken(err error) error {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		err = path.Err
	}
	return &job.Error{
		Code: job.CodeIO, Message: fmt.Sprintf("--joblog: writing %s: %v", l.name, err),
		Hint: "once that can be done, --resume goes on from here", Err: err,
	}
}

// past returns what the log knew of an item.
func (l *Log) past(index int64) (past, bool) {
	if l == nil {
		return past{}, false
	}
	p, ok := l.done[index] // nobody writes to it
	return p, ok
}

// append writes a line. It is on the disk soon after Ended and Failed, and with flush.
func (l *Log) append(e *Entry) error {
	if l == nil {
		return nil
	}
	text := e.encode()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return l.err
	}
	if _, err := l.file.Write(text); err != nil {
		l.err = l.broken(err)
		return l.err
	}
	l.dirty = true
	if e.Event != Started {
		select {
		case l.sync <- struct{}{}:
		default:
		}
	}
	return nil
}

// encode returns the line of an entry.
func (e *Entry) encode() []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(line{
		Index: e.Index, Label: e.Label, Job: e.Job, Input: e.Input, Event: e.Event, Time: job.FormatTime(e.Time),
		Node: e.Node, Status: e.Status, ExitCode: e.ExitCode, Receipt: e.Receipt,
	})
	if err != nil {
		panic(err) // a defect of plasm: line has a type that JSON doesn't
	}
	return b.Bytes()
}

// syncing brings to the disk what was written, for as many events at once as there are.
func (l *Log) syncing() {
	for range l.sync {
		l.mu.Lock()
		l.dirty = false
		l.mu.Unlock()
		if err := l.file.Sync(); err != nil {
			l.mu.Lock()
			l.err = l.broken(err)
			l.mu.Unlock()
		}
	}
}

// flush brings all to the disk, and returns the first error that there was.
func (l *Log) flush() error {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dirty && l.err == nil {
		if err := l.file.Sync(); err != nil {
			l.err = l.broken(err)
		}
		l.dirty = false
	}
	return l.err
}

// Close lets go of the file. Nothing may be appended any more.
func (l *Log) Close() error {
	if l == nil {
		return nil
	}
	err := l.flush()
	close(l.sync)
	l.syncs.Wait()
	_ = l.file.Close() // all is on the disk
	return err
}
