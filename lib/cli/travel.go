package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"plasm/lib/batch"
	"plasm/lib/job"
	"plasm/lib/tree"
)

// FolderFlags are the flags of folders that travel with a job.
type FolderFlags struct {
	flags               *Flags
	ins, outs, excludes []string
	replace             bool

	sources []tree.Source
	written []batch.Folder
	targets []*tree.Target // of written
	exclude *tree.Exclude
}

// AddFolderFlags adds them to a flag set; --disk is j's.
func AddFolderFlags(f *Flags, j *JobFlags) *FolderFlags {
	o := &FolderFlags{flags: f}
	f.List(&o.ins, Flag{
		Name: "in", Category: TheJob, Value: "PATH::GUEST",
		Usage: "give the program this file or folder, as it is now, to read at GUEST",
		More: "GUEST is an absolute path. Links, and whether a file is executable, are kept; owners, times and " +
			"other modes are not.",
		Complete: AnyFile(),
	})
	f.List(&o.outs, Flag{
		Name: "out", Category: TheJob, Value: "GUEST::PATH",
		Usage: "make this folder of what the program leaves in its folder GUEST",
		More: "GUEST begins empty, or as the `--in` of the same GUEST. PATH must not be there, or be an empty " +
			"folder. It is made whole or not at all.",
	})
	f.List(&o.excludes, Flag{
		Name: "exclude", Category: TheJob, Value: "GLOB", Usage: "leave names like this out of the folders of --in",
		More: "With a slash, the path from the folder; `**` is any number of parts; with a slash at its end, " +
			"folders only.",
	})
	f.Switch(&o.replace, Flag{Name: "replace", Category: TheJob, Usage: "let --out swap a folder that is there"})
	f.Amount(&j.disk, MiB, 0, job.MaxDiskMB, Flag{
		Name: "disk", Category: TheJob, Value: "MB", Default: "256M",
		Usage: "what the program may have in the folders of --out",
		More:  "0 to 1 TiB, in MiB or with a unit; each name counts by its whole size.",
	})
	return o
}

// Given reports whether any of the flags is there that has to do with a folder here.
func (o *FolderFlags) Given() bool { return len(o.ins)+len(o.outs) > 0 }

// Check reads the flags, and looks at where output is to go.
func (o *FolderFlags) Check() error {
	if err := o.CheckForm(); err != nil {
		return err
	}
	return o.look(o.replace)
}

// CheckForm reads the flags. Each item of a batch has folders of its own.
func (o *FolderFlags) CheckForm() error {
	var err error
	if o.exclude, err = tree.NewExclude(o.excludes); err != nil {
		return o.flags.usage("--exclude: %v", err)
	}
	for _, in := range o.ins {
		path, guest, ok := job.CutSource(in)
		if !ok {
			return o.flags.usage("--in: %q is not PATH::GUEST", in)
		}
		o.sources = append(o.sources, tree.Source{Path: path, Guest: guest})
	}
	for _, out := range o.outs {
		guest, path, ok := job.CutTarget(out)
		if !ok {
			return o.flags.usage("--out: %q is not GUEST::PATH", out)
		}
		o.written = append(o.written, batch.Folder{Path: path, Guest: guest})
	}
	return nil
}

// look looks at where output is to go.
func (o *FolderFlags) look(replace bool) error {
	o.targets = nil
	for _, out := range o.written {
		target, err := tree.NewTarget(out.Path, replace)
		if err != nil {
			return err
		}
		for i, other := range o.targets {
			if tree.Nested(target.Path(), other.Path()) {
				return o.flags.usage("--out: %q and %q are one folder, or one is in the other",
					o.written[i].Guest+"::"+o.written[i].Path, out.Guest+"::"+out.Path)
			}
		}
		o.targets = append(o.targets, target)
	}
	return nil
}

// Folders returns what --in and --out name. CheckForm comes before it.
func (o *FolderFlags) Folders() (in, out []batch.Folder) {
	for _, s := range o.sources {
		in = append(in, batch.Folder{Path: s.Path, Guest: s.Guest})
	}
	return in, o.written
}

// item returns the flags of an item of a batch: with what it says of itself beside the
// flags, and in place of what they say of the same path in the guest.
func (o *FolderFlags) item(in, out []batch.Folder) *FolderFlags {
	own := &FolderFlags{flags: o.flags, exclude: o.exclude, replace: o.replace, written: out}
	for _, s := range o.sources {
		same := func(f batch.Folder) bool { return f.Guest == s.Guest }
		if !slices.ContainsFunc(in, same) {
			own.sources = append(own.sources, s)
		}
	}
	for _, f := range in {
		own.sources = append(own.sources, tree.Source{Path: f.Path, Guest: f.Guest})
	}
	return own
}

