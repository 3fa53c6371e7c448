package main

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"plasm/test/guest"
)

// deadline is for waits that do not end.
const deadline = 2 * time.Minute

// nodesKey finds a script's nodes among its values.
type nodesKey struct{}

// nodes are the running nodes of a script, by name, and the service manager that
// they tell how they are.
type nodes struct {
	running map[string]*daemon
	told    *transcript
}

// daemon is a running node.
type daemon struct {
	*exec.Cmd
	stdout, stderr *transcript
	done           chan struct{} // closed when it has ended
}

// transcript is what somebody has written so far.
type transcript struct {
	mu      sync.Mutex
	text    bytes.Buffer
	changed chan struct{} // closed by the next Write
}

func newTranscript() *transcript { return &transcript{changed: make(chan struct{})} }

func (t *transcript) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	close(t.changed)
	t.changed = make(chan struct{})
	return t.text.Write(p)
}

// now returns the text, and a channel that is closed when there is more.
func (t *transcript) now() (string, <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.String(), t.changed
}

// await waits until the pattern matches, and returns the match; "" when it did
// not before over is closed, or in time.
func (t *transcript) await(pattern string, over <-chan struct{}) []string {
	late := time.After(deadline)
	re := regexp.MustCompile("(?m)" + pattern)
	for ended := false; ; {
		text, more := t.now()
		if match := re.FindStringSubmatch(text); match != nil {
			return match
		}
		if ended {
			return nil
		}
		select {
		case <-more:
		case <-over:
			ended = true // and once more, for what came last
		case <-late:
			return nil
		}
	}
}

func nodesOf(ts *testscript.TestScript) *nodes {
	n, ok := ts.Value(nodesKey{}).(*nodes)
	if !ok {
		ts.Fatalf("no nodes in this script")
	}
	return n
}

func (n *nodes) named(ts *testscript.TestScript, name string) *daemon {
	d, ok := n.running[name]
	if !ok {
		ts.Fatalf("no node %s", name)
	}
	return d
}

// tcpPort is the port in a node's address.
var tcpPort = regexp.MustCompile(`/tcp/(\d+)/`)

// serve NAME [ARG…] starts plasmd serve, at a free port of the loopback, and waits
// until it is ready. NAME_ADDR is then the first of its addresses, NAME_PORT its TCP port. ! serve waits
// until it has ended, which it must with 125, and leaves what it wrote in
// NAME.stdout and NAME.stderr.
func serveNode(ts *testscript.TestScript, neg bool, args []string) {
	usageOf(ts, len(args) < 1, "serve NAME [ARG...]")
	d := &daemon{stdout: newTranscript(), stderr: newTranscript(), done: make(chan struct{})}
	all := []string{"serve", "--listen", "/ip4/127.0.0.1/tcp/0", "--mdns=false", "--log-format", "json"}
	d.Cmd = exec.Command(filepath.Join(programs, "plasmd"), append(all, args[1:]...)...)
	d.Dir = ts.MkAbs(".")
	for _, name := range []string{
		"HOME", "PATH", "STATE_DIRECTORY", "RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR", "XDG_DATA_HOME",
		"GOCOVERDIR", "NOTIFY_SOCKET", "WATCHDOG_USEC", "PLASMD_SLOTS",
	} {
		if v := ts.Getenv(name); v != "" {
			d.Env = append(d.Env, name+"="+v)
		}
	}
	d.Stdout, d.Stderr = d.stdout, d.stderr
	ts.Check(d.Start())
	go func() {
		defer close(d.done)
		_ = d.Wait() // what ends it looks at its state
	}()
	ts.Defer(func() { _ = d.Process.Kill(); <-d.done })
	addr := d.stdout.await(`\A(/.*)\n`, d.done)
	switch {
	case neg:
		d.finish(ts, args[0])
		if code := d.ProcessState.ExitCode(); code != 125 {
			ts.Fatalf("exit code %d", code)
		}
	case addr == nil:
		text, _ := d.stderr.now()
		ts.Fatalf("the node is not ready: %s", text)
	default:
		nodesOf(ts).running[args[0]] = d
		ts.Setenv(args[0]+"_ADDR", addr[1])
		if port := tcpPort.FindStringSubmatch(addr[1]); port != nil {
			ts.Setenv(args[0]+"_PORT", port[1])
		}
		ts.Setenv(args[0]+"_PID", strconv.Itoa(d.Process.Pid))
	}
}

// finish waits for the end, and leaves what was written.
func (d *daemon) finish(ts *testscript.TestScript, name string) {
	select {
	case <-d.done:
	case <-time.After(deadline):
		ts.Fatalf("%s goes on", name)
	}
	for suffix, t := range map[string]*transcript{".stdout": d.stdout, ".stderr": d.stderr} {
		text, _ := t.now()
		ts.Check(os.WriteFile(ts.MkAbs(name+suffix), []byte(text), 0o600))
	}
}

