package control

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plasm/lib/job"
)

// fakeNode is what a control socket speaks for in tests.
type fakeNode struct {
	status Status
	err    error
	reload chan struct{} // may be nil
	jobs   Jobs
	asked  chan string // "drain", "cancel REQUESTER/ID"; may be nil
}

func (n *fakeNode) Jobs() *Jobs { return &n.jobs }

func (n *fakeNode) Cancel(_ context.Context, requester, id string) (*Job, error) {
	n.asked <- "cancel " + requester + "/" + id
	return &n.jobs.Current[0], n.err
}

func (n *fakeNode) Drain(context.Context) error {
	if n.asked != nil {
		n.asked <- "drain"
	}
	return n.err
}

func (n *fakeNode) Status(context.Context) (*Status, error) { return &n.status, n.err }

func (n *fakeNode) Reload(context.Context) error {
	if n.reload != nil {
		n.reload <- struct{}{}
	}
	return n.err
}

// serve opens the control socket of n and returns its runtime folder.
func serve(t *testing.T, n Node) string {
	t.Helper()
	f := folders(t)
	s, err := f.Listen(n)
	must(t, err)
	t.Cleanup(func() {
		must(t, s.Close())
		if _, err := os.Lstat(filepath.Join(f.Runtime, "control.sock")); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("after Close the socket is there: %v", err)
		}
	})
	return f.Runtime
}

func client(t *testing.T, dir string) *Client {
	t.Helper()
	c, err := user().Client(dir)
	must(t, err)
	return c
}

