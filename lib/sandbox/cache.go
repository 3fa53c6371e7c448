package sandbox

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/cpu"
	"golang.org/x/sys/unix"

	"plasm/lib/job"
	"plasm/lib/sandbox/wire"
)

// cache keeps compiled modules on disk, so that a module is compiled once.
//
// An entry is a folder named by its key, and serves one module, engine, version,
// set of features and kind of processor:
//
//	KEY/sum               SHA-256 of the file below, in hexadecimal
//	KEY/code/SUB/FILE     what the engine's compiler left, read-only
//	tmp/                  staging folders, each locked by who uses it
//
// A compiling worker writes into a staging folder. The supervisor copies exactly
// one regular file out of it, so that nothing a worker still holds open can
// change an entry, and renames the finished entry into place: there is never half
// an entry. An entry is read only after its digest has been checked.
type cache struct {
	dir    string
	limit  int64 // bytes
	engine EngineInfo
}

const (
	tmpDir  = "tmp"
	codeDir = "code"
	sumFile = "sum"

	// maxEntry is the longest file that is taken from a compiling worker, in
	// bytes.
	maxEntry = 512 << 20
)

// source says where a worker is to take the compiled module from.
type source struct {
	dir     string        // "" where the worker compiles for itself
	hit     bool          // it was there already
	compile time.Duration // what compiling took
}

func openCache(dir string, limit int64, e EngineInfo) (*cache, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	c := &cache{dir: dir, limit: limit, engine: e}
	if err := os.MkdirAll(filepath.Join(dir, tmpDir), 0o700); err != nil {
		return nil, err
	}
	return c, c.sweep()
}