// Travel is what a job's folders are made of. Close it when the job has ended.
type Travel struct {
	Dirs []job.Dir // of the flags

	file   *os.File // the pack, without a name
	read   *os.File // the same, to be read only
	packer *tree.Packer
	trees  map[job.Digest]*tree.Tree
	packed bool // Pack has finished it
}

// Gather reads the folders that the flags name. More may come from a job document.
func (o *FolderFlags) Gather(ctx context.Context) (*Travel, error) {
	t := &Travel{trees: map[job.Digest]*tree.Tree{}}
	if len(o.sources)+len(o.written) == 0 {
		return t, nil
	}
	if err := t.open(); err != nil {
		return nil, err
	}
	guests := make([]string, 0, len(o.written))
	for _, out := range o.written {
		guests = append(guests, out.Guest)
	}
	folders, err := tree.Gather(ctx, o.sources, guests, t.packer, o.exclude)
	if err != nil {
		t.Close()
		if len(o.ins) > 0 {
			err = AboutOrigin("--in", err)
		}
		return nil, err
	}
	for _, f := range folders {
		digest := f.Tree.Digest()
		t.trees[digest] = f.Tree
		t.Dirs = append(t.Dirs, job.Dir{Guest: f.Guest, ReadOnly: f.ReadOnly, Tree: digest})
	}
	return t, nil
}

// open makes the pack, unless it is there.
func (t *Travel) open() error {
	if t.packer != nil {
		return nil
	}
	f, err := os.CreateTemp("", "plasm-pack-*")
	if err != nil {
		return packError(err)
	}
	t.file = f
	t.read, err = os.Open(f.Name())
	if err = errors.Join(err, os.Remove(f.Name())); err != nil {
		t.Close()
		return packError(err)
	}
	t.packer = tree.NewPacker(f)
	return nil
}

// TempFile makes a file without a name in the folder for temporary files. An error is a
// *job.Error.
func TempFile() (*os.File, error) {
	f, err := os.CreateTemp("", "plasm-folders-*")
	if err == nil {
		err = os.Remove(f.Name())
	}
	if err != nil {
		return nil, packError(err)
	}
	return f, nil
}

func packError(err error) error {
	return &job.Error{
		Code: job.CodeIO, Message: fmt.Sprintf("no room for the job's folders: %v", err),
		Hint: "name a folder for temporary files with TMPDIR", Err: err,
	}
}

// Close lets go of the pack.
func (t *Travel) Close() {
	if t.file != nil {
		_ = t.file.Close() // of no use any more
	}
	if t.read != nil {
		_ = t.read.Close()
	}
}

// Tree implements job.Carrier.
func (t *Travel) Tree(d job.Digest, document []byte) error {
	decoded, err := tree.Decode(document)
	t.trees[d] = decoded
	return err
}

// Blob implements job.Carrier.
func (t *Travel) Blob(job.Digest) (io.WriteCloser, error) {
	if err := t.open(); err != nil {
		return nil, err
	}
	r, w := io.Pipe()
	b := &packedBlob{PipeWriter: w, done: make(chan error, 1)}
	go func() {
		_, _, err := t.packer.Put(r)
		_ = r.CloseWithError(err)
		b.done <- err
	}()
	return b, nil
}

// packedBlob writes a content to the pack.
type packedBlob struct {
	*io.PipeWriter
	done chan error
}

func (b *packedBlob) Close() error {
	return errors.Join(b.PipeWriter.Close(), <-b.done)
}

// Pack finishes the pack of all folders of m that travel. It is nil where there are none.
func (t *Travel) Pack(m *job.Manifest) (*os.File, error) {
	trees, err := t.treesOf(m)
	if err != nil || trees == nil {
		return nil, err
	}
	if err := t.open(); err != nil {
		return nil, err
	}
	if t.packed {
		return t.read, nil
	}
	size, err := t.packer.Finish(trees...)
	if missing, ok := errors.AsType[*tree.MissingError](err); ok {
		return nil, &job.Error{
			Code: job.CodeUsage, Message: missing.Error(),
			Hint: "name the folder with --in PATH::GUEST",
		}
	}
	if err == nil {
		err = t.file.Truncate(size)
	}
	if err != nil {
		return nil, packError(err)
	}
	t.packed = true
	return t.read, nil
}

// Open is Pack, opened.
func (t *Travel) Open(m *job.Manifest) (*tree.Pack, error) {
	f, err := t.Pack(m)
	if err != nil || f == nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, packError(err)
	}
	pack, err := tree.OpenPack(f, info.Size())
	if err != nil {
		return nil, packError(err)
	}
	return pack, nil
}