func TestStatusAndReload(t *testing.T) {
	t.Parallel()
	n := &fakeNode{reload: make(chan struct{}, 1)}
	n.status = Status{
		PID: 7, State: StateReady, StartedAt: "2026-01-02T03:04:05.678Z", Allow: Allow{File: "/a b/ü\n", Peers: 3},
		Node: job.Node{
			PeerID: "12D3", Addrs: []string{addr},
			Engines: []job.NodeEngine{{Name: "wazero", Version: "1", Features: []string{"simd"}}},
		},
		Contacts: []Contact{{PeerID: "12D3", Source: "bootstrap", State: "failed", Error: "no <route>"}},
	}
	dir := serve(t, n)
	got, err := client(t, dir).Status(t.Context())
	must(t, err)
	if diff := cmp.Diff(&n.status, got); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
	must(t, client(t, dir).Reload(t.Context()))
	select {
	case <-n.reload:
	default:
		t.Error("the node was not told to reload")
	}
	if got := mode(t, filepath.Join(dir, "control.sock")); got != 0o660|fs.ModeSocket {
		t.Errorf("the socket has mode %v", got)
	}
	if left, err := filepath.Glob(filepath.Join(dir, ".*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

func TestJobsAndWhatIsDoneToThem(t *testing.T) {
	t.Parallel()
	n := &fakeNode{jobs: *sampleJobs(), asked: make(chan string, 1)}
	c := client(t, serve(t, n))
	got, err := c.Jobs(t.Context())
	must(t, err)
	if diff := cmp.Diff(&n.jobs, got); diff != "" {
		t.Errorf("jobs (-want +got):\n%s", diff)
	}
	one, err := c.Cancel(t.Context(), "A&B", "0 1")
	must(t, err)
	if asked := <-n.asked; asked != "cancel A&B/0 1" || one.ID != n.jobs.Current[0].ID {
		t.Errorf("%s: %+v", asked, one)
	}
	must(t, c.Drain(t.Context()))
	if asked := <-n.asked; asked != "drain" {
		t.Error(asked)
	}
}

func TestErrorsOfTheNode(t *testing.T) {
	t.Parallel()
	want := &job.Error{Code: job.CodeUsage, Message: "allow: line 3: x", Hint: "mend it"}
	c := client(t, serve(t, &fakeNode{err: fmt.Errorf("reload: %w", want)}))
	_, statusErr := c.Status(t.Context())
	for _, err := range []error{statusErr, c.Reload(t.Context()), c.Drain(t.Context())} {
		if e, ok := errors.AsType[*job.Error](err); !ok || !cmp.Equal(want, e) {
			t.Errorf("got %v", err)
		}
	}
	c = client(t, serve(t, &fakeNode{err: errors.New("plain")}))
	if err := c.Reload(t.Context()); err == nil || err.Error() != "plain" {
		t.Errorf("got %v", err)
	}
}

// TestOnlyWhatIsMeant shows what a control socket does not do.
func TestOnlyWhatIsMeant(t *testing.T) {
	t.Parallel()
	n := &fakeNode{}
	c := client(t, serve(t, n))
	for _, request := range []string{
		"GET /v1/reload", "GET /v1/drain", "GET /v1/cancel", "POST /v1/jobs",
		"POST /v1/status", "GET /", "GET /v1/status/../../debug", "DELETE /v1/status",
	} {
		method, path, _ := strings.Cut(request, " ")
		if err := c.ask(t.Context(), method, path, nil); err == nil {
			t.Errorf("%s was answered", request)
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://plasmd/v1/status", http.NoBody)
	must(t, err)
	req.Header.Set("X-Long", strings.Repeat("x", 64<<10))
	resp, err := c.http.Do(req)
	must(t, err)
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("a long header: %s", resp.Status)
	}
}

// TestSilentClientsHoldNothingUp fills what connections there are, and goes away.
func TestSilentClientsHoldNothingUp(t *testing.T) {
	t.Parallel()
	dir := serve(t, &fakeNode{})
	silent := make([]net.Conn, 0, 2*maxConns)
	for range cap(silent) {
		conn, err := net.Dial("unix", filepath.Join(dir, "control.sock"))
		must(t, err)
		silent = append(silent, conn)
	}
	for _, conn := range silent {
		must(t, conn.Close())
	}
	_, err := client(t, dir).Status(t.Context())
	must(t, err)
}

// TestSocketsThatAreNotAsked is about what somebody may put where a socket should be.
func TestSocketsThatAreNotAsked(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := user().Client(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no socket: %v", err)
	}
	must(t, os.WriteFile(filepath.Join(dir, "control.sock"), nil, 0o660))
	if _, err := user().Client(dir); err == nil || !strings.Contains(err.Error(), "not a socket") {
		t.Errorf("a file: %v", err)
	}
	node := serve(t, &fakeNode{})
	must(t, os.Remove(filepath.Join(dir, "control.sock")))
	must(t, os.Symlink(filepath.Join(node, "control.sock"), filepath.Join(dir, "control.sock")))
	if _, err := user().Client(dir); err == nil || !strings.Contains(err.Error(), "not a socket") {
		t.Errorf("a link: %v", err)
	}
	must(t, os.Chmod(node, 0o777))
	if _, err := user().Client(node); err == nil ||
		!strings.Contains(err.Error(), "others than its owner may write to") {
		t.Errorf("a folder for all: %v", err)
	}
	nodes, unheard := user().Running(t.Context(), []string{dir, node, filepath.Join(dir, "none")})
	if len(nodes) != 0 || len(unheard) != 2 {
		t.Errorf("running: %v %v", nodes, unheard)
	}
	if os.Geteuid() == 0 {
		must(t, os.Chmod(node, 0o755))
		must(t, os.Chown(filepath.Join(node, "control.sock"), 1001, 1001))
		if _, err := user().Client(node); err == nil || !strings.Contains(err.Error(), "belongs to user 1001") {
			t.Errorf("a stranger's socket: %v", err)
		}
	}
}

// TestAnswersThatAreNot is about a node that answers nonsense.
func TestAnswersThatAreNot(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"endless":     "HTTP/1.1 200 OK\r\n\r\n" + strings.Repeat(" ", maxAnswer+1),
		"not JSON":    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{]",
		"not HTTP":    "hello\r\n",
		"no document": "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			listener, err := net.Listen("unix", filepath.Join(dir, "control.sock"))
			must(t, err)
			done := make(chan struct{})
			go func() {
				defer close(done)
				conn, err := listener.Accept()
				if err != nil {
					return
				}
				defer func() { _ = conn.Close() }()
				_, _ = conn.Read(make([]byte, 1<<10))
				_, _ = io.WriteString(conn, body)
			}()
			_, err = client(t, dir).Status(t.Context())
			if e, ok := errors.AsType[*job.Error](err); !ok || e.Code != job.CodeIO {
				t.Errorf("got %v", err)
			}
			must(t, listener.Close())
			<-done
		})
	}
}

func TestPathTooLongForASocket(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), strings.Repeat("x", 100))
	f, err := OpenFolders(dir, dir)
	must(t, err)
	defer f.Close()
	_, err = f.Listen(&fakeNode{})
	if e, ok := errors.AsType[*job.Error](err); !ok || !strings.Contains(e.Message, dir) || e.Fact != job.FactLongPath {
		t.Errorf("got %v", err)
	}
}
