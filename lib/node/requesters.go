package node

import (
	"errors"
	"fmt"
	"io/fs"
	"sync/atomic"

	"plasm/lib/identity"
	"plasm/lib/job"
)

// requesters are those who may submit: what the allow file says, and what the node
// was given besides. All methods are safe for concurrent use, but for reload,
// which one at a time may call.
type requesters struct {
	file    string
	given   []string
	current atomic.Pointer[admission]
}

// admission is who may submit at one moment. It does not change.
type admission struct {
	any   bool
	peers map[string]bool   // peer IDs that are listed
	names map[string]string // of some of them
}

// newRequesters reads the allow file. One that is not there lists nobody; one that
// cannot be read or is none is an error, a *job.Error.
func newRequesters(file string, given []string) (*requesters, error) {
	r := &requesters{file: file, given: given}
	if err := r.reload(); err != nil {
		return nil, err
	}
	return r, nil
}

// now returns who may submit.
func (r *requesters) now() *admission { return r.current.Load() }

// reload reads the allow file again. When that is an error, all stays as it was.
func (r *requesters) reload() error {
	a := &admission{peers: map[string]bool{}, names: map[string]string{}}
	for _, word := range r.given {
		if word == "any" {
			a.any = true
		} else {
			a.peers[word] = true
		}
	}
	data, err := readAllow(r.file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return &job.Error{Code: job.CodeIO, Message: fmt.Sprintf("--allow-file: allow file cannot be read: %s: %v",
			r.file, err), Hint: "name another with --allow-file FILE", Err: err}
	}
	listed, err := identity.ParseList(identity.AllowFile, data, r.file)
	if err != nil {
		return err
	}
	a.any = a.any || listed.Any
	for _, p := range listed.Peers {
		a.peers[p.ID] = true
		if p.Name != "" {
			a.names[p.ID] = p.Name
		}
	}
	r.current.Store(a)
	return nil
}

// readAllow reads the allow file, and waits for nobody to write to it.
func readAllow(path string) ([]byte, error) {
	data, err := identity.ReadRegular(path)
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		err = pathErr.Err
	}
	return data, err
}
