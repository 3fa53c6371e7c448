package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"syscall"
	"time"

	"plasm/lib/custody"
	"plasm/lib/job"
)

const (
	maxAnswer = 8 << 20 // bytes: so many jobs as Jobs may hold
	askWithin = 15 * time.Second
)

// Client asks the node in one runtime folder. It is safe for concurrent use.
type Client struct {
	Dir   string // the runtime folder
	Other int    // the user beside root and the one who asks in whose hands the folder is, or custody.Nobody
	http  *http.Client
}

// Client returns a client of the node in the runtime folder dir, which is
// absolute. The folder and the socket must be such that ReadAddrs would believe
// them. What a node answers is the word of Other, where there is one: who asks runs
// and writes nothing that it names, but as that user. An error is a *job.Error; that
// there is no socket is one that wraps fs.ErrNotExist.
func (u User) Client(dir string) (*Client, error) {
	c := &Client{Dir: dir, Other: custody.Nobody}
	f, err := custody.Open(u.UID, dir)
	if err == nil {
		err = f.CheckSocket(socketName)
		c.Other = f.Other
		f.Close()
	}
	if err != nil {
		return nil, fileError("no node can be asked by this socket", filepath.Join(dir, socketName), err, "")
	}
	c.http = &http.Client{Timeout: askWithin, Transport: &http.Transport{
		DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return u.dial(ctx, c) },
		DisableKeepAlives: true,
	}}
	return c, nil
}

// dial connects to the socket of a client's node.
func (u User) dial(ctx context.Context, c *Client) (net.Conn, error) {
	f, err := custody.Open(u.UID, c.Dir)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if u.UID == 0 && f.Other != c.Other {
		return nil, fmt.Errorf("%s has come into other hands", c.Dir)
	}
	return f.Dial(ctx, socketName)
}

// Status asks the node how it is. An error is a *job.Error; one that wraps
// syscall.ECONNREFUSED says that no node is there any more.
func (c *Client) Status(ctx context.Context) (*Status, error) {
	var s Status
	if err := c.ask(ctx, http.MethodGet, "/v1/status", &s); err != nil {
		return nil, err
	}
	return &s, nil
}

// Reload has the node read its allow file again, and returns once it has.
func (c *Client) Reload(ctx context.Context) error {
	return c.ask(ctx, http.MethodPost, "/v1/reload", nil)
}

// Jobs asks the node for its jobs.
func (c *Client) Jobs(ctx context.Context) (*Jobs, error) {
	var j Jobs
	if err := c.ask(ctx, http.MethodGet, "/v1/jobs", &j); err != nil {
		return nil, err
	}
	return &j, nil
}

// Cancel stops a job, and returns how it stands: mostly ended. That there is no such
// job any more is a *job.Error with the code not_found.
func (c *Client) Cancel(ctx context.Context, requester, id string) (*Job, error) {
	var j Job
	name := url.Values{"requester": {requester}, "job": {id}}
	if err := c.ask(ctx, http.MethodPost, "/v1/cancel?"+name.Encode(), &j); err != nil {
		return nil, err
	}
	return &j, nil
}

// Drain has the node take no more jobs, and end when those that it has have ended.
func (c *Client) Drain(ctx context.Context) error {
	return c.ask(ctx, http.MethodPost, "/v1/drain", nil)
}

func (c *Client) ask(ctx context.Context, method, path string, into any) error {
	req, err := http.NewRequestWithContext(ctx, method, "http://plasmd"+path, http.NoBody)
	if err != nil {
		return c.failed(err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return c.failed(err)
	}
	defer func() { _ = resp.Body.Close() }() // it was only read
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return c.failed(err)
	case len(body) > maxAnswer:
		return c.failed(fmt.Errorf("an answer of more than %d bytes", maxAnswer))
	case resp.StatusCode != http.StatusOK:
		if e, err := job.DecodeError(body); err == nil {
			return e
		}
		return c.failed(fmt.Errorf("status %d", resp.StatusCode))
	case into == nil:
		return nil
	}
	if err := json.Unmarshal(body, into); err != nil {
		return c.failed(err)
	}
	return nil
}

// failed says that a node could not be asked.
func (c *Client) failed(err error) error {
	e := &job.Error{Code: job.CodeIO, Message: fmt.Sprintf("asking the node in %s: %v", c.Dir, cause(err)), Err: err}
	if errors.Is(err, fs.ErrPermission) {
		e.Hint = "ask as root, or as a member of the group that the socket belongs to"
	}
	return e
}

// Running is a node that answers.
type Running struct {
	*Client
	Status *Status
}

// Unheard is a folder in which something may be that could not be asked.
type Unheard struct {
	Dir  string
	Shut bool // there is a node's socket, and u may not connect to it
	Err  error
}

// Running returns the nodes that answer in the folders dirs, and those of the folders
// in which something could not be asked, such as another user's socket.
func (u User) Running(ctx context.Context, dirs []string) (nodes []Running, unheard []Unheard) {
	for _, dir := range dirs {
		c, err := u.Client(dir)
		var status *Status
		if err == nil {
			status, err = c.Status(ctx)
		}
		switch {
		case err == nil:
			nodes = append(nodes, Running{c, status})
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED): // nobody, or what a killed node left
		default:
			unheard = append(unheard, Unheard{dir, c != nil && errors.Is(err, fs.ErrPermission), err})
		}
	}
	return nodes, unheard
}
