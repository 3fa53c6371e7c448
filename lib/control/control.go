// Package control is how a node and the commands on its machine find and talk to
// each other: the folders that a node lives in, the addresses that it leaves
// there, and its control socket.
//
// # Folders
//
// The data folder (mode 0700) outlives the node: its key, the peers it
// remembers, who may submit. The runtime folder (mode 0755) is about the node
// that runs now:
//
//	lock          held with flock(2) while a node runs; its process ID in decimal and a newline
//	addrs         0644: where the node listens
//	control.sock  0660: the control socket
//
// The data folder has a lock of its own, so that no two nodes share a key; its second
// line is the runtime folder, so that the node is found from there. A lock
// ends with its process, however that ends; what a killed node leaves behind is
// replaced by the next one.
//
// # addrs
//
// One multiaddress a line, each ending in "/p2p/" and the node's peer ID, in
// printable ASCII without spaces, at most 1 KiB each, and 64 KiB in all. The file
// appears whole and is removed when the node stops. Who reads it believes it only
// as ReadAddrs says.
//
// # Control socket
//
// HTTP/1.1 over a Unix stream socket. Who may connect is for the mode and the
// group of the socket to say; there is no other check.
//
//	GET  /v1/status   200 and a Status
//	GET  /v1/jobs     200 and Jobs
//	POST /v1/reload   200 and {}, once the allow file has been read again
//	POST /v1/cancel   200 and the Job as it ended, or still stands after a few seconds; the
//	                  query's requester and job name it
//	POST /v1/drain    200 and {}, once the node takes no more jobs; it ends when those
//	                  that it has have
//
// Anything that goes wrong is an error document, as commands write it with
// --json, with status 500. Answers have the content type application/json.
// Either end may be of a later version: members that it does not know are
// ignored.
package control

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"plasm/lib/job"
)

// Names in the folders of a node.
const (
	lockName   = "lock"
	addrsName  = "addrs"
	socketName = "control.sock"
)

// Modes of the folders and files of a node.
const (
	dataMode    = 0o700
	runtimeMode = 0o755
	addrsMode   = 0o644
	socketMode  = 0o660
)

// fileError says what went wrong with a file or folder, of which a node could use another
// one where role is not "".
func fileError(doing, path string, err error, role string) error {
	e := &job.Error{Code: job.CodeIO, Message: fmt.Sprintf("%s: %s: %v", doing, path, cause(err)), Err: err}
	if role != "" {
		e.Fact, e.Detail = job.FactFolder, role
	}
	return e
}

// cause is err without the operation and the path that package os puts before
// it.
func cause(err error) error {
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return errno
	}
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		return pathErr.Err
	}
	if linkErr, ok := errors.AsType[*os.LinkError](err); ok {
		return linkErr.Err
	}
	return err
}
