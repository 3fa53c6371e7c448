package tree

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"plasm/lib/job"
)

// Contents returns the content with a digest, from its beginning. An error is a *job.Error.
type Contents func(job.Digest) (io.Reader, error)

// Target is a folder of this machine that is to be made of a tree, whole or not at all.
type Target struct {
	name    string // as its user wrote it, for messages
	path    string // where it leads
	replace bool
}

// NewTarget looks at what is at name: nothing, or an empty folder, or, with replace, any
// folder. Its parent must be there, and one that may be written to. An error is a
// *job.Error, with job.CodeUsage where name is what is wrong.
func NewTarget(name string, replace bool) (*Target, error) {
	t := &Target{name: name, replace: replace}
	full, err := filepath.Abs(name)
	if err != nil {
		return nil, t.fail(err)
	}
	if _, err := os.Lstat(full); err == nil {
		t.path, err = filepath.EvalSymlinks(full)
		if err != nil {
			return nil, t.refuse("%s: %v", shown(name), cause(err))
		}
		if err := t.look(); err != nil {
			return nil, err
		}
		return t, nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, t.refuse("%s: %v", shown(name), cause(err))
	}
	parent, err := filepath.EvalSymlinks(filepath.Dir(full))
	if err != nil {
		return nil, t.refuse("%s: the folder it is to be in: %v", shown(name), cause(err))
	}
	t.path = filepath.Join(parent, filepath.Base(full))
	if err := unix.Access(parent, unix.W_OK|unix.X_OK); err != nil {
		return nil, t.fail(err)
	}
	return t, nil
}

// Path is where the folder will be: absolute, and without symbolic links.
func (t *Target) Path() string { return t.path }

// look refuses what is there and must not be replaced.
func (t *Target) look() error {
	f, err := os.Open(t.path)
	if err != nil {
		return t.fail(err)
	}
	defer func() { _ = f.Close() }() // it was only read
	info, err := f.Stat()
	switch {
	case err != nil:
		return t.fail(err)
	case !info.IsDir():
		return t.refuse("%s is there, and no folder", shown(t.name))
	case t.replace:
		return nil
	}
	if _, err := f.Readdirnames(1); err == nil {
		e := t.refuse("%s is there, and not empty", shown(t.name))
		e.Fact = job.FactNotEmpty
		return e
	} else if !errors.Is(err, io.EOF) {
		return t.fail(err)
	}
	return nil
}

// Write makes the folder: first beside its place under another name, and there when all of
// it is on the disk. tree is valid; what contents gives is compared with the digests. Modes
// are the umask's, and that of a folder whose place it takes. When Write fails nothing of
// the folder is left, except that the hint of the error names it where it is whole and only
// its place could not be had. An error is a *job.Error, that of ctx, or of contents.
func (t *Target) Write(ctx context.Context, tree *Tree, contents Contents) error {
	temp := filepath.Join(filepath.Dir(t.path), ".plasm-"+job.NewID())
	if err := os.Mkdir(temp, 0o777); err != nil { //nolint:gosec // the umask says who may read a user's files
		return t.fail(err)
	}
	if err := t.fill(ctx, temp, tree, contents); err != nil {
		_ = os.RemoveAll(temp) // the other error is the one to tell
		return err
	}
	old := false
	if info, err := os.Lstat(t.path); err == nil && info.IsDir() {
		old = true
		err = os.Chmod(temp, info.Mode().Perm())
		if err != nil {
			_ = os.RemoveAll(temp) // as above
			return t.fail(err)
		}
	}
	if err := t.place(temp, old); err != nil {
		e := t.fail(err)
		e.Hint = "what was to be there is in " + shown(temp)
		return e
	}
	return syncFolder(filepath.Dir(t.path), t)
}

// place gives the whole folder its name.
func (t *Target) place(temp string, old bool) error {
	err := replaceEmpty(temp, t.path)
	if err == nil || !old || !t.replace || !errors.Is(err, syscall.ENOTEMPTY) && !errors.Is(err, syscall.EEXIST) {
		return err
	}
	if err := exchange(temp, t.path); err != nil {
		return err
	}
	return os.RemoveAll(temp) // what was there before
}

