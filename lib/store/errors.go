package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"plasm/lib/identity"
	"plasm/lib/job"
)

// What a caller may branch on; each is wrapped where more is to be said.
var (
	ErrMismatch  = errors.New("bytes are not what the digest names")
	ErrTooLarge  = errors.New("more bytes than may come")
	ErrForgotten = errors.New("the job was given up")
	ErrOffset    = errors.New("offset beyond the end")
	ErrOver      = errors.New("the job is over")
)

// RoomError says that the bounds leave no room. It comes wrapped in a *job.Error.
type RoomError struct {
	Need int64 // bytes asked for, all charges included
	Most int64 // bytes that this requester could have if nobody had any
}

// Error says it in one line.
func (e *RoomError) Error() string {
	return fmt.Sprintf("no room for %d bytes, of %d at most", e.Need, e.Most)
}

// Never reports whether there wouldn't be room in an empty store either; else
// there will be when others are done.
func (e *RoomError) Never() bool { return e.Need > e.Most }

func roomError(need, most int64) error {
	e := &RoomError{Need: need, Most: most}
	return &job.Error{Code: job.CodeIO, Message: "node's store: " + e.Error(), Err: e}
}

// diskFull says that the disk itself has no room; errors.Is finds ENOSPC in it.
func diskFull(need, free int64) error {
	return &job.Error{
		Code: job.CodeIO,
		Message: fmt.Sprintf("node's store: the disk has no room for %d bytes: %d are free and not promised", need,
			free),
		Fact: job.FactDiskFull,
		Err:  syscall.ENOSPC,
	}
}

// ioError makes err, which a file gave, one for users; a *job.Error stays what it is.
func ioError(what string, err error) error {
	if e, ok := errors.AsType[*job.Error](err); ok {
		return e
	}
	e := &job.Error{Code: job.CodeIO, Message: fmt.Sprintf("node's store: %s: %s", what, cause(err)), Err: err}
	switch {
	case isFull(err):
		e.Fact = job.FactDiskFull
	case errors.Is(err, syscall.EROFS), errors.Is(err, fs.ErrPermission):
		e.Fact, e.Detail = job.FactFolder, "data"
	}
	return e
}

// isFull reports whether an error is that the disk, or this user's part of it, is full.
func isFull(err error) bool { return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) }

// cause returns the path and the reason of an error, without the operation.
func cause(err error) string {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return fmt.Sprintf("%s: %v", e.Path, e.Err)
	}
	if e, ok := errors.AsType[*os.LinkError](err); ok {
		return fmt.Sprintf("%s: %v", e.New, e.Err)
	}
	return err.Error()
}

// check refuses a requester or a name that isn't one, before they become a path.
func check(requester, what, name string, valid bool) error {
	if _, err := identity.ParsePeerID(requester); err != nil {
		return &job.Error{
			Code:    job.CodeInternal,
			Message: "node's store: requester is not a peer ID: " + job.Quote(requester), Err: err,
		}
	}
	if !valid {
		return &job.Error{
			Code:    job.CodeInternal,
			Message: fmt.Sprintf("node's store: not a %s: %s", what, job.Quote(name)),
		}
	}
	return nil
}
