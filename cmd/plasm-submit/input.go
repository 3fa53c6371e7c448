package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"os"

	"plasm/lib/cli"
	"plasm/lib/job"
)

// stdin is a job's input, all of which is at hand.
type stdin struct {
	r     io.ReaderAt // nil: empty
	bytes int64
	close func()
}

// known returns an input of which all is there already, and nil for one that is
// still to come.
func known(in *cli.Input) (*stdin, error) {
	s := &stdin{close: func() {}}
	switch r := in.Reader.(type) {
	case nil:
		return s, nil
	case *bytes.Reader:
		s.r, s.bytes = r, r.Size()
	case *io.SectionReader:
		s.r, s.bytes = r, r.Size()
	case *os.File:
		info, err := r.Stat()
		if err != nil || info.Mode()&fs.ModeType != 0 {
			return nil, err
		}
		s.r, s.bytes = r, info.Size()
	default:
		return nil, nil
	}
	return s, nil
}

// whole returns a job's input, read to its end where that is still to come, and
// puts its digest into the manifest.
func whole(d *cli.Description) (*stdin, error) {
	s, err := known(d.Input)
	if s != nil || err != nil {
		return s, err
	}
	spool := &cli.Spool{}
	h := sha256.New()
	n, err := io.Copy(io.MultiWriter(spool, h), d.Input.Reader)
	if err == nil {
		s, err = spooled(spool, n)
	}
	if err == nil {
		err = bind(d.Manifest, job.DigestOf(h.Sum(nil)))
	}
	if err != nil {
		_ = spool.Close() // the other error is the one to tell
		return nil, readError(err)
	}
	return s, nil
}

// spooled is the input that a spool holds.
func spooled(spool *cli.Spool, n int64) (*stdin, error) {
	r, err := spool.Reader()
	if err != nil {
		return nil, err
	}
	at, ok := r.(io.ReaderAt)
	if !ok {
		return nil, fmt.Errorf("a spool that can't be read twice: %T", r)
	}
	return &stdin{r: at, bytes: n, close: func() { _ = spool.Close() }}, nil
}

// bind puts the digest of the input into the manifest, or compares it with the one
// that is there.
func bind(m *job.Manifest, hash job.Digest) error {
	if m.StdinHash != "" && m.StdinHash != hash {
		return &job.Error{
			Code:    job.CodeBadManifest,
			Message: fmt.Sprintf("the input is %s, and the manifest asks for %s", hash, m.StdinHash),
			Hint:    "give the right input, or name another one with --stdin FILE",
		}
	}
	m.StdinHash = hash
	return nil
}

func readError(err error) error {
	if e := cli.AsError(err); e.Code != job.CodeInternal {
		return e
	}
	return &job.Error{Code: job.CodeIO, Message: fmt.Sprintf("reading the input: %v", err), Err: err}
}
