package sandbox

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/cpu"

	"plasm/lib/job"
	"plasm/lib/sandbox/wire"
)

// cache keeps compiled modules on disk, so that a module is compiled once.
//
// An entry is a folder named by its key, and serves one module, engine, version,
// set of features and kind of processor:
//
//	KEY/sum               SHA-256 of KEY and the file below, in hexadecimal
//	KEY/code/SUB/FILE     what the engine's compiler left, read-only
//	staging/plasm-NUMBER  staging folders, each locked by who uses it
//
// A compiling worker writes into a staging folder. The supervisor copies exactly
// one regular file out of it, so that nothing a worker still holds open can
// change an entry, and renames the finished entry into place: there is never half
// an entry. An entry is read only after its digest has been checked.
//
// The folder may hold other things, if a user names such a one: they are neither
// counted nor removed.
type cache struct {
	dir    string
	limit  int64 // bytes
	engine EngineInfo
}

// source says where a worker is to take the compiled module from.
type source struct {
	dir     string        // "" where the worker compiles for itself
	hit     bool          // it was there already
	compile time.Duration // what compiling took
}

func openCache(dir string, limit int64, e EngineInfo) (*cache, error) {
	dir, err := ownFolder(dir)
	if err != nil {
		return nil, err
	}
	if _, err := ownFolder(filepath.Join(dir, stagingDir)); err != nil {
		return nil, err
	}
	c := &cache{dir: dir, limit: limit, engine: e}
	if err := c.sweep(); err != nil {
		return nil, err
	}
	return c, nil
}

// key names the entry for a module as the manifest wants it prepared. Each part is preceded by its length, so that
// no two lists of parts give the same bytes. The number in the first part changes with the static limits, which an
// entry's module is known to keep, and with what preparation makes of a module.
func (c *cache) key(m *job.Manifest) string {
	h := sha256.New()
	parts := append([]string{
		"plasm-cache/2", string(m.ModuleHash), fmt.Sprint(m.Fuel > 0, m.CanonicalNaN), c.engine.Name, c.engine.Version, runtime.GOOS, runtime.GOARCH,
		fmt.Sprint(cpu.X86), fmt.Sprint(cpu.ARM64),
	}, c.engine.Features...)
	for _, part := range parts {
		_, _ = fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// isKey reports whether name is one that key returns.
func isKey(name string) bool {
	return len(name) == 2*sha256.Size && strings.Trim(name, "0123456789abcdef") == ""
}

// compiled finds or makes the compiled module of a job, and returns the job with the
// module as the engine's worker is to get it. Whatever is wrong with the cache, that
// worker can still compile for itself. An entry proves that its module is within the
// static limits: what they refuse is never compiled.
func (s *Supervisor) compiled(ctx context.Context, j *Job) (*Job, source, error) {
	var key string
	var found source
	if s.cache != nil {
		key = s.cache.key(j.Manifest)
		found.dir, found.hit = s.cache.get(key)
	}
	if found.hit && !rewritten(j.Manifest) {
		return j, found, nil
	}
	j, took, err := s.prepared(ctx, j)
	if err != nil || found.hit {
		return j, found, err
	}
	alone := source{compile: took}
	if s.cache == nil {
		return j, alone, nil
	}
	made, err := s.compile(ctx, j, key)
	if err == nil {
		made.compile += took
		return j, made, nil
	}
	if e, ok := errors.AsType[*job.Error](err); ok && e.Code != job.CodeIO { // which could only be the staging folder's
		return nil, source{}, err
	}
	s.cfg.Log.Log(ctx, s.cfg.CacheLevel, "compiled module not kept", "dir", s.cache.dir, "error", err)
	return j, alone, nil
}

// compile compiles a job's module into a new entry. Errors that are not a
// *job.Error are the cache's.
func (s *Supervisor) compile(ctx context.Context, j *Job, key string) (source, error) {
	staging, unlock, err := s.cache.stage()
	if err != nil {
		return source{}, err
	}
	defer unlock()
	work := filepath.Join(staging, "work")
	if err := os.Mkdir(work, 0o700); err != nil {
		return source{}, err
	}
	var took time.Duration
	err = s.withWorker(s.worker, func(p *process) error {
		took, err = s.compileIn(ctx, j, work, p)
		return err
	})
	if err != nil {
		return source{}, err
	}
	dir, err := s.cache.install(staging, work, key)
	return source{dir: dir, compile: took}, err
}

// compileIn has a worker compile a job's module into a folder, and returns how long
// that took.
func (s *Supervisor) compileIn(ctx context.Context, j *Job, work string, p *process) (time.Duration, error) {
	r := newRun(s, j, p)
	defer p.end()
	defer context.AfterFunc(ctx, func() { r.stop(job.Cancelled, context.Cause(ctx)) })()
	s.Warm() // the worker that will run the module can start meanwhile
	limit := r.limit()
	defer limit.Stop()
	if err := r.load(wire.Compile, work, ""); err != nil {
		return 0, r.reason(err)
	}
	p.linger()
	return r.compile, nil
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
		if err != nil || !isKey(n.Name()) {
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
