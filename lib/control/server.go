package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/net/netutil"

	"plasm/lib/job"
)

// Node is what a control socket speaks for. Its methods are called by several
// goroutines at once.
type Node interface {
	// Status returns what the node says of itself now.
	Status(ctx context.Context) (*Status, error)
	// Reload reads the allow file again. When that fails, what was in force
	// before stays so.
	Reload(ctx context.Context) error
	// Jobs returns the jobs of now.
	Jobs() *Jobs
	// Cancel stops a job and returns how it stands when it has ended, or when ctx ends.
	// An error is a *job.Error: there is no such job.
	Cancel(ctx context.Context, requester, id string) (*Job, error)
	// Drain has the node take no more jobs and end when it has none. It returns once
	// no new job is taken.
	Drain(ctx context.Context) error
}

// Limits of a control socket.
const (
	maxConns     = 16
	maxHeader    = 8 << 10 // bytes
	answerWithin = 10 * time.Second
	drainWithin  = time.Second
	cancelWithin = 5 * time.Second // that a job may take to end before it is told how it stands
)

// maxRuntimeDir is the longest path of a runtime folder in bytes: that of a Unix
// socket may have 103 where it may have least (macOS), and the longest is the one
// under which it is made.
const maxRuntimeDir = 103 - len("/.s0123456789/s")

// Server is an open control socket.
type Server struct {
	path string
	http *http.Server
	done chan error
}

// Listen opens the control socket in the runtime folder and answers for node
// until Close. A socket that a killed node left is replaced. An error is a
// *job.Error.
func (f *Folders) Listen(node Node) (*Server, error) {
	path := filepath.Join(f.Runtime, socketName)
	listener, err := listen(f.Runtime, path)
	if err != nil {
		return nil, err
	}
	s := &Server{path: path, done: make(chan error, 1), http: &http.Server{
		Handler: http.TimeoutHandler(routes(node), answerWithin,
			string(job.EncodeError(&job.Error{Code: job.CodeInternal, Message: "the node does not answer"}))),
		ReadHeaderTimeout: answerWithin,
		ReadTimeout:       answerWithin,
		WriteTimeout:      2 * answerWithin,
		IdleTimeout:       answerWithin,
		MaxHeaderBytes:    maxHeader,
		// what a client does wrong, it is told
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug),
	}}
	go func() { s.done <- s.http.Serve(netutil.LimitListener(listener, maxConns)) }()
	return s, nil
}

// Close removes the socket, ends what is being answered, after a second at the
// latest, and waits for it.
func (s *Server) Close() error {
	gone := os.Remove(s.path)
	ctx, cancel := context.WithTimeout(context.Background(), drainWithin)
	defer cancel()
	if err := s.http.Shutdown(ctx); err != nil {
		_ = s.http.Close() // so that nothing is left of what takes too long
	}
	if err := <-s.done; !errors.Is(err, http.ErrServerClosed) {
		return errors.Join(err, gone)
	}
	return gone
}

// listen makes a socket that has its mode before it has its name: it is made in a
// folder that nobody else can look into, and moved.
func listen(dir, path string) (net.Listener, error) {
	if len(dir) > maxRuntimeDir {
		return nil, &job.Error{
			Code: job.CodeIO,
			Message: fmt.Sprintf("the runtime folder's path is too long for a socket in it (%d bytes, at most %d): %s",
				len(dir), maxRuntimeDir, dir),
			Fact: job.FactLongPath,
		}
	}
	listener, err := func() (net.Listener, error) {
		temp, err := os.MkdirTemp(dir, ".s")
		if err != nil {
			return nil, err
		}
		defer func() { _ = os.RemoveAll(temp) }()
		made := filepath.Join(temp, "s")
		listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: made, Net: "unix"})
		if err != nil {
			return nil, err
		}
		listener.SetUnlinkOnClose(false)
		if err = os.Chmod(made, socketMode); err == nil {
			err = os.Rename(made, path)
		}
		if err != nil {
			return nil, errors.Join(err, listener.Close())
		}
		return listener, nil
	}()
	if err != nil {
		return nil, fileError("the control socket cannot be made", path, err, "")
	}
	return listener, nil
}

// routes returns what a control socket answers.
func routes(node Node) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/status", func(w http.ResponseWriter, r *http.Request) {
		status, err := node.Status(r.Context())
		answer(w, status, err)
	})
	mux.HandleFunc("POST /v1/reload", func(w http.ResponseWriter, r *http.Request) {
		answer(w, struct{}{}, node.Reload(r.Context()))
	})
	mux.HandleFunc("GET /v1/jobs", func(w http.ResponseWriter, _ *http.Request) { answer(w, node.Jobs(), nil) })
	mux.HandleFunc("POST /v1/cancel", func(w http.ResponseWriter, r *http.Request) {
		ctx, stop := context.WithTimeout(r.Context(), cancelWithin)
		defer stop()
		name := r.URL.Query()
		stands, err := node.Cancel(ctx, name.Get("requester"), name.Get("job"))
		answer(w, stands, err)
	})
	mux.HandleFunc("POST /v1/drain", func(w http.ResponseWriter, r *http.Request) {
		answer(w, struct{}{}, node.Drain(r.Context()))
	})
	return mux
}

// answer writes v, or the error.
func answer(w http.ResponseWriter, v any, err error) {
	w.Header().Set("Content-Type", "application/json")
	var body []byte
	if err == nil {
		body, err = json.Marshal(v)
	}
	if err != nil {
		e, ok := errors.AsType[*job.Error](err)
		if !ok {
			e = &job.Error{Code: job.CodeInternal, Message: err.Error()}
		}
		w.WriteHeader(http.StatusInternalServerError)
		body = job.EncodeError(e)
	}
	_, _ = w.Write(body) //nolint:gosec // JSON, as the header says; and whoever asked may be gone
}
