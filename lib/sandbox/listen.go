package sandbox

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"plasm/lib/job"
	"plasm/lib/sandbox/wire"
)

// next returns the kind and length of the worker's next frame.
func (r *run) next() (wire.Kind, int, error) {
	kind, n, err := r.p.frames.Next()
	if errors.Is(err, wire.ErrTooLong) {
		err = nonsense("%v", err)
	}
	return kind, n, err
}

// expect reads the next frame, which must be of the given kind; a Failed frame
// is the error that it tells.
func (r *run) expect(want wire.Kind, into any) error {
	kind, _, err := r.next()
	if err != nil {
		return err
	}
	payload, err := r.p.frames.Payload()
	switch {
	case err != nil:
		return err
	case kind == wire.Failed:
		return failure(payload)
	case kind != want:
		return nonsense("frame %q where %q was due", kind, want)
	case into == nil:
		return nil
	}
	if err := json.Unmarshal(payload, into); err != nil {
		return nonsense("frame %q: %v", kind, err)
	}
	return nil
}

// frames passes on what the worker sends until it has told its end, is gone, or
// has been stopped for what it sent. The error is not nil exactly when there was
// no Ended frame.
func (r *run) frames() (*wire.End, error) {
	for {
		kind, n, err := r.next()
		if err == nil && kind == wire.Lists {
			if kind, n, err = r.readLists(); err == nil && kind != wire.Ended {
				err = nonsense("frame %q after the lists of folders", kind)
			}
		}
		if err != nil {
			return nil, err
		}
		switch kind {
		case wire.Fault:
			return nil, r.fault()
		case wire.Stdout:
			err = r.output(r.stdout)
		case wire.Stderr:
			err = r.output(r.stderr)
		case wire.Memory:
			err = r.grew(n)
		case wire.Ended:
			return r.end()
		default:
			err = nonsense("frame %q while the guest runs", kind)
		}
		if err != nil {
			return nil, err
		}
	}
}

// errEnough ends the reading of a worker that has been stopped for its output.
var errEnough = errors.New("output ended")

// output passes one frame of output on, up to the limit on the sum of both
// streams.
func (r *run) output(to *sink) error {
	for {
		some, err := r.p.frames.Some()
		if err != nil || len(some) == 0 {
			return err
		}
		left := r.j.Manifest.OutputLimitBytes - r.stdout.bytes - r.stderr.bytes
		take := some[:min(int64(len(some)), left)]
		if err := to.write(take); err != nil {
			r.cut = true
			if !errors.Is(err, os.ErrDeadlineExceeded) {
				r.stop(job.Cancelled, outputError(err))
			}
			return errEnough
		}
		if len(take) < len(some) {
			r.cut = true
			r.stop(job.OutputLimit, nil)
			return errEnough
		}
	}
}

// outputError says that output cannot be written, unless the writer has said so
// itself.
func outputError(err error) error {
	if e, ok := errors.AsType[*job.Error](err); ok {
		return e
	}
	return &job.Error{Code: job.CodeIO, Message: fmt.Sprintf("writing the output: %v", err), Err: err}
}

func (r *run) grew(n int) error {
	payload, err := r.p.frames.Payload()
	if err != nil {
		return err
	}
	if n != 8 {
		return nonsense("frame %q of %d bytes", wire.Memory, n)
	}
	size := binary.LittleEndian.Uint64(payload)
	if size > uint64(r.j.Manifest.MemoryMB)<<20 {
		return nonsense("linear memory of %d bytes", size)
	}
	r.memory = max(r.memory, int64(size))
	return nil
}

// end reads the Ended frame.
func (r *run) end() (*wire.End, error) {
	payload, err := r.p.frames.Payload()
	if err != nil {
		return nil, err
	}
	var end wire.End
	if err := json.Unmarshal(payload, &end); err != nil {
		return nil, nonsense("frame %q: %v", wire.Ended, err)
	}
	claim := job.Outcome{Status: job.Status(end.Status), Trap: end.Trap, StdinHash: job.EmptyDigest}
	if claim.Status == job.Exit {
		claim.ExitCode = &end.ExitCode
	}
	possible := []job.Status{job.Exit, job.Trap, job.OutOfMemory}
	if r.j.Manifest.Fuel > 0 {
		possible = append(possible, job.OutOfFuel)
	}
	if !slices.Contains(possible, claim.Status) || claim.Validate() != nil || end.FuelUsed < 0 ||
		end.FuelUsed > r.j.Manifest.Fuel {
		return nil, nonsense("an end with status %.40q, trap %.40q", end.Status, end.Trap)
	}
	if end.Trace != nil {
		if err := job.CheckTrace("trace", end.Trace); err != nil {
			return nil, nonsense("an end with a %v", err)
		}
		if claim.Status != job.Trap {
			return nil, nonsense("an end with status %q, and a trace", end.Status)
		}
	}
	if listed := r.lists != nil; listed != (claim.Status.HasDirs() && len(r.j.Manifest.Outputs()) > 0) {
		return nil, nonsense("an end with status %q, and lists of folders: %v", end.Status, listed)
	}
	r.ended = time.Now()
	return &end, nil
}

// fault ends a job for which this machine has failed: under the guest's folders.
func (r *run) fault() error {
	payload, err := r.p.frames.Payload()
	if err != nil {
		return err
	}
	if r.j.Folders == nil {
		return nonsense("a fault of folders that there are none of")
	}
	why := fmt.Sprintf("this machine failed under the job's folders: %s", payload[:min(len(payload), maxMessage)])
	r.stop(job.Cancelled, &job.Error{Code: job.CodeIO, Message: why})
	return errEnough
}
