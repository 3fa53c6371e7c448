package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"plasm/lib/job"
)

// MaxModule is the longest module that the commands read, in bytes.
const MaxModule = 64 << 20

// JobFlags are the flags that describe a job, its input and its output: the
// words that plasm-run and plasm-submit share.
type JobFlags struct {
	flags *Flags

	Manifest, Job         string
	memory, timeout, fuel int64
	outputLimit, seed     int64
	deterministic, nan    bool
	env                   []string

	Stdin, Stdout, Stderr, Receipt      string
	NoStdin                             bool
	JSON, PrintManifest, PrintJob, Peer bool
	Key                                 string
}

// AddJobFlags adds them to a flag set.
func AddJobFlags(f *Flags, getenv func(string) string) *JobFlags {
	j := &JobFlags{flags: f}
	f.StringVar(&j.Manifest, "manifest", "", "")
	f.StringVar(&j.Job, "job", "", "")
	f.Whole(&j.memory, "memory", 1, job.MaxMemoryMB)
	f.Millis(&j.timeout, "timeout", job.MaxTimeout)
	f.Whole(&j.fuel, "fuel", 1, job.MaxSafeInt)
	f.Whole(&j.outputLimit, "output-limit", 0, job.MaxSafeInt)
	f.StringArrayVar(&j.env, "env", nil, "")
	f.BoolVar(&j.deterministic, "deterministic", true, "")
	f.Whole(&j.seed, "seed", 0, job.MaxSafeInt)
	f.BoolVar(&j.nan, "canonical-nan", false, "")
	f.StringVar(&j.Stdin, "stdin", "", "")
	f.BoolVarP(&j.NoStdin, "no-stdin", "n", false, "")
	f.StringVar(&j.Stdout, "stdout", "", "")
	f.StringVar(&j.Stderr, "stderr", "", "")
	f.StringVar(&j.Receipt, "receipt", "", "")
	f.BoolVar(&j.JSON, "json", false, "")
	f.BoolVar(&j.PrintManifest, "print-manifest", false, "")
	f.BoolVar(&j.PrintJob, "print-job", false, "")
	f.StringVar(&j.Key, "key", getenv("PLASM_KEY"), "")
	f.BoolVar(&j.Peer, "identity", false, "")
	return j
}

// WantsJSON reports whether a command line asks for --json, for errors that are
// met before it has been understood.
func WantsJSON(args []string) bool {
	if end := slices.Index(args, "--"); end >= 0 {
		args = args[:end]
	}
	return slices.Contains(args, "--json") || slices.Contains(args, "--json=true")
}

// check refuses flags that contradict each other. operands are MODULE and the
// guest's arguments.
func (j *JobFlags) check(operands []string) error {
	wrong := func(format string, args ...any) error { return Usage(j.flags.name, format, args...) }
	var dash []string
	for name, value := range map[string]string{"--manifest": j.Manifest, "--job": j.Job, "--stdin": j.Stdin} {
		if value == "-" {
			dash = append(dash, name)
		}
	}
	if len(operands) > 0 && operands[0] == "-" {
		dash = append(dash, "MODULE")
	}
	slices.Sort(dash)
	switch {
	case len(dash) > 1:
		return wrong("%s: only one of them can be -, the standard input", strings.Join(dash, " and "))
	case j.NoStdin && j.Stdin != "":
		return wrong("--no-stdin and --stdin %s contradict each other", j.Stdin)
	case j.Job != "" && j.Manifest != "":
		return wrong("--job and --manifest: a job document holds its own manifest")
	case j.Job != "" && len(operands) > 0:
		return wrong("MODULE %s beside --job: a job document holds its own module", operands[0])
	case j.Job == "" && len(operands) == 0:
		return wrong("which module? MODULE.wasm is missing")
	case j.Receipt == "-" && (j.Stdout == "" || j.Stdout == "-"):
		return wrong("--receipt - needs --stdout FILE, or output and receipt would mix")
	case j.JSON && (j.Stdout != "" || j.Stderr != "" || j.Receipt == "-"):
		return wrong("--json puts output and receipt into one document on stdout: leave out --stdout, --stderr and --receipt -")
	case j.PrintManifest && j.PrintJob:
		return wrong("--print-manifest and --print-job both want stdout")
	}
	return nil
}

