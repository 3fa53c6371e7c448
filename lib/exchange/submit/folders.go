package submit

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"plasm/lib/exchange/wire"
	"plasm/lib/job"
	"plasm/lib/tree"
)

// folders are what a job begins with, as nodes are given them.
type folders struct {
	sizes []wire.TreeSize // of the manifest's Trees, in their order
	blobs []tree.Blob     // of all of them
	files int             // names of files in them
}

// newFolders looks at what a job begins with. An error is a *job.Error.
func newFolders(j *Job) (*folders, error) {
	f := &folders{}
	digests := j.Manifest.Trees()
	trees := make([]*tree.Tree, 0, len(digests))
	for _, d := range digests {
		var document []byte
		if j.Pack != nil {
			document = j.Pack.Document(d)
		}
		if document == nil {
			return nil, &job.Error{Code: job.CodeInternal, Message: fmt.Sprintf("the tree %s is not at hand", d)}
		}
		t, err := tree.Decode(document)
		if err != nil {
			return nil, err
		}
		blobs, err := tree.Blobs(t)
		if err != nil {
			return nil, badTree(err)
		}
		f.sizes = append(f.sizes, wire.TreeSize{
			DocumentBytes: int64(len(document)), Entries: int64(len(t.Entries)), Blobs: int64(len(blobs)),
			Bytes: tree.BlobBytes(blobs),
		})
		f.files += int(t.Files())
		trees = append(trees, t)
	}
	var err error
	if f.blobs, err = tree.Blobs(trees...); err != nil {
		return nil, badTree(err)
	}
	for _, b := range f.blobs {
		if r, ok := j.Pack.Blob(b.Digest); !ok || r.Size() != b.Size {
			return nil, &job.Error{
				Code:    job.CodeInternal,
				Message: fmt.Sprintf("the content %s is not at hand", b.Digest),
			}
		}
	}
	return f, nil
}

func badTree(err error) error {
	return &job.Error{Code: job.CodeBadManifest, Message: err.Error(), Err: err}
}

// bytes is how much there is of all of it.
func (f *folders) bytes() int64 {
	n := tree.BlobBytes(f.blobs)
	for _, s := range f.sizes {
		n = min(n+s.DocumentBytes, job.MaxSafeInt)
	}
	return n
}

// check refuses a want for what there is not.
func (f *folders) check(w *wire.Want) error {
	var n int64
	first := int64(-1)
	for i, b := range f.blobs {
		if w.Wants(i) {
			if first < 0 {
				first = b.Size
			}
			n += b.Size
		}
	}
	bits := 0
	for i := len(f.blobs); i < 8*len(w.Blobs); i++ {
		if w.Wants(i) {
			bits++
		}
	}
	if bits > 0 || w.Bytes != n-w.From || w.From > 0 && w.From >= first {
		return &wire.BreachError{
			Rule: wire.RuleSize, Detail: fmt.Sprintf("want asks for %d bytes from byte %d, of contents of %d", w.Bytes,
				w.From, n),
		}
	}
	return nil
}

// tell says what of the folders goes to a node, and what doesn't, as it is there.
func (f *folders) tell(w *wire.Want) string {
	lacks := 0
	for i := range f.blobs {
		if w.Wants(i) {
			lacks++
		}
	}
	if lacks == 0 {
		return fmt.Sprintf("has all %d files of the folders: nothing of them is sent", f.files)
	}
	text := fmt.Sprintf("lacks %d of %d contents of files: %s to be sent", lacks, len(f.blobs), job.Roughly(w.Bytes))
	if there := tree.BlobBytes(f.blobs) - w.Bytes; there > 0 {
		text += fmt.Sprintf(", %s there already", job.Roughly(there))
	}
	return text
}

func packError(err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return &job.Error{
		Code: job.CodeIO, Message: fmt.Sprintf("reading the pack of the job's folders: %v", err),
		Err: err,
	}
}

