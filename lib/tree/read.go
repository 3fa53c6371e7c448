package tree

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"plasm/lib/job"
)

// Sink takes the contents of files that are read, such as a Packer.
type Sink interface {
	// Put takes all of r and returns its digest and how many bytes it was.
	Put(r io.Reader) (job.Digest, int64, error)
}

// Builder puts a tree together from files and folders of this machine, as they are now.
// It is for one goroutine.
type Builder struct {
	sink    Sink
	exclude *Exclude
	entries map[string]Entry
	implied map[string]bool // dirs that only hold what was added
}

// NewBuilder returns a builder that hands contents to sink and leaves out what exclude
// says, which may be nil.
func NewBuilder(sink Sink, exclude *Exclude) *Builder {
	return &Builder{sink: sink, exclude: exclude, entries: map[string]Entry{}, implied: map[string]bool{}}
}

// Add reads the file or folder at name, through symbolic links, to the path at in the tree:
// "" is the tree itself, for a folder. Missing parents of at are made. In a folder
// symbolic links are links, and other names of a file (hard links) are copies.
//
// An error is a *job.Error that names what is to blame: what a tree can't hold (a device,
// a FIFO, a socket, a name, a link that leads out), what changed while it was read, and a
// path that another Add has already put there (job.CodeUsage).
func (b *Builder) Add(ctx context.Context, name, at string) error {
	info, err := os.Stat(name)
	if err != nil {
		return readError(name, err)
	}
	if at != "" {
		if err := b.imply(at, name); err != nil {
			return err
		}
	}
	if !info.IsDir() {
		return b.addFile(ctx, name, at)
	}
	root, err := os.OpenRoot(name)
	if err != nil {
		return readError(name, err)
	}
	defer func() { _ = root.Close() }() // it was only read
	if at != "" {
		if err := b.put(name, Entry{Path: at, Type: Dir}); err != nil {
			return err
		}
	}
	r := reader{Builder: b, root: root, name: name, at: at}
	return r.folder(ctx, ".")
}

// imply makes the parents of at.
func (b *Builder) imply(at, name string) error {
	if problem := PathProblem(at); problem != "" {
		return cannotHold(name, "its path in the tree, %s, has %s", job.Quote(at), problem)
	}
	for dir := path.Dir(at); dir != "."; dir = path.Dir(dir) {
		if e, ok := b.entries[dir]; ok && e.Type != Dir {
			return twice(name, dir)
		} else if ok {
			break
		}
		b.entries[dir] = Entry{Path: dir, Type: Dir}
		b.implied[dir] = true
	}
	return nil
}

// put adds an entry for the file or folder name.
func (b *Builder) put(name string, e Entry) error {
	if _, ok := b.entries[e.Path]; ok && (!b.implied[e.Path] || e.Type != Dir) {
		return twice(name, e.Path)
	}
	if len(b.entries) >= MaxEntries && !b.implied[e.Path] {
		return cannotHold(name, "more than %d names", MaxEntries)
	}
	delete(b.implied, e.Path)
	b.entries[e.Path] = e
	return nil
}

// Tree returns the tree of what was added. An error is a *job.Error.
func (b *Builder) Tree() (*Tree, error) {
	t := &Tree{Entries: make([]Entry, 0, len(b.entries))}
	for _, name := range slices.Sorted(maps.Keys(b.entries)) {
		t.Entries = append(t.Entries, b.entries[name])
	}
	if err := t.Validate(); err != nil {
		return nil, &job.Error{Code: job.CodeUsage, Message: err.Error(), Err: err}
	}
	return t, nil
}

// addFile reads a single file, which was named by its user.
func (b *Builder) addFile(ctx context.Context, name, at string) error {
	if at == "" {
		return readError(name, syscall.ENOTDIR)
	}
	real, err := filepath.EvalSymlinks(name)
	if err != nil {
		return readError(name, err)
	}
	root, err := os.OpenRoot(filepath.Dir(real))
	if err != nil {
		return readError(name, err)
	}
	defer func() { _ = root.Close() }() // it was only read
	r := reader{Builder: b, root: root, name: filepath.Dir(real)}
	return r.file(ctx, filepath.Base(real), at)
}

// reader reads one folder.
type reader struct {
	*Builder
	root *os.Root
	name string // of the folder, for messages
	at   string // in the tree
}

// host is what messages call a path from the folder.
func (r *reader) host(from string) string { return filepath.Join(r.name, from) }