// Description is a job as the command line and the files that it names describe
// it.
type Description struct {
	Manifest *job.Manifest
	Module   []byte
	Input    *Input
}

// write writes the job document. Input that is not known before the job starts is
// known to the document: it is read to its end, and its digest put in.
func (d *Description) write(w io.Writer) error {
	if d.Manifest.StdinHash == "" {
		var s Spool
		if d.Input.Reader != nil {
			if _, err := io.Copy(&s, d.Input.Reader); err != nil {
				return errors.Join(fileError("standard input", err), s.Close())
			}
		}
		in, err := spooledInput(&s)
		if err != nil {
			return err
		}
		d.Close()
		d.Input, d.Manifest.StdinHash = in, in.Hash
	}
	stdin := d.Input.Reader
	if stdin == nil {
		stdin = bytes.NewReader(nil)
	}
	return job.WriteJob(w, d.Manifest, bytes.NewReader(d.Module), stdin)
}

// Close lets go of the input.
func (d *Description) Close() {
	if d.Input != nil {
		d.Input.Close()
	}
}

// Describe reads all that the command line names, and fills in and checks the
// manifest. dirs replace the manifest's when there are any.
func (j *JobFlags) Describe(in *Invocation, operands []string, dirs []job.Dir) (*Description, error) {
	if err := j.check(operands); err != nil {
		return nil, err
	}
	d := &Description{}
	given, err := j.read(d, in, operands)
	if err != nil {
		d.Close()
		return nil, err
	}
	if err := j.fill(d, given, operands, dirs); err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

// read reads module, input and manifest. It returns the manifest as it was
// given, or nil.
func (j *JobFlags) read(d *Description, in *Invocation, operands []string) (*job.Manifest, error) {
	stdin := in.Stdin
	if j.Job == "-" || j.Manifest == "-" || (len(operands) > 0 && operands[0] == "-") {
		stdin = nil // taken: the guest never gets it
	}
	if j.Job != "" {
		return j.readJob(d, in, stdin)
	}
	var given *job.Manifest
	if j.Manifest != "" {
		data, err := ReadFile(j.Manifest, in.Stdin, job.MaxManifest)
		if err != nil {
			return nil, err
		}
		if given, err = job.DecodeDraft(data); err != nil {
			return nil, in.about(j.Manifest, err)
		}
	}
	var err error
	if d.Module, err = ReadFile(operands[0], in.Stdin, MaxModule); err != nil {
		return nil, moduleError(err)
	}
	d.Input, err = j.openInput(stdin)
	return given, err
}

// about names the file that an error is about.
func (*Invocation) about(name string, err error) error {
	var e *job.Error
	if errors.As(err, &e) {
		named := *e
		named.Message = name + ": " + e.Message
		return &named
	}
	return err
}

// readJob reads a job document.
func (j *JobFlags) readJob(d *Description, in *Invocation, stdin io.Reader) (*job.Manifest, error) {
	f, err := open(j.Job, in.Stdin)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	var module capped
	input := &Spool{}
	given, hasStdin, err := job.ReadJob(f, &module, input)
	if err != nil {
		return nil, errors.Join(in.about(j.Job, err), input.Close())
	}
	d.Module = module.Bytes()
	if j.Stdin != "" || j.NoStdin {
		_ = input.Close()
		d.Input, err = j.openInput(stdin)
		return given, err
	}
	if !hasStdin && given.StdinHash == "" {
		_ = input.Close()
		d.Input = emptyInput()
		return given, nil
	}
	d.Input, err = spooledInput(input)
	return given, err
}

// capped is a buffer for a module.
type capped struct{ bytes.Buffer }

func (c *capped) Write(p []byte) (int, error) {
	if c.Len()+len(p) > MaxModule {
		return 0, tooLong("the module", MaxModule)
	}
	return c.Buffer.Write(p)
}

func tooLong(what string, limit int64) error {
	return &job.Error{Code: job.CodeIO, Message: fmt.Sprintf("%s: longer than %d MB", what, limit>>20)}
}

// moduleError gives an error about reading the module the code that tells the
// user that this file can never be run.
func moduleError(err error) error {
	var e *job.Error
	if errors.As(err, &e) && e.Code == job.CodeIO && (errors.Is(err, errIsDirectory) || e.Err == nil) {
		return &job.Error{Code: job.CodeBadModule, Message: e.Message, Hint: e.Hint, Err: err}
	}
	return err
}

// fill makes the final manifest.
func (j *JobFlags) fill(d *Description, given *job.Manifest, operands []string, dirs []job.Dir) error {
	m := job.NewManifest()
	if given != nil {
		copied := *given
		m = &copied
	}
	hash := job.Sum(d.Module)
	if m.ModuleHash != "" && m.ModuleHash != hash {
		return Usage(j.flags.name, "the module %s is %s, and the manifest asks for %s", operands[0], hash, m.ModuleHash)
	}
	m.ModuleHash = hash
	base := *m
	if err := j.override(m, operands); err != nil {
		return err
	}
	if len(dirs) > 0 {
		m.Dirs = dirs
	}
	if err := j.bind(d.Input, m); err != nil {
		return err
	}
	if m.ID == "" || given == nil || !m.Equal(&base) {
		m.ID = job.NewID()
	}
	d.Manifest = m
	return m.Validate()
}

// override puts what flags and arguments say in place of what the manifest
// says.
func (j *JobFlags) override(m *job.Manifest, operands []string) error {
	set := map[string]func(){
		"memory":        func() { m.MemoryMB = j.memory },
		"timeout":       func() { m.TimeoutMS = j.timeout },
		"fuel":          func() { m.Fuel = j.fuel },
		"output-limit":  func() { m.OutputLimitBytes = j.outputLimit },
		"deterministic": func() { m.Deterministic = j.deterministic },
		"seed":          func() { m.Seed = j.seed },
		"canonical-nan": func() { m.CanonicalNaN = j.nan },
	}
	for name, apply := range set {
		if j.flags.Changed(name) {
			apply()
		}
	}
	if len(operands) > 1 {
		m.Args = operands[1:]
	}
	for i, arg := range m.Args {
		if !utf8.ValidString(arg) || strings.ContainsRune(arg, 0) {
			return Usage(j.flags.name, "argument %d: %q is not UTF-8 text without NUL; pass other bytes on stdin", i+1, arg)
		}
	}
	return j.overrideEnv(m)
}

func (j *JobFlags) overrideEnv(m *job.Manifest) error {
	if len(j.env) == 0 {
		return nil
	}
	m.Env = map[string]string{} // never the map of the manifest that was given
	for _, pair := range j.env {
		name, value, ok := strings.Cut(pair, "=")
		if !ok || name == "" || !utf8.ValidString(pair) || strings.ContainsRune(pair, 0) {
			return Usage(j.flags.name, "--env: %q is not NAME=VALUE in UTF-8", pair)
		}
		m.Env[name] = value
	}
	return nil
}

// bind ties manifest and input together: a manifest names the digest of input
// that is known, and input that is not known yet must be what the manifest names.
func (j *JobFlags) bind(in *Input, m *job.Manifest) error {
	switch {
	case in.Hash == "":
		in.Hash = m.StdinHash
	case m.StdinHash == "" || j.Stdin != "" || j.NoStdin:
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

// errIsDirectory marks the error of reading a folder.
var errIsDirectory = errors.New("is a directory")

// open opens a file to read, or standard input for "-".
func open(name string, stdin io.Reader) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(stdin), nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, fileError(name, err)
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = errIsDirectory
	}
	if err != nil {
		_ = f.Close()
		return nil, fileError(name, err)
	}
	return f, nil
}

// ReadFile reads a file of at most limit bytes, or standard input for "-".
func ReadFile(name string, stdin io.Reader, limit int64) ([]byte, error) {
	f, err := open(name, stdin)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, fileError(name, err)
	}
	if int64(len(data)) > limit {
		return nil, tooLong(name, limit)
	}
	return data, nil
}

// fileError says what is wrong with a file, by its name.
func fileError(name string, err error) error {
	var pathErr *fs.PathError
	cause := err
	if errors.As(err, &pathErr) {
		cause = pathErr.Err
	}
	code := job.CodeIO
	if errors.Is(err, fs.ErrNotExist) {
		code = job.CodeNotFound
	}
	return &job.Error{Code: code, Message: fmt.Sprintf("%s: %v", name, cause), Err: err}
}