// left is what a job has left in its folders, as one attempt gets it.
type left struct {
	cfg      *Config
	manifest *job.Manifest
	pack     *tree.Pack // what the job began with, or nil

	bytes   int64
	file    File // nil before the first byte
	packer  *tree.Packer
	stream  *tree.StreamReader
	trees   []*tree.Tree // when check has found all well
	failed  *job.Error   // why nothing is kept any more
	damaged error        // what came is no stream: nothing more is looked at
}

func newLeft(cfg *Config, j *Job) *left {
	return &left{cfg: cfg, manifest: j.Manifest, pack: j.Pack}
}

// reset forgets what has come.
func (l *left) reset() {
	l.close()
	l.bytes, l.stream, l.packer, l.trees, l.failed, l.damaged = 0, nil, nil, nil, nil, nil
}

// close lets go of what has come.
func (l *left) close() {
	if l.file != nil {
		_ = l.file.Close() // of no use any more
		l.file = nil
	}
}

// write takes what has come. An error is a *failure: no more of it is any use.
func (l *left) write(p []byte) error {
	l.bytes += int64(len(p))
	if l.over() {
		return nil
	}
	if l.stream == nil {
		file, err := l.cfg.File()
		if err != nil {
			l.failed = asJobError(err)
			return local(l.failed)
		}
		l.file, l.packer = file, tree.NewPacker(file)
		l.stream = tree.NewStreamReader(len(l.manifest.Outputs()), l.manifest.DiskMB<<20, l.packer)
	}
	_, err := l.stream.Write(p)
	if err != nil && !errors.Is(err, tree.ErrStream) {
		l.failed = asJobError(err)
		return local(l.failed)
	}
	l.damaged = err // check says so
	return nil
}

// over reports whether nothing that comes is looked at any more.
func (l *left) over() bool { return l.damaged != nil || l.failed != nil }

// foldersError says that what came is not what the receipt tells of.
type foldersError struct{ what string }

func (e *foldersError) Error() string { return "dirs: " + e.what }

// check compares what has come with what the receipt tells of.
func (l *left) check(dirs []job.OutcomeDir) error {
	switch {
	case l.damaged != nil:
		return &foldersError{l.damaged.Error()}
	case len(dirs) == 0 && l.bytes > 0:
		return &foldersError{"folders have come, and the receipt tells of none"}
	case len(dirs) == 0:
		return nil
	case l.stream == nil:
		return &foldersError{"the receipt tells of folders, and none have come"}
	}
	trees, omitted, err := l.stream.End()
	if err != nil {
		return &foldersError{err.Error()}
	}
	for i, d := range dirs {
		t := trees[i]
		if t.Digest() != d.Tree || t.Files() != d.Files || t.Bytes() != d.Bytes {
			return &foldersError{fmt.Sprintf("the folder %s that came is %s, and the receipt tells of %s",
				job.Quote(d.Guest), t.Digest(), d.Tree)}
		}
	}
	for _, b := range omitted {
		size := int64(-1)
		if l.pack != nil {
			if _, n, ok := l.pack.Find(b.Digest); ok {
				size = n
			}
		}
		if size != b.Size {
			return &foldersError{fmt.Sprintf("a content has not come that the job did not begin with: %s", b.Digest)}
		}
	}
	l.trees = trees
	return nil
}

// parts returns what check has found well.
func (l *left) parts(begun *tree.Pack) []tree.Part {
	contents := func(d job.Digest) (io.Reader, error) {
		if d == job.EmptyDigest {
			return bytes.NewReader(nil), nil
		}
		if r, ok := l.packer.Blob(d); ok {
			return r, nil
		}
		if begun != nil {
			if r, ok := begun.Blob(d); ok {
				return r, nil
			}
		}
		return nil, packError(nil)
	}
	parts := make([]tree.Part, 0, len(l.trees))
	for _, t := range l.trees {
		parts = append(parts, tree.Part{Tree: t, Contents: contents})
	}
	return parts
}
