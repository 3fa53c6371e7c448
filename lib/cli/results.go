package cli

import (
	"errors"
	"fmt"
	"io"

	"plasm/lib/job"
)

// Outputs are where a job's output goes.
type Outputs struct {
	Stdout, Stderr io.Writer

	flags   *JobFlags
	in      *Invocation
	files   []*File
	spooled [2]*Spool // with --json
}

// Open opens what the flags name, before the job starts: better no job than one
// whose output has nowhere to go. Finish or Discard must follow.
func (j *JobFlags) Open(in *Invocation) (*Outputs, error) {
	o := &Outputs{flags: j, in: in}
	if j.JSON {
		o.spooled = [2]*Spool{{}, {}}
		o.Stdout, o.Stderr = o.spooled[0], o.spooled[1]
		return o, nil
	}
	var err error
	if o.Stdout, err = o.open(j.Stdout, in.Stdout); err != nil {
		return nil, err
	}
	if o.Stderr, err = o.open(j.Stderr, in.Stderr); err != nil {
		o.Discard()
		return nil, err
	}
	return o, nil
}

func (o *Outputs) open(name string, stream io.Writer) (io.Writer, error) {
	if name == "" || name == "-" {
		return Stream(stream), nil
	}
	f, err := CreateFile(name)
	if err != nil {
		return nil, err
	}
	o.files = append(o.files, f)
	return f, nil
}

// Discard lets go of everything; files do not appear.
func (o *Outputs) Discard() {
	for _, f := range o.files {
		f.Discard()
	}
	for _, s := range o.spooled {
		if s != nil {
			_ = s.Close()
		}
	}
}

// Finish makes the output of a job that started appear, and its receipt, if one
// was asked for: envelope is only called then. Each thing that can be written
// is, whatever happens to the others.
func (o *Outputs) Finish(envelope func() ([]byte, error)) error {
	var errs []error
	for _, f := range o.files {
		errs = append(errs, f.Commit())
	}
	if o.flags.JSON || o.flags.Receipt != "" {
		signed, err := envelope()
		errs = append(errs, err)
		if err == nil {
			errs = append(errs, o.receipt(signed), o.result(signed))
		}
	}
	for _, s := range o.spooled {
		if s != nil {
			errs = append(errs, s.Close())
		}
	}
	return errors.Join(errs...)
}

func (o *Outputs) receipt(envelope []byte) error {
	envelope = append(envelope, '\n')
	switch o.flags.Receipt {
	case "":
		return nil
	case "-":
		if _, err := o.in.Stdout.Write(envelope); err != nil {
			return writeError("standard output", err)
		}
		return nil
	default:
		return WriteFile(o.flags.Receipt, envelope)
	}
}

func (o *Outputs) result(envelope []byte) error {
	if !o.flags.JSON {
		return nil
	}
	var readers [2]io.Reader
	for i, s := range o.spooled {
		var err error
		if readers[i], err = s.Reader(); err != nil {
			return &job.Error{Code: job.CodeIO, Message: fmt.Sprintf("temporary file: %v", err), Err: err}
		}
	}
	return job.WriteResult(o.in.Stdout, envelope, readers[0], readers[1])
}

// Print writes the manifest or the job document where the flags ask for nothing
// else, and reports whether they do.
func (j *JobFlags) Print(in *Invocation, d *Description) (bool, error) {
	switch {
	case j.PrintManifest:
		if _, err := in.Stdout.Write(append(d.Manifest.Encode(), '\n')); err != nil {
			return true, writeError("standard output", err)
		}
		return true, nil
	case j.PrintJob:
		return true, d.write(in.Stdout)
	}
	return false, nil
}