// fill writes the tree below the folder temp.
func (t *Target) fill(ctx context.Context, temp string, tree *Tree, contents Contents) error {
	// Nothing below a Root leads out of it, whatever a tree says and whoever else writes there.
	root, err := os.OpenRoot(temp)
	if err != nil {
		return t.fail(err)
	}
	defer func() { _ = root.Close() }() // what was written is synced
	w := writer{target: t, root: root, contents: contents, each: len(tree.Entries) <= fewFiles}
	for i := range tree.Entries {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := w.entry(ctx, &tree.Entries[i]); err != nil {
			return err
		}
	}
	return w.sync(tree)
}

// fewFiles is up to how many names are synced one by one.
const fewFiles = 256

type writer struct {
	target   *Target
	root     *os.Root
	contents Contents
	each     bool // each file is synced by itself
}

// fail says that the name at a path of the tree could not be made.
func (w *writer) fail(at string, err error) error {
	if errors.Is(err, fs.ErrExist) {
		err = errClash
	}
	name := shown(filepath.Join(w.target.name, at))
	return &job.Error{Code: job.CodeIO, Message: fmt.Sprintf("writing %s: %v", name, cause(err)), Err: err}
}

// errClash is why a name can't be made in a folder that was empty.
var errClash = errors.New("this file system does not tell it from another name")

func (w *writer) entry(ctx context.Context, e *Entry) error {
	var err error
	switch e.Type {
	case Dir:
		err = w.root.Mkdir(e.Path, 0o777)
	case Link:
		err = w.root.Symlink(e.Target, e.Path)
	case File:
		return w.file(ctx, e)
	}
	if err != nil {
		return w.fail(e.Path, err)
	}
	return nil
}

func (w *writer) file(ctx context.Context, e *Entry) error {
	content, err := w.contents(e.Digest)
	if err != nil {
		return err
	}
	mode := fs.FileMode(0o666)
	if e.Executable {
		mode = 0o777
	}
	f, err := w.root.OpenFile(e.Path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return w.fail(e.Path, err)
	}
	sum := sha256.New()
	from := io.LimitReader(&contextReader{ctx: ctx, r: content, name: e.Path}, e.Size+1)
	n, err := io.CopyBuffer(struct{ io.Writer }{io.MultiWriter(f, sum)}, from, make([]byte, min(256<<10, e.Size+1)))
	if err == nil && w.each {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return w.fail(e.Path, err)
	}
	if got := job.DigestOf(sum.Sum(nil)); n != e.Size || got != e.Digest {
		return w.fail(e.Path, fmt.Errorf("its content is damaged: %s, not %s", got, e.Digest))
	}
	return nil
}

// sync waits until everything is on the disk.
func (w *writer) sync(t *Tree) error {
	if !w.each {
		done, err := syncAll(w.root)
		if err != nil {
			return w.target.fail(err)
		}
		if done {
			return nil
		}
	}
	for i := range t.Entries {
		if e := &t.Entries[i]; e.Type == Dir || e.Type == File && !w.each {
			if err := w.syncOne(e.Path); err != nil {
				return err
			}
		}
	}
	return w.syncOne(".")
}

func (w *writer) syncOne(name string) error {
	f, err := w.root.Open(name)
	if err != nil {
		return w.fail(name, err)
	}
	defer func() { _ = f.Close() }() // it was only synced
	if err := f.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) {
		return w.fail(name, err)
	}
	return nil
}

// syncFolder makes a new name durable.
func syncFolder(dir string, t *Target) error {
	f, err := os.Open(dir)
	if errors.Is(err, fs.ErrPermission) { // one that may be written and not read
		return nil
	}
	if err != nil {
		return t.fail(err)
	}
	defer func() { _ = f.Close() }() // it was only synced
	if err := f.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) {
		return t.fail(err)
	}
	return nil
}

func (t *Target) fail(err error) *job.Error {
	return &job.Error{Code: job.CodeIO, Message: fmt.Sprintf("writing %s: %v", shown(t.name), cause(err)), Err: err}
}

func (t *Target) refuse(format string, args ...any) *job.Error {
	return &job.Error{Code: job.CodeUsage, Message: fmt.Sprintf(format, args...)}
}

// cause is err without the operation and the names that package os wraps around it.
func cause(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	if e, ok := errors.AsType[*os.LinkError](err); ok {
		return e.Err
	}
	return err
}

// Nested reports whether one of two absolute paths is the other, or in it.
func Nested(a, b string) bool {
	inside := func(a, b string) bool { return a == b || strings.HasPrefix(a, strings.TrimSuffix(b, "/")+"/") }
	a, b = path.Clean(a), path.Clean(b)
	return inside(a, b) || inside(b, a)
}