// key names the entry for a module. Each part is preceded by its length, so that
// no two lists of parts give the same bytes.
func (c *cache) key(module job.Digest) string {
	h := sha256.New()
	parts := append([]string{
		"plasm-cache/1", string(module), c.engine.Name, c.engine.Version, runtime.GOOS, runtime.GOARCH,
		fmt.Sprint(cpu.X86), fmt.Sprint(cpu.ARM64),
	}, c.engine.Features...)
	for _, part := range parts {
		_, _ = fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// compiled finds or makes the compiled module of a job. Whatever is wrong with
// the cache, the worker can still compile for itself.
func (s *Supervisor) compiled(ctx context.Context, j *Job) (source, error) {
	if s.cache == nil {
		return source{}, nil
	}
	key := s.cache.key(j.Manifest.ModuleHash)
	if dir, ok := s.cache.get(key); ok {
		return source{dir: dir, hit: true}, nil
	}
	src, err := s.compile(ctx, j, key)
	if err == nil {
		return src, nil
	}
	if e, ok := errors.AsType[*job.Error](err); ok && e.Code != job.CodeIO { // which could only be the staging folder's
		return source{}, err
	}
	s.cfg.Log.Log(ctx, s.cfg.CacheLevel, "compiled module not kept", "dir", s.cache.dir, "error", err)
	return source{}, nil
}

// compile compiles a job's module into a new entry. Errors that are not a
// *job.Error are the cache's.
func (s *Supervisor) compile(ctx context.Context, j *Job, key string) (source, error) {
	staging, unlock, err := s.cache.stage()
	if err != nil {
		return source{}, err
	}
	defer unlock()
	p, err := s.worker()
	if err != nil {
		return source{}, err
	}
	r := newRun(s, j, p)
	defer p.end()
	defer context.AfterFunc(ctx, func() { r.stop(job.Cancelled, context.Cause(ctx)) })()
	s.Warm() // the worker that will run the module can start meanwhile
	work := filepath.Join(staging, "work")
	if err := os.Mkdir(work, 0o700); err != nil {
		return source{}, err
	}
	if err := r.load(wire.Compile, work, ""); err != nil {
		return source{}, r.reason(ctx, err)
	}
	p.linger()
	dir, err := s.cache.install(staging, work, key)
	return source{dir: dir, compile: r.compile}, err
}

// get returns the folder to load key from, if there is a sound entry; a damaged
// one is removed.
func (c *cache) get(key string) (string, bool) {
	entry := filepath.Join(c.dir, key)
	want, err := os.ReadFile(filepath.Join(entry, sumFile))
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Lstat(entry); errors.Is(err, fs.ErrNotExist) {
			return "", false
		}
	}
	code := filepath.Join(entry, codeDir)
	var got string
	if err == nil {
		got, err = digestEntry(code)
	}
	if err != nil || got != string(want) {
		c.remove(key)
		return "", false
	}
	now := time.Now()
	_ = os.Chtimes(entry, now, now) // the least recently used goes first: see evict
	return code, true
}

// digestEntry returns the SHA-256 of the one file below dir.
func digestEntry(dir string) (string, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return "", err
	}
	defer func() { _ = root.Close() }()
	name, _, err := onlyFile(root)
	if err != nil {
		return "", err
	}
	f, err := root.Open(name)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// isPlain reports whether a name from a compiling worker is one that may be used
// as it is: letters, digits, and - _ . within.
func isPlain(name string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	return name != "" && len(name) <= 128 && name[0] != '.' && strings.Trim(name, letters+"._-") == ""
}

// onlyFile returns the name of the one regular file in the one sub-folder that
// an engine's compiler leaves; anything else beside it is an error.
func onlyFile(root *os.Root) (name string, size int64, err error) {
	dir := root.FS()
	var found []string
	for name := "."; len(found) < 2; name = strings.Join(found, "/") {
		entries, err := fs.ReadDir(dir, name)
		if err != nil {
			return "", 0, err
		}
		if len(entries) != 1 || !isPlain(entries[0].Name()) || entries[0].IsDir() != (len(found) == 0) {
			return "", 0, fmt.Errorf("the folder %q of a compiled module holds something else", name)
		}
		found = append(found, entries[0].Name())
	}
	name = strings.Join(found, "/")
	info, err := root.Lstat(name)
	switch {
	case err != nil:
		return "", 0, err
	case !info.Mode().IsRegular():
		return "", 0, fmt.Errorf("%s: not a regular file", name)
	case info.Size() > maxEntry:
		return "", 0, fmt.Errorf("%s: %d bytes is more than %d", name, info.Size(), int64(maxEntry))
	}
	return name, info.Size(), nil
}

// stage makes a staging folder and locks it. unlock removes it.
func (c *cache) stage() (dir string, unlock func(), err error) {
	tmp, err := lock(filepath.Join(c.dir, tmpDir), unix.LOCK_EX) // so that no sweep comes between the two steps
	if err != nil {
		return "", nil, err
	}
	defer func() { _ = tmp.Close() }()
	if dir, err = os.MkdirTemp(tmp.Name(), ""); err != nil {
		return "", nil, err
	}
	held, err := lock(dir, unix.LOCK_EX)
	if err != nil {
		return "", nil, err
	}
	return dir, func() {
		_ = os.RemoveAll(dir)
		_ = held.Close()
	}, nil
}

// lock opens a folder and locks it as long as the result is open.
func lock(dir string, how int) (*os.File, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	for {
		err = unix.Flock(int(f.Fd()), how)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err != nil {
		_ = f.Close()
		return nil, &fs.PathError{Op: "lock", Path: dir, Err: err}
	}
	return f, nil
}

// sweep removes the staging folders of supervisors that are gone.
func (c *cache) sweep() error {
	tmp, err := lock(filepath.Join(c.dir, tmpDir), unix.LOCK_EX)
	if err != nil {
		return err
	}
	defer func() { _ = tmp.Close() }()
	names, err := tmp.Readdirnames(-1)
	if err != nil {
		return err
	}
	for _, name := range names {
		dir := filepath.Join(tmp.Name(), name)
		held, err := lock(dir, unix.LOCK_EX|unix.LOCK_NB)
		if err != nil {
			continue // in use
		}
		_ = os.RemoveAll(dir)
		_ = held.Close()
	}
	return nil
}

// install makes an entry of what a compiling worker, now dead, has left in work,
// and returns the folder to load it from.
func (c *cache) install(staging, work, key string) (string, error) {
	entry := filepath.Join(staging, "entry")
	sum, err := copyEntry(work, filepath.Join(entry, codeDir))
	if err != nil {
		return "", err
	}
	if err := writeSync(filepath.Join(entry, sumFile), strings.NewReader(sum)); err != nil {
		return "", err
	}
	final := filepath.Join(c.dir, key)
	err = os.Rename(entry, final)
	if errors.Is(err, fs.ErrExist) || errors.Is(err, syscall.ENOTEMPTY) {
		if _, ok := c.get(key); ok { // somebody else was as fast
			err = nil
		} else {
			err = os.Rename(entry, final)
		}
	}
	if err != nil {
		return "", err
	}
	c.evict(key)
	return filepath.Join(final, codeDir), nil
}

// copyEntry copies the one file below from to the same place below to and
// returns its SHA-256 in hexadecimal.
func copyEntry(from, to string) (string, error) {
	root, err := os.OpenRoot(from)
	if err != nil {
		return "", err
	}
	defer func() { _ = root.Close() }()
	name, size, err := onlyFile(root)
	if err != nil {
		return "", err
	}
	in, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return "", err
	}
	defer func() { _ = in.Close() }()
	target := filepath.Join(to, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
		return "", err
	}
	h := sha256.New()
	if err := writeSync(target, io.TeeReader(io.LimitReader(in, size), h)); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// writeSync writes a new read-only file and waits until it is on disk.
func writeSync(name string, r io.Reader) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o400)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	return errors.Join(err, f.Sync(), f.Close())
}

// remove removes an entry: out of the way in one step, then file by file.
func (c *cache) remove(key string) {
	gone, unlock, err := c.stage()
	if err != nil {
		return
	}
	defer unlock()
	_ = os.Rename(filepath.Join(c.dir, key), filepath.Join(gone, "gone"))
}

// evict removes the least recently used entries until the rest fit, but not
// keep. A worker that was about to read one of them compiles for itself.
func (c *cache) evict(keep string) {
	type entry struct {
		key  string
		size int64
		used time.Time
	}
	var all []entry
	var total int64
	names, _ := os.ReadDir(c.dir) // what cannot be listed cannot be removed either
	for _, n := range names {
		info, err := n.Info()
		if err != nil || n.Name() == tmpDir {
			continue
		}
		size := sizeOf(filepath.Join(c.dir, n.Name()))
		total += size
		if n.Name() != keep {
			all = append(all, entry{n.Name(), size, info.ModTime()})
		}
	}
	slices.SortFunc(all, func(a, b entry) int { return a.used.Compare(b.used) })
	for _, e := range all {
		if total <= c.limit {
			return
		}
		c.remove(e.key)
		total -= e.size
	}
}

func sizeOf(dir string) int64 {
	var total int64
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			if info, err := d.Info(); err == nil {
				total += info.Size()
			}
		}
		return nil
	})
	return total
}
