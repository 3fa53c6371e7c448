package cli

import (
	"bytes"
	"context"
	"io"
	"path/filepath"

	"plasm/lib/batch"
	"plasm/lib/job"
)

// itemMemory is how much of each of its streams an item of a batch holds in memory, in
// bytes: many of them run at once.
const itemMemory = 64 << 10

// Shared is what the jobs of a batch have in common. It is safe for concurrent use.
type Shared struct {
	Module []byte

	flags    *JobFlags    // without what items set by themselves
	folders  *FolderFlags // likewise
	operands []string
	manifest *job.Manifest
}

// Item is an item's job, described.
type Item struct {
	*Description

	Travel  *Travel      // the folders that it begins with
	Folders *FolderFlags // where those go that it writes
}

// Close lets go of input and folders.
func (i *Item) Close() {
	i.Description.Close()
	i.Travel.Close()
}

// DescribeShared reads what all items of a batch have in common. Where own is true the
// items set variables, input and outputs by themselves, as a template does. place puts
// into the manifest what the command's own flags say; dirs replace the manifest's when
// there are any, and folders are the flags for those that travel, nil where there are none.
// The flags must have passed Check.
func (j *JobFlags) DescribeShared(
	in *Invocation, operands []string, dirs []job.Dir, folders *FolderFlags, own bool, place func(*job.Manifest) error,
) (*Shared, error) {
	flags := *j
	if own {
		flags.env, flags.seed = nil, 0
	}
	d := &Description{}
	flags.Stdin, flags.NoStdin = "", true
	given, err := flags.readFiles(d, in, operands)
	if err != nil {
		return nil, err
	}
	stdin := job.Digest("") // that the manifest asks for
	if given != nil {
		copied := *given
		stdin, copied.StdinHash, copied.ID = copied.StdinHash, "", ""
		given = &copied
	}
	if err := flags.fill(d, given, operands, dirs); err != nil {
		return nil, err
	}
	if d.Manifest.StdinHash = stdin; j.Stdin != "" || j.NoStdin {
		d.Manifest.StdinHash = ""
	}
	if err := place(d.Manifest); err != nil {
		return nil, err
	}
	flags.Stdin = j.Stdin
	if own {
		flags.Stdin, flags.Stdout, flags.Stderr, flags.Receipt = "", "", "", ""
	}
	if own && folders != nil {
		folders = &FolderFlags{flags: folders.flags, exclude: folders.exclude, replace: folders.replace}
	}
	return &Shared{Module: d.Module, flags: &flags, folders: folders, operands: operands, manifest: d.Manifest}, nil
}

// Manifest returns the manifest of an item that says nothing of itself.
func (s *Shared) Manifest() *job.Manifest {
	m := *s.manifest
	return &m
}

// Operands returns MODULE and the arguments of the command line.
func (s *Shared) Operands() []string { return s.operands }