// folder reads what is in the folder at a path from the root.
func (r *reader) folder(ctx context.Context, from string) error {
	f, err := r.root.OpenFile(from, os.O_RDONLY|unix.O_DIRECTORY|unix.O_NONBLOCK, 0)
	if err != nil {
		return readError(r.host(from), err)
	}
	defer func() { _ = f.Close() }() // it was only read
	before, err := f.Stat()
	if err != nil {
		return readError(r.host(from), err)
	}
	list, err := f.ReadDir(MaxEntries + 1)
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		return readError(r.host(from), err)
	case len(list) > MaxEntries:
		return cannotHold(r.host(from), "more than %d names", MaxEntries)
	}
	slices.SortFunc(list, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	for _, e := range list {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := r.entry(ctx, path.Join(from, e.Name()), e); err != nil {
			return err
		}
	}
	after, err := f.Stat()
	if err != nil {
		return readError(r.host(from), err)
	}
	if !same(before, after) {
		return changed(r.host(from))
	}
	return nil
}

// entry reads the name e, which is at a path from the root.
func (r *reader) entry(ctx context.Context, from string, e fs.DirEntry) error {
	if r.exclude.Match(from, e.IsDir()) { // first: it is what to do about a name that can't travel
		return nil
	}
	at := path.Join(r.at, from)
	if problem := PathProblem(at); problem != "" {
		return cannotHold(r.host(from), "%s", problem)
	}
	switch e.Type() {
	case fs.ModeDir:
		if err := r.put(r.host(from), Entry{Path: at, Type: Dir}); err != nil {
			return err
		}
		return r.folder(ctx, from)
	case fs.ModeSymlink:
		return r.link(from, at)
	default:
		return r.file(ctx, from, at)
	}
}

func (r *reader) link(from, at string) error {
	target, err := r.root.Readlink(from)
	if err != nil {
		return readError(r.host(from), err)
	}
	if problem := TargetProblem(at, target); problem != "" {
		return cannotHold(r.host(from), "a link to %s: %s", job.Quote(target), problem)
	}
	return r.put(r.host(from), Entry{Path: at, Type: Link, Target: target})
}

// file reads what should be a regular file.
func (r *reader) file(ctx context.Context, from, at string) error {
	host := r.host(from)
	info, err := r.root.Lstat(from) // first, because opening some devices does something
	if err != nil {
		return readError(host, err)
	}
	if !info.Mode().IsRegular() {
		return cannotHold(host, "%s", kind(info.Mode()))
	}
	f, err := r.root.OpenFile(from, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return readError(host, err)
	}
	defer func() { _ = f.Close() }() // it was only read
	before, err := f.Stat()
	if err != nil {
		return readError(host, err)
	}
	if !os.SameFile(info, before) {
		return changed(host)
	}
	digest, size, err := r.sink.Put(&contextReader{ctx: ctx, r: f, name: host})
	if err != nil {
		return err
	}
	after, err := f.Stat()
	if err != nil {
		return readError(host, err)
	}
	if !same(before, after) || size != before.Size() {
		return changed(host)
	}
	return r.put(host, Entry{
		Path: at, Type: File, Size: size, Digest: digest, Executable: before.Mode()&0o100 != 0,
	})
}

// same reports whether a file is what it was: its size and the times of its changes.
func same(a, b fs.FileInfo) bool {
	return os.SameFile(a, b) && a.Size() == b.Size() && a.Mode() == b.Mode() && a.ModTime().Equal(b.ModTime()) &&
		changeTime(a) == changeTime(b)
}

// contextReader reads the file name until ctx ends.
type contextReader struct {
	ctx  context.Context //nolint:containedctx // a reader has no argument for it
	r    io.Reader
	name string
}

func (c *contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := c.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = readError(c.name, err)
	}
	return n, err
}

// kind names what is no file, folder or link.
func kind(mode fs.FileMode) string {
	switch {
	case mode&fs.ModeNamedPipe != 0:
		return "a FIFO"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	case mode&fs.ModeDevice != 0:
		return "a device"
	}
	return "neither file, folder nor link"
}

func cannotHold(name, format string, args ...any) error {
	return &job.Error{
		Code:    job.CodeUsage,
		Message: fmt.Sprintf("cannot travel: %s: %s", shown(name), fmt.Sprintf(format, args...)),
		Fact:    job.FactCannotTravel,
	}
}

func changed(name string) error {
	return &job.Error{
		Code: job.CodeIO, Message: "changed while it was read: " + shown(name),
		Hint: "try again when nothing writes to it",
	}
}

func twice(name, at string) error {
	return &job.Error{
		Code:    job.CodeUsage,
		Message: fmt.Sprintf("%s: %s is there already, from another folder or file", shown(name), shown(at)),
	}
}

// readError says why name can't be read. What is a *job.Error stays as it is.
func readError(name string, err error) error {
	if e, ok := errors.AsType[*job.Error](err); ok {
		return e
	}
	code := job.CodeIO
	if errors.Is(err, fs.ErrNotExist) {
		code = job.CodeNotFound
	}
	return &job.Error{Code: code, Message: fmt.Sprintf("reading %s: %v", shown(name), cause(err)), Err: err}
}

// shown is a name as messages show it: quoted where it isn't plain.
func shown(name string) string {
	q := strconv.Quote(name)
	if q[1:len(q)-1] != name {
		return q
	}
	return name
}
