package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"plasm/lib/job"
)

// maxResultOutput is how many bytes of output fit into a result document beside
// its receipt: base64 makes four of three.
const maxResultOutput = (job.MaxDocument - job.MaxEnvelope - 1<<10) / 4 * 3

// Outputs are where a job's output goes.
type Outputs struct {
	Stdout, Stderr io.Writer
	Folders        *job.Carried // for the result document
	Trace          []string     // likewise, of a trap
	Reused         bool         // likewise: an earlier run's
	Receipts       [][]byte     // likewise, of --quorum: envelopes of those that agree
	Dissent        [][]byte     // and of the others

	flags   *JobFlags
	in      *Invocation
	files   []*File
	spooled []*Spool // stdout and stderr, with --json
	copies  [2]*tee  // of stdout and stderr, with --results and not --json
	left    int64    // of maxResultOutput
	receipt []byte   // that is to be printed
}

// Open opens what the flags name, before the job starts: better no job than one
// whose output has nowhere to go. Finish or Discard must follow. Cancelling ctx
// ends the wait for the reader of a named pipe.
func (j *JobFlags) Open(ctx context.Context, in *Invocation) (*Outputs, error) {
	o := &Outputs{flags: j, in: in}
	var err error
	if j.JSON {
		o.spooled = []*Spool{{limit: j.spooled}, {limit: j.spooled}}
		o.left = maxResultOutput
		o.Stdout, o.Stderr = ration{o.spooled[0], &o.left}, ration{o.spooled[1], &o.left}
	} else if o.Stdout, err = o.open(ctx, "stdout", j.Stdout, in.Stdout); err == nil {
		o.Stderr, err = o.open(ctx, "stderr", j.Stderr, in.Stderr)
	}
	if err == nil {
		err = o.tryReceipt(ctx)
	}
	if err == nil {
		err = o.distinct()
	}
	if err != nil {
		o.Discard()
		return nil, err
	}
	o.keepCopies()
	return o, nil
}

// open opens the file of a flag, or takes the command's own stream where that names none.
func (o *Outputs) open(ctx context.Context, flag, name string, w io.Writer) (io.Writer, error) {
	if name == "" || name == "-" {
		return newStream(w, map[string]string{"stdout": standardOutput, "stderr": standardError}[flag]), nil
	}
	f, err := CreateFile(ctx, name)
	if err != nil {
		return nil, AboutOrigin("--"+flag, err)
	}
	o.files = append(o.files, f)
	return f, nil
}

// tryReceipt finds out whether the receipt can be written where it is to go. A pipe is
// left alone: its reader may first want to read all of the output.
func (o *Outputs) tryReceipt(ctx context.Context) error {
	name := o.flags.Receipt
	if name == "" || name == "-" {
		return nil
	}
	if info, err := os.Stat(name); err == nil && info.Mode()&fs.ModeNamedPipe != 0 {
		return nil
	}
	f, err := CreateFile(ctx, name)
	if err != nil {
		return AboutOrigin("--receipt", err)
	}
	f.Discard()
	return nil
}

// distinct refuses two outputs that would replace each other.
func (o *Outputs) distinct() error {
	seen := map[string]string{}
	for _, f := range o.files {
		if f.temp == "" {
			continue
		}
		if other, ok := seen[f.target]; ok {
			return o.flags.wrong("--stdout %s and --stderr %s are the same file", other, f.name)
		}
		seen[f.target] = f.name
	}
	if o.flags.Receipt == "" || o.flags.Receipt == "-" {
		return nil
	}
	target, err := follow(o.flags.Receipt)
	if other, ok := seen[target]; err == nil && ok {
		return o.flags.wrong("--receipt %s is the same file as the output %s", o.flags.Receipt, other)
	}
	return nil
}

// ration is a spool that takes no more than a result document can hold.
type ration struct {
	*Spool
	left *int64 // for all that share it
}