// treesOf returns the trees that the folders of m begin as, nil when none travels.
func (t *Travel) treesOf(m *job.Manifest) ([]*tree.Tree, error) {
	var trees []*tree.Tree
	for _, d := range m.Dirs {
		if !d.Travels() {
			continue
		}
		if d.Tree == tree.Empty {
			t.trees[d.Tree] = &tree.Tree{}
		}
		known := t.trees[d.Tree]
		if known == nil {
			return nil, &job.Error{
				Code:    job.CodeUsage,
				Message: fmt.Sprintf("dirs: the manifest's folder %s begins as %s, which is not here", d.Guest, d.Tree),
				Hint:    "name it with --in PATH::" + d.Guest,
			}
		}
		trees = append(trees, known)
	}
	return trees, nil
}

// Carried returns the folders that m begins with, for a job document. Pack comes before it.
func (t *Travel) Carried(m *job.Manifest) (*job.Carried, error) {
	trees, err := t.treesOf(m)
	if err != nil || trees == nil {
		return nil, err
	}
	pack, err := t.Open(m)
	if err != nil {
		return nil, err
	}
	c := &job.Carried{Trees: map[job.Digest][]byte{}, Blobs: map[job.Digest]job.Content{}}
	for _, known := range trees {
		carry(c, known, func(d job.Digest) (io.Reader, error) {
			r, ok := pack.Blob(d)
			if !ok {
				return nil, packError(errors.New("a content is gone"))
			}
			return r, nil
		})
	}
	return c, nil
}

// carry adds a tree with its contents.
func carry(c *job.Carried, t *tree.Tree, contents tree.Contents) {
	document := t.Encode()
	c.Trees[job.Sum(document)] = document
	for i := range t.Entries {
		if e := &t.Entries[i]; e.Type == tree.File {
			digest := e.Digest
			c.Blobs[digest] = job.Content{Size: e.Size, Open: func() (io.Reader, error) {
				if digest == job.EmptyDigest {
					return bytes.NewReader(nil), nil
				}
				return contents(digest)
			}}
		}
	}
}

// CheckOutputs refuses folders that the program of m writes and that go nowhere.
func (o *FolderFlags) CheckOutputs(m *job.Manifest, document bool) error {
	for _, d := range m.Outputs() {
		named := func(f batch.Folder) bool { return f.Guest == d.Guest }
		if !document && !slices.ContainsFunc(o.written, named) {
			return o.flags.usage("the program writes the folder %s: say with --out %s::PATH where it goes, or "+
				"take --json", d.Guest, d.Guest)
		}
	}
	return nil
}

// CheckTargets is CheckOutputs for a job that is there already: each --out must be a folder
// of it.
func (o *FolderFlags) CheckTargets(m *job.Manifest, document bool) error {
	for _, f := range o.written {
		if !slices.ContainsFunc(m.Outputs(), func(d job.Dir) bool { return d.Guest == f.Guest }) {
			return o.flags.usage("--out %s::%s: the job writes no folder %s", f.Guest, f.Path, f.Guest)
		}
	}
	return o.CheckOutputs(m, document)
}

func (o *FolderFlags) target(guest string) *tree.Target {
	for i, f := range o.written {
		if f.Guest == guest {
			return o.targets[i]
		}
	}
	return nil
}

// Deliver makes the folders that --out names of what a job has left, each whole or not at all,
// and returns those that no --out names. Each that can be made is, whatever happens to the
// others. Of a job that has left nothing, tell is told of each that isn't made.
func (o *FolderFlags) Deliver(ctx context.Context, outcome *job.Outcome, outputs []tree.Part,
	tell func(line string),
) (*job.Carried, error) {
	var errs []error
	left := &job.Carried{Trees: map[job.Digest][]byte{}, Blobs: map[job.Digest]job.Content{}}
	made := map[string]bool{}
	for i, d := range outcome.Dirs {
		out := outputs[i]
		made[d.Guest] = true
		if target := o.target(d.Guest); target != nil {
			errs = append(errs, target.Write(ctx, out.Tree, out.Contents))
		} else {
			carry(left, out.Tree, out.Contents)
		}
	}
	for _, f := range o.written {
		if !made[f.Guest] {
			tell(fmt.Sprintf("%s is not made: of a job that ended so, there is nothing of %s", f.Path, f.Guest))
		}
	}
	if len(left.Trees) == 0 {
		left = nil
	}
	return left, errors.Join(errs...)
}
