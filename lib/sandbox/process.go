package sandbox

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"plasm/lib/sandbox/wire"
)

// spawner starts worker processes from one thread that lives as long as it
// does: a parent-death signal is sent when the *thread* that forked dies, and
// the Go runtime ends threads as it likes.
type spawner struct {
	threads threads
	jobs    chan func()
	done    chan struct{}
}

func newSpawner(allowed uint64) *spawner {
	s := &spawner{threads: threads{allowed: allowed}, jobs: make(chan func(), 1), done: make(chan struct{})}
	go func() {
		defer close(s.done)
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		for f := range s.jobs {
			f()
		}
	}()
	return s
}

// stop ends the thread, and with it, where there is a parent-death signal, any
// worker that is left.
func (s *spawner) stop() {
	close(s.jobs)
	<-s.done
}

// process is one worker process. It is started and waited for without os/exec,
// which would first start, once, another process to try a kernel feature: a tenth
// of the time that a small job takes.
type process struct {
	pid     int
	stdin   *os.File // write end
	control *os.File // write end
	socket  *os.File // on which a descriptor can be handed over
	frames  *wire.Reader
	tails   []*tail    // of what it writes
	files   []*os.File // all that are ours

	reaping sync.Mutex // held to signal or to reap, so that no other process of that number is hit
	reaped  bool
	ended   bool          // it was killed by this process
	kills   uint64        // by the kernel for want of memory, when it began
	exited  chan struct{} // closed when the process has been reaped; then the next three are there
	at      time.Time     // when
	status  unix.WaitStatus
	usage   unix.Rusage

	last   *head // what it wrote to its stderr
	drains sync.WaitGroup
}

// start is a worker process that is being started.
type start struct {
	done    chan struct{} // closed when the rest is there
	program string
	p       *process
	err     error
}

func newStart() *start {
	return &start{done: make(chan struct{}), p: &process{exited: make(chan struct{}), last: &head{}}}
}

// begin begins to start the worker that w stands for.
func (s *spawner) begin(command []string, w *start) {
	s.jobs <- func() {
		defer close(w.done)
		w.program, w.err = command[0], w.p.start(command)
		if w.err == nil {
			s.threads.bound(w.p.pid)
		}
	}
}

// worker waits for the worker.
func (w *start) worker() (*process, error) {
	<-w.done
	if w.err != nil {
		return nil, startError(w.program, w.err)
	}
	return w.p, nil
}

// pipe is a pipe's two ends.
type pipe struct{ r, w *os.File }

// openPipes opens n pipes.
func openPipes(n int) ([]pipe, error) {
	var all []pipe
	for range n {
		r, w, err := os.Pipe()
		if err != nil {
			for _, p := range all {
				_ = p.r.Close()
				_ = p.w.Close()
			}
			return nil, err
		}
		all = append(all, pipe{r, w})
	}
	return all, nil
}

func (p *process) start(command []string) error {
	pipes, err := openPipes(4)
	if err != nil {
		return err
	}
	stdin, stderr, control, frames := pipes[0], pipes[1], pipes[2], pipes[3]
	pair, err := socketPair()
	if err != nil {
		for _, p := range pipes {
			_ = errors.Join(p.r.Close(), p.w.Close())
		}
		return err
	}
	p.socket = os.NewFile(uintptr(pair[0]), "socket")
	widen(stdin.w)
	widen(frames.w)
	theirs := []*os.File{
		stdin.r, nil, stderr.w, control.r, frames.w,
		wire.Descriptor: os.NewFile(uintptr(pair[1]), "socket"),
	}
	p.files = []*os.File{stdin.w, stderr.r, control.w, frames.r, p.socket}
	theirs[1], err = os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err == nil {
		err = p.exec(command, theirs)
	}
	for _, f := range theirs {
		_ = f.Close() // also of nil, which only says so
	}
	if err != nil {
		p.closeFiles()
		return err
	}
	said, sent := &tail{file: stderr.r}, &tail{file: frames.r}
	p.tails = []*tail{said, sent}
	p.stdin, p.control, p.frames = stdin.w, control.w, wire.NewReader(sent)
	p.drains.Go(func() { _, _ = io.Copy(p.last, said) })
	workers.add(p)
	go p.reap()
	return nil
}

// hand gives the process a descriptor, before it is assigned a job.
func (p *process) hand(f *os.File) error {
	err := unix.Sendmsg(int(p.socket.Fd()), []byte{0}, unix.UnixRights(int(f.Fd())), nil, 0)
	if err != nil {
		return fmt.Errorf("handing over a descriptor: %w", err)
	}
	return nil
}

// exec starts the process with the given descriptors.
func (p *process) exec(command []string, files []*os.File) error {
	attr := &syscall.ProcAttr{Dir: "/", Sys: workerAttributes(), Env: []string{
		// Go would keep files of the cgroup open, to read CPU limits from.
		"GODEBUG=containermaxprocs=0,updatemaxprocs=0",
	}}
	for _, f := range files {
		attr.Files = append(attr.Files, f.Fd())
	}
	var err error
	p.pid, err = syscall.ForkExec(command[0], append([]string{"plasm-run"}, command[1:]...), attr)
	return err
}

