package cli

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"
)

// stream is one of the command's own output streams, as a guest's output goes
// to it.
type stream struct {
	w      io.Writer
	name   string // for messages
	within *bool  // a line that has not ended
}

// newStream returns the stream to w.
//
// A reader who has stopped reading holds up a write only until the deadline that ends
// it. A pipe is opened anew where the system can do that: so it is known how much the
// reader took, and the flags of the descriptor that others share stay as they are.
func newStream(w io.Writer, name string) stream {
	s := stream{w: w, name: name, within: new(bool)}
	f, ok := FileOf(w)
	if !ok {
		return s
	}
	info, err := f.Stat()
	switch {
	case err != nil:
	case info.Mode().IsRegular(): // which has no reader
		s.w = f
	case info.Mode()&fs.ModeNamedPipe != 0:
		again, err := os.OpenFile(fmt.Sprintf("/proc/self/fd/%d", f.Fd()), os.O_WRONLY|syscall.O_NONBLOCK, 0)
		if err == nil {
			s.w = again
		}
	}
	return s
}

// OwnStreams returns the command's own output streams for what many jobs write. An error
// of writing is a *job.Error, and SetWriteDeadline ends a write that a reader holds up,
// where that can be done.
func (in *Invocation) OwnStreams() (stdout, stderr io.Writer) {
	return newStream(in.Stdout, standardOutput), newStream(in.Stderr, standardError)
}

// Write writes p.
func (s stream) Write(p []byte) (int, error) {
	n, err := s.w.Write(p)
	if n > 0 {
		*s.within = !bytes.HasSuffix(p[:n], []byte("\n"))
	}
	if err != nil {
		return n, writeError(s.name, err)
	}
	return n, nil
}

// broken reports whether the stream is a terminal, and stands within a line.
func (s stream) broken() bool { return *s.within && IsTerminal(s.w) }

// SetWriteDeadline ends a Write that a reader holds up, where that can be done.
func (s stream) SetWriteDeadline(t time.Time) error {
	if d, ok := s.w.(interface{ SetWriteDeadline(t time.Time) error }); ok {
		return d.SetWriteDeadline(t)
	}
	return nil
}
