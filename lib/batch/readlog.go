package batch

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"

	"plasm/lib/job"
)

// maxLogLine is how long a line of a log may be, in bytes.
const maxLogLine = 16 << 10

// readLog reads a log, calls each with its entries in their order, and returns how many
// bytes of it are whole lines. An error that is a *job.Error, of code bad_manifest, says
// what is wrong with a line; another is one of reading.
func readLog(r io.Reader, each func(*Entry)) (whole int64, err error) {
	b := bufio.NewReaderSize(r, maxLogLine)
	for n := 1; ; n++ {
		text, err := b.ReadSlice('\n')
		switch {
		case errors.Is(err, io.EOF):
			return whole, nil // a last line without an end was not written whole
		case errors.Is(err, bufio.ErrBufferFull):
			return 0, badLine(n, fmt.Errorf("longer than %d bytes", maxLogLine))
		case err != nil:
			return 0, err
		}
		whole += int64(len(text))
		if n == 1 {
			if string(text) != logHead {
				return 0,
					badLine(n, fmt.Errorf("%s is not %s: this is not a log of this version",
						job.Quote(string(bytes.TrimSuffix(text, []byte("\n")))), logHead[:len(logHead)-1]))
			}
			continue
		}
		e, err := decodeEntry(text)
		if err != nil {
			return 0, badLine(n, err)
		}
		each(e)
	}
}

func badLine(n int, err error) error {
	return &job.Error{
		Code: job.CodeBadManifest, Message: fmt.Sprintf("line %d: %v", n, err),
		Hint: "name a file that --joblog has made", Err: err,
	}
}

// decodeEntry reads one line.
func decodeEntry(text []byte) (*Entry, error) {
	v, err := job.Parse(text)
	if err != nil {
		return nil, err
	}
	f := job.NewFields(v, "entry")
	e := &Entry{Index: f.Int("index", 1, job.MaxSafeInt), Job: f.Str("job"), Input: f.Digest("input")}
	e.Label, _ = f.OptStr("label")
	e.Event = Event(f.OneOf("event", string(Started), string(Ended), string(Failed)))
	e.Time = f.Time("time")
	if f.Has("node") {
		e.Node = f.PeerID("node")
	}
	status, ok := f.OptStr("status")
	e.Status = job.Status(status)
	if ok && !e.Status.Valid() {
		f.Fail("status", "%s is none", job.Quote(status))
	}
	if n, ok := f.OptInt("exit_code", 0, math.MaxUint32); ok {
		code := uint32(n) // OptInt checked the range
		e.ExitCode = &code
	}
	e.Receipt = f.OptDigest("receipt")
	if !job.ValidID(e.Job) {
		f.Fail("job", "%s is not 32 lower-case hex digits", job.Quote(e.Job))
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	return e, nil
}