// reap waits for the process and notes when and how it ended. What it has started
// itself, where nothing kept it from that, ends with it.
func (p *process) reap() {
	p.kills = oomKills()
	waitNoReap(p.pid)
	p.at = time.Now()
	_ = unix.Kill(-p.pid, unix.SIGKILL) // mostly nobody is left
	for _, t := range p.tails {
		t.end()
	}
	p.drains.Wait()
	workers.remove(p)
	p.reaping.Lock()
	defer p.reaping.Unlock()
	for {
		_, err := unix.Wait4(p.pid, &p.status, 0, &p.usage)
		if err != unix.EINTR {
			break
		}
	}
	p.reaped = true
	close(p.exited)
}

// kill ends the process and its process group at once. It may be called at any
// time and more than once.
func (p *process) kill() { p.signal(unix.SIGKILL) }

// signal sends a signal to the process and its process group, while it is there.
func (p *process) signal(sig unix.Signal) {
	p.reaping.Lock()
	defer p.reaping.Unlock()
	if !p.reaped { // it is ours, and no other process has its number: there is nothing to go wrong
		p.ended = p.ended || sig == unix.SIGKILL
		_ = unix.Kill(p.pid, sig)
		_ = unix.Kill(-p.pid, sig)
	}
}

// end kills the process and lets go of all that belongs to it.
func (p *process) end() {
	p.kill()
	<-p.exited
	p.closeFiles()
}

// linger waits for a process that has said its last word to exit, and kills it
// when it does not.
func (p *process) linger() {
	t := time.AfterFunc(time.Second, p.kill)
	defer t.Stop()
	<-p.exited
}

// cpuTime returns the processor time that the process took, once it has exited.
func (p *process) cpuTime() time.Duration {
	return time.Duration(p.usage.Utime.Nano() + p.usage.Stime.Nano())
}

// outOfMemory reports whether the process, which has exited, died of its memory
// bound: then the Go runtime says so and exits with 2. With the C library in it, the
// same is said of a thread that could not be had (see outOfThreads), and an allocation
// in Rust that fails aborts. A worker that says it without need lies about its own job only.
func (p *process) outOfMemory() bool {
	const goFatal = 2
	line := p.last.line()
	if p.status.Signaled() && p.status.Signal() == unix.SIGABRT {
		return strings.HasPrefix(line, "memory allocation of ")
	}
	return p.status.ExitStatus() == goFatal &&
		(strings.Contains(line, "out of memory") || strings.Contains(line, "cannot allocate memory") ||
			strings.Contains(line, "runtime/cgo: pthread_create failed") || p.last.nilInRuntime())
}

// killed reports whether the process, which has exited, was killed.
func (p *process) killed() bool { return p.status.Signaled() && p.status.Signal() == unix.SIGKILL }

// killedByOthers reports whether the process, which has exited, was killed, and not by
// this one.
func (p *process) killedByOthers() bool { return p.killed() && !p.ended }

// starved reports whether the process, which has exited, was killed by the kernel for
// want of memory: that of this machine or of the control group, as its own bound does not
// kill. Another process that was killed so at the same time makes it a guess.
func (p *process) starved() bool { return p.killedByOthers() && oomKills() > p.kills }

// death tells how the process ended, once it has.
func (p *process) death() string {
	text := fmt.Sprintf("exit code %d", p.status.ExitStatus())
	if p.status.Signaled() {
		text = fmt.Sprintf("signal %d (%v)", int(p.status.Signal()), p.status.Signal())
	}
	if line := p.last.line(); line != "" {
		text += ": " + line
	}
	return text
}

func (p *process) closeFiles() {
	for _, f := range p.files {
		_ = f.Close()
	}
}

// tail reads what a worker writes. Once the worker is gone it waits for no more,
// whoever else may still hold the other end.
type tail struct {
	file *os.File
	gone bool // the worker is gone, and that has been seen
}

// end says that the worker is gone.
func (t *tail) end() {
	_ = t.file.SetReadDeadline(time.Now()) // a pipe can; on a closed one there is nothing to wake
}

func (t *tail) Read(p []byte) (int, error) {
	if !t.gone {
		n, err := t.file.Read(p)
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return n, err
		}
		t.gone = true
		_ = t.file.SetReadDeadline(time.Time{}) // or the pipe would be refused below
	}
	c, err := t.file.SyscallConn()
	if err != nil {
		return 0, err
	}
	n := 0
	failed := c.Read(func(fd uintptr) bool {
		for {
			if n, err = unix.Read(int(fd), p); !errors.Is(err, unix.EINTR) {
				return true
			}
		}
	})
	if failed != nil || err != nil || n <= 0 {
		return 0, io.EOF
	}
	return n, nil
}

// head keeps the first few KiB that are written to it.
type head struct {
	mu   sync.Mutex
	data bytes.Buffer
}

const headSize = 4 << 10

func (h *head) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.data.Write(p[:min(len(p), headSize-h.data.Len())])
	return len(p), nil
}

// nilInRuntime reports whether the Go runtime says that it has itself read through
// nil: where it needs memory for its own books, it does not look whether it got any.
// Code that was compiled from a module has no name there.
func (h *head) nilInRuntime() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	first, rest, _ := strings.Cut(h.data.String(), "\n")
	pc, stack, _ := strings.Cut(rest, "\n\n") // PC=… m=… sigcode=1 addr=0x0
	_, frames, _ := strings.Cut(stack, "\n")  // goroutine 0 …
	return strings.HasPrefix(first, "SIGSEGV") && strings.HasSuffix(pc, " addr=0x0") &&
		strings.HasPrefix(frames, "runtime.")
}

// line returns the first line that is not empty: a panic of Rust begins with one that
// is.
func (h *head) line() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	line, _, _ := strings.Cut(strings.TrimLeft(h.data.String(), "\r\n"), "\n")
	return line
}