// Write writes p.
func (r ration) Write(p []byte) (int, error) {
	if int64(len(p)) > *r.left {
		return 0, &job.Error{
			Code:    job.CodeIO,
			Message: fmt.Sprintf("too much output for one document: more than %d bytes", int64(maxResultOutput)),
			Hint:    "leave out --json; --stdout, --stderr and --receipt name files for the same",
		}
	}
	n, err := r.Spool.Write(p)
	*r.left -= int64(n)
	return n, err
}

// Deliver has do write, which may wait for readers for as long as they like. When ctx
// ends, writes under way and to come fail where the system can do that, and Deliver
// returns the cause of it, unless do has succeeded by then. It waits no longer than a
// moment for do, which otherwise goes on until the process ends, which must be soon.
func (o *Outputs) Deliver(ctx context.Context, do func() error) error {
	done := make(chan error, 1)
	go func() { done <- do() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	for _, w := range []io.Writer{o.Stdout, o.Stderr} {
		if d, ok := w.(interface{ SetWriteDeadline(t time.Time) error }); ok {
			_ = d.SetWriteDeadline(time.Now()) // where it can't be, the process ends before the write
		}
	}
	late := time.NewTimer(hurryTime)
	defer late.Stop()
	select {
	case err := <-done:
		if err == nil {
			return nil
		}
	case <-late.C:
		o.Discard()
	}
	return context.Cause(ctx)
}

// Discard lets go of everything; files do not appear.
func (o *Outputs) Discard() {
	for _, f := range o.files {
		f.Discard()
	}
	o.Release()
}

// Release lets go of what --json has held. Files stay as they are.
func (o *Outputs) Release() {
	for _, s := range o.spooled {
		_ = s.Close() // of no use any more
	}
	for _, t := range o.copies {
		if t != nil {
			_ = t.copy.Close() // likewise
		}
	}
}

// Signed reports whether the flags ask for a receipt, in whatever form.
func (j *JobFlags) Signed() bool { return j.JSON || j.Receipt != "" || j.Results != "" }

// Finish makes the files of a job that started appear: those with its output,
// and the one with its receipt. Each that can be written is, whatever happens to
// the others. receipt is called only when Signed says so.
func (o *Outputs) Finish(receipt func() ([]byte, error)) error {
	var errs []error
	for _, f := range o.files {
		errs = append(errs, f.Commit())
	}
	if !o.flags.Signed() {
		return errors.Join(errs...)
	}
	signed, err := receipt()
	switch {
	case err != nil:
		errs = append(errs, err)
	default:
		o.receipt = signed
		if name := o.flags.Receipt; name != "" && name != "-" {
			errs = append(errs, WriteFile(name, append(signed, '\n')))
		}
	}
	return errors.Join(errs...)
}

// Printable reports whether Print has a receipt to print; it has none where
// Finish could not have one signed.
func (o *Outputs) Printable() bool { return o.receipt != nil }

// Print writes what the flags want on stdout besides output: the result document,
// the receipt, or nothing. Finish comes before it, and nothing after it.
func (o *Outputs) Print() error {
	switch {
	case o.flags.JSON:
		defer o.Discard()
		return o.result()
	case o.flags.Receipt == "-":
		return o.in.Print(append(o.receipt, '\n'))
	}
	return nil
}

func (o *Outputs) result() error {
	readers, err := o.readers()
	if err != nil {
		return err
	}
	if size := o.Folders.Len(); size > o.left/3*4 {
		return &job.Error{
			Code: job.CodeIO, Message: fmt.Sprintf("too much for one document: folders that take %d bytes there", size),
			Hint: "name folders with --out, which then are not in it",
		}
	}
	return job.WriteResult(o.in.Stdout, o.document(), readers[0], readers[1], o.Folders)
}

// document returns what the result document says beside output and folders.
func (o *Outputs) document() *job.Result {
	return &job.Result{Envelope: o.receipt, Trace: o.Trace, Reused: o.Reused, Receipts: o.Receipts, Dissent: o.Dissent}
}

// readers returns what the result document has of both streams.
func (o *Outputs) readers() (readers [2]io.Reader, err error) {
	for i, s := range o.spooled {
		if readers[i], err = s.Reader(); err != nil {
			return readers, err
		}
	}
	return readers, nil
}