// end ends a node by a signal.
func end(ts *testscript.TestScript, name string, s os.Signal) *daemon {
	n := nodesOf(ts)
	d := n.named(ts, name)
	ts.Check(d.Process.Signal(s))
	// timeout(1) sends it to a process and to its group: the second is no harm, nor is an end
	// before it
	_ = d.Process.Signal(s)
	d.finish(ts, name)
	delete(n.running, name)
	return d
}

// term NAME [SIGNAL] ends a node in order, by TERM unless it says INT: with 0.
func stopNode(ts *testscript.TestScript, neg bool, args []string) {
	usageOf(ts, neg || len(args) < 1, "term NAME [INT]")
	s := syscall.SIGTERM
	if len(args) > 1 {
		s = syscall.SIGINT
	}
	if code := end(ts, args[0], s).ProcessState.ExitCode(); code != 0 {
		ts.Fatalf("exit code %d", code)
	}
}

// kill9 NAME ends a node without a word.
func killNode(ts *testscript.TestScript, neg bool, args []string) {
	usageOf(ts, neg || len(args) != 1, "kill9 NAME")
	end(ts, args[0], os.Kill)
}

// hup NAME sends a node the signal to reload.
func hupNode(ts *testscript.TestScript, neg bool, args []string) {
	usageOf(ts, neg || len(args) != 1, "hup NAME")
	ts.Check(nodesOf(ts).named(ts, args[0]).Process.Signal(syscall.SIGHUP))
}

// signal NAME sends a node TERM, and waits for nothing.
func signalNode(ts *testscript.TestScript, neg bool, args []string) {
	usageOf(ts, neg || len(args) != 1, "signal NAME")
	ts.Check(nodesOf(ts).named(ts, args[0]).Process.Signal(syscall.SIGTERM))
}

// ended NAME waits until a node has ended by itself, with 0.
func nodeEnded(ts *testscript.TestScript, neg bool, args []string) {
	usageOf(ts, neg || len(args) != 1, "ended NAME")
	n := nodesOf(ts)
	d := n.named(ts, args[0])
	d.finish(ts, args[0])
	delete(n.running, args[0])
	if code := d.ProcessState.ExitCode(); code != 0 {
		ts.Fatalf("exit code %d", code)
	}
}

// guest NAME FILE writes a module of package guest.
func guestModule(ts *testscript.TestScript, neg bool, args []string) {
	usageOf(ts, neg || len(args) != 2, "guest NAME FILE")
	module, err := guest.Module(args[0])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), module, 0o600))
}

// logged NAME PATTERN [VAR] waits until a line of a node's log matches, and puts
// its first group into VAR.
func logged(ts *testscript.TestScript, neg bool, args []string) {
	usageOf(ts, neg || len(args) < 2, "logged NAME PATTERN [VAR]")
	d := nodesOf(ts).named(ts, args[0])
	match := d.stderr.await(args[1], d.done)
	if match == nil {
		text, _ := d.stderr.now()
		ts.Fatalf("no log line matches %q: %s", args[1], text)
	}
	if len(args) > 2 {
		ts.Setenv(args[2], match[1])
	}
}

// manager is a service manager: nodes that start from now on tell it how they are.
func manager(ts *testscript.TestScript, neg bool, args []string) {
	usageOf(ts, neg || len(args) != 0, "manager")
	path := ts.MkAbs("notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	ts.Check(err)
	told, done := newTranscript(), make(chan struct{})
	nodesOf(ts).told = told
	go func() {
		defer close(done)
		message := make([]byte, 4<<10)
		for {
			n, err := conn.Read(message)
			if err != nil {
				return
			}
			_, _ = told.Write([]byte(strings.ReplaceAll(string(message[:n]), "\n", " ") + "\n"))
		}
	}()
	ts.Defer(func() { _ = conn.Close(); <-done })
	ts.Setenv("NOTIFY_SOCKET", path)
}

// notified PATTERN waits until the service manager's transcript matches, a line a
// message.
func notified(ts *testscript.TestScript, neg bool, args []string) {
	usageOf(ts, len(args) != 1, "notified PATTERN")
	told := nodesOf(ts).told
	if neg {
		if text, _ := told.now(); regexp.MustCompile("(?m)" + args[0]).MatchString(text) {
			ts.Fatalf("the manager was told: %s", text)
		}
		return
	}
	if told.await(args[0], nil) == nil {
		text, _ := told.now()
		ts.Fatalf("the manager was told nothing like %q: %s", args[0], text)
	}
}
