package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"plasm/lib/engine"
	"plasm/lib/job"
)

// Description is a job as the command line and the files that it names describe
// it.
type Description struct {
	Manifest *job.Manifest
	Module   []byte
	Input    *Input

	digest job.Digest // of Module
}

// Close lets go of the input.
func (d *Description) Close() {
	if d.Input != nil {
		d.Input.Close()
	}
}

// Describe reads all that the command line names, and fills in and checks the
// manifest. dirs replace the manifest's when there are any. The flags must have
// passed Check.
func (j *JobFlags) Describe(in *Invocation, operands []string, dirs []job.Dir) (*Description, error) {
	d := &Description{}
	read := j.readFiles
	if j.Job != "" {
		read = j.readJob
	}
	given, err := read(d, in, operands)
	if err == nil {
		err = j.fill(d, given, operands, dirs)
	}
	if err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

// readFiles reads manifest, module and input. It returns the manifest as it was
// given, or nil.
func (j *JobFlags) readFiles(d *Description, in *Invocation, operands []string) (given *job.Manifest, err error) {
	if j.Manifest != "" {
		data, err := ReadFile(j.Manifest, in.Stdin, job.MaxManifest)
		if err != nil {
			return nil, j.flags.About("manifest", err)
		}
		if given, err = job.DecodeDraft(data); err != nil {
			return nil, about(j.Manifest, err)
		}
	}
	if d.Module, d.digest, err = readModule(operands[0], in.Stdin); err != nil {
		return nil, err
	}
	stdin := in.Stdin
	if j.Manifest == "-" || operands[0] == "-" {
		stdin = nil // taken: the guest never gets it
	}
	d.Input, err = j.openInput(stdin)
	return given, err
}

// readJob reads a job document.
func (j *JobFlags) readJob(d *Description, in *Invocation, _ []string) (*job.Manifest, error) {
	f, err := open(j.Job, in.Stdin)
	if err != nil {
		return nil, j.flags.About("job", err)
	}
	defer func() { _ = f.Close() }() // it was only read
	var module moduleBuffer
	input := &Spool{}
	given, _, err := job.ReadJob(f, &module, input, j.carrier())
	if err != nil {
		if own, ok := errors.AsType[*job.Error](errors.Unwrap(AsError(err))); ok {
			err = own // of the two writers, without what ReadJob says of it
		}
		return nil, errors.Join(about(j.Job, err), input.Close())
	}
	if err := engine.CheckHeader(module.Bytes()); err != nil {
		return nil, errors.Join(about(j.Job, err), input.Close())
	}
	d.Module, d.digest = module.Bytes(), given.ModuleHash // compared as it was read
	if j.Stdin != "" || j.NoStdin {
		_ = input.Close() // not wanted
		d.Input, err = j.openInput(nil)
		return given, err
	}
	d.Input, err = spooledInput(input)
	return given, err
}

// carrier takes the folders of a job document.
func (j *JobFlags) carrier() job.Carrier {
	if j.Travel == nil {
		return nil
	}
	return j.Travel
}

// about names the file that an error is about.
func about(name string, err error) error { return AboutOrigin(shown(name), err) }

// fill makes the final manifest.
func (j *JobFlags) fill(d *Description, given *job.Manifest, operands []string, dirs []job.Dir) error {
	m := job.NewManifest()
	if given != nil {
		copied := *given
		m = &copied
	}
	hash := d.digest
	if len(operands) > 0 && m.ModuleHash != "" && m.ModuleHash != hash { // a job document's was compared as it was read
		return j.wrong("MODULE %s is %s, and the manifest asks for %s", shown(operands[0]), hash, m.ModuleHash)
	}
	m.ModuleHash = hash
	before := *m
	if err := j.override(m, d.Input, operands, dirs); err != nil {
		return err
	}
	if m.ID == "" || !m.Equal(&before) {
		m.ID = job.NewID()
	}
	d.Manifest = m
	if err := bind(d.Input, m); err != nil {
		return err
	}
	return m.Validate()
}

// override puts what flags and arguments say in place of what the manifest says.
func (j *JobFlags) override(m *job.Manifest, in *Input, operands []string, dirs []job.Dir) error {
	set := map[string]func(){
		"memory":        func() { m.MemoryMB = j.memory },
		"disk":          func() { m.DiskMB = j.disk },
		"timeout":       func() { m.TimeoutMS = j.timeout },
		"fuel":          func() { m.Fuel = j.fuel },
		"output-limit":  func() { m.OutputLimitBytes = j.outputLimit },
		"deterministic": func() { m.Deterministic = j.deterministic },
		"seed":          func() { m.Seed = j.seed },
		"canonical-nan": func() { m.CanonicalNaN = j.nan },
		"stdin":         func() { m.StdinHash = in.Hash },
		"no-stdin":      func() { m.StdinHash = in.Hash },
	}
	for name, apply := range set {
		if j.flags.Changed(name) {
			apply()
		}
	}
	m.Dirs = j.overrideDirs(m.Dirs, dirs)
	if len(operands) > 1 {
		m.Args = operands[1:]
		for i, arg := range m.Args {
			if !isText(arg) {
				return j.wrong("argument %d: %q is not UTF-8 without NUL; pass other bytes on stdin", i+1, arg)
			}
		}
	}
	return j.overrideEnv(m)
}

// overrideDirs returns a manifest's folders with live ones in the place of its live ones, if
// there are any, and each that travels in the place of one of the same path.
func (j *JobFlags) overrideDirs(given, live []job.Dir) []job.Dir {
	var dirs []job.Dir
	for _, d := range given {
		if d.Travels() || len(live) == 0 {
			dirs = append(dirs, d)
		}
	}
	dirs = append(dirs, live...)
	if j.Travel == nil {
		return dirs
	}
	for _, d := range j.Travel.Dirs {
		at := slices.IndexFunc(dirs, func(o job.Dir) bool { return o.Guest == d.Guest && o.Travels() })
		if at < 0 {
			dirs = append(dirs, d)
		} else {
			dirs[at] = d
		}
	}
	return dirs
}

// overrideEnv sets the variables that --env names, beside those of the manifest.
func (j *JobFlags) overrideEnv(m *job.Manifest) error {
	env := maps.Clone(m.Env) // never the map of the manifest that was given
	for _, pair := range j.env {
		name, value, ok := strings.Cut(pair, "=")
		switch {
		case !isText(pair):
			return j.wrong("--env: %q is not UTF-8 without NUL; pass other bytes on stdin", pair)
		case !ok || name == "":
			return j.wrong("--env: %q is not NAME=VALUE", pair)
		}
		env[name] = value
	}
	m.Env = env
	return nil
}

// isText reports whether s is what a manifest can hold.
func isText(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

// bind ties manifest and input together: a manifest names the digest of input
// that is known, and input that is not known yet must be what the manifest names.
func bind(in *Input, m *job.Manifest) error {
	switch {
	case in.Hash == "":
		in.Hash, in.unseen = m.StdinHash, true
	case m.StdinHash == "":
		m.StdinHash = in.Hash
	case m.StdinHash != in.Hash:
		return &job.Error{
			Code:    job.CodeBadManifest,
			Message: fmt.Sprintf("the input is %s, and the manifest asks for %s", in.Hash, m.StdinHash),
			Hint:    "give the right input, or name another one with --stdin FILE",
		}
	}
	return nil
}

// Print writes the manifest or the job document, whichever the flags ask for.
func (j *JobFlags) Print(in *Invocation, d *Description) error {
	if j.PrintJob {
		return d.write(in.Stdout, j.Travel)
	}
	return in.Print(append(d.Manifest.Encode(), '\n'))
}

// write writes the job document. Input that is not known before the job starts is
// known to the document: it is read to its end, and its digest put in.
func (d *Description) write(w io.Writer, travel *Travel) error {
	if d.Input.unseen {
		whole := &Spool{}
		if _, err := io.Copy(whole, d.Input.Reader); err != nil {
			return errors.Join(inputError(err), whole.Close())
		}
		in, err := spooledInput(whole)
		if err != nil {
			return err
		}
		d.Close()
		d.Input = in
		if err := bind(in, d.Manifest); err != nil {
			return err
		}
	}
	stdin := d.Input.Reader
	if stdin == nil {
		stdin = bytes.NewReader(nil)
	}
	var folders *job.Carried
	if travel != nil {
		var err error
		if _, err = travel.Pack(d.Manifest); err == nil {
			folders, err = travel.Carried(d.Manifest)
		}
		if err != nil {
			return err
		}
	}
	if size := folders.Len() + int64(len(d.Module))/3*4; size > job.MaxDocument {
		return &job.Error{
			Code: job.CodeIO, Message: fmt.Sprintf("the job document would have %d bytes, more than the %d allowed",
				size, job.MaxDocument),
		}
	}
	return job.WriteJob(w, d.Manifest, bytes.NewReader(d.Module), stdin, folders)
}