// Describe describes an item's job, whose id is still to be set, and reads its folders and
// all of its input that is no regular file. An error is a *job.Error.
func (s *Shared) Describe(ctx context.Context, line *batch.Line) (*Item, error) {
	m := s.Manifest()
	line.Apply(m)
	m.ID = job.NewID() // of any job, so that it can be checked
	d := &Item{Description: &Description{Manifest: m, Module: s.Module, digest: m.ModuleHash}}
	err := s.gather(ctx, d, line)
	if err == nil {
		err = s.open(d.Description, line)
	}
	if err == nil {
		err = bind(d.Input, m)
	}
	if err == nil {
		err = m.Validate()
	}
	if err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

// gather reads the item's folders.
func (s *Shared) gather(ctx context.Context, d *Item, line *batch.Line) (err error) {
	d.Travel = &Travel{}
	d.Folders = s.folders.item(line.In, line.Out)
	travel, err := d.Folders.Gather(ctx)
	if err != nil {
		return err
	}
	d.Travel = travel
	flags := *s.flags
	flags.Travel = travel
	d.Manifest.Dirs = flags.overrideDirs(d.Manifest.Dirs, nil)
	return d.Folders.CheckOutputs(d.Manifest, s.flags.JSON)
}

// open opens the item's input.
func (s *Shared) open(d *Description, line *batch.Line) (err error) {
	name := line.Stdin
	if name == "" {
		name = s.flags.Stdin
	}
	switch {
	case line.Text != nil:
		text := []byte(*line.Text)
		d.Input = &Input{Reader: bytes.NewReader(text), Hash: job.Sum(text)}
	case name == "":
		d.Input = emptyInput()
	default:
		d.Input, err = wholeFile(name)
	}
	if err == nil && (line.Text != nil || line.Stdin != "") {
		d.Manifest.StdinHash = "" // another input is asked for
	}
	return err
}

// wholeFile is the input from a file, all of which is known.
func wholeFile(name string) (*Input, error) {
	f, err := openFile(name)
	if err != nil {
		return nil, err
	}
	in, err := fileInput(f, name, itemMemory)
	if err != nil || in.Hash != "" && !in.readsFile() {
		_ = f.Close() // it was only read
		return in, err
	}
	if in.Hash != "" {
		in.close = f.Close
		return in, nil
	}
	defer func() { _ = f.Close() }() // it was only read
	whole := ItemSpool()
	if _, err := io.Copy(whole, f); err != nil {
		_ = whole.Close() // the other error is the one to tell
		return nil, inputError(err)
	}
	return spooledInput(whole)
}

// readsFile reports whether the input is still to be read from its file.
func (in *Input) readsFile() bool {
	_, ok := in.Reader.(*io.SectionReader)
	return ok
}

// ItemSpool returns a spool for a stream of an item, of which there may be many.
func ItemSpool() *Spool { return &Spool{limit: itemMemory} }

// Filed reports whether all output of an item goes to files.
func (s *Shared) Filed(line *batch.Line) bool {
	return !s.flags.JSON && line.Stdout != "" && line.Stderr != ""
}

// Look looks at where the folders of an item go. Where again is true, what it makes may be
// there, from a run before, and is replaced.
func (i *Item) Look(again bool) error {
	if i.Folders == nil {
		return nil
	}
	return i.Folders.look(i.Folders.replace || again)
}

// Open opens where the output of an item goes: its files, and for what goes to no file
// stdout and stderr. Finish or Discard must follow. Cancelling ctx ends the wait for the
// reader of a named pipe.
func (s *Shared) Open(ctx context.Context, line *batch.Line, stdout, stderr io.Writer) (*Outputs, error) {
	flags := *s.flags
	flags.Stdout, flags.Stderr, flags.Receipt = line.Stdout, line.Stderr, line.Receipt
	flags.spooled = itemMemory
	return flags.Open(ctx, &Invocation{Stdout: stdout, Stderr: stderr})
}

// Target is what an output leads to, and how it was named.
type Target struct {
	Path, Name string
	Folder     bool
}

// Targets returns what the outputs of an item lead to, so that two items with one can be
// told. An error is a *job.Error.
func (s *Shared) Targets(line *batch.Line) ([]Target, error) {
	var targets []Target
	for _, name := range []string{line.Stdout, line.Stderr, line.Receipt} {
		if name == "" {
			continue
		}
		path, err := follow(name)
		if err != nil {
			return nil, writeError(name, err)
		}
		targets = append(targets, Target{Path: path, Name: name})
	}
	for _, out := range line.Out {
		path, err := follow(filepath.Clean(out.Path))
		if err != nil {
			return nil, writeError(out.Path, err)
		}
		targets = append(targets, Target{path, out.Path, true})
	}
	return targets, nil
}

// PrintItem writes the result document of an item of a batch, with --json. Finish comes
// before it.
func (o *Outputs) PrintItem(w io.Writer, index int64, label string) error {
	readers, err := o.readers()
	if err != nil {
		return err
	}
	return job.WriteItemResult(w, index, label, o.document(), readers[0], readers[1], o.Folders)
}
