package sandbox

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
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
// An entry is a folder named by its key, and serves one requester, module, engine,
// version, set of features and kind of processor:
//
//	KEY/sum               SHA-256 of KEY and the file below, in hexadecimal
//	KEY/code              what the engine's compiler left, read-only
//	staging/plasm-NUMBER  entries that are being made or removed, each locked by who does
//
// No worker has a path into the folder. A compiling worker writes to a file without a
// name; the supervisor copies it into a new entry and renames that into place: there is
// never half an entry. A worker that runs is handed an entry's file by descriptor, once
// its digest has been checked.
//
// The folder may hold other things, if a user names such a one: they are neither
// counted nor removed.
type cache struct {
	dir    string
	limit  int64 // bytes
	engine EngineInfo
}

// source is the machine code of a job's module.
type source struct {
	code    *os.File      // at its beginning
	hit     bool          // it was in the cache
	compile time.Duration // what making it took
}

func (s source) close() {
	if s.code != nil {
		_ = s.code.Close()
	}
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

// key names the entry for a job's module as the manifest wants it prepared. The requester
// is part of it, so that none can tell by the time or the outcome what another has had
// compiled. Each part is preceded by its length, so that no two lists of parts give the
// same bytes. The number in the first part changes with the static limits, which an
// entry's module is known to keep, with what preparation makes of a module, and with
// what is mended in an engine's compiler.
func (c *cache) key(j *Job) string {
	h := sha256.New()
	m := j.Manifest
	parts := append([]string{
		"plasm-cache/7", j.Requester, string(m.ModuleHash), fmt.Sprint(m.Fuel > 0, m.CanonicalNaN), c.engine.Name,
		c.engine.Version, runtime.GOOS, runtime.GOARCH,
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

// compiled finds or makes the machine code of a job's module, and returns the job with
// the module as the engine's worker is to get it. It is always made by a compiling
// worker, whatever is wrong with the cache. anew says that what the cache has is of no
// use. An entry proves that its module is within the static limits: what they refuse
// is never compiled.
func (s *Supervisor) compiled(ctx context.Context, j *Job, anew bool) (_ *Job, found source, err error) {
	var key string
	c := s.keeping()
	if c != nil {
		key = c.key(j)
		if anew {
			c.remove(key)
		} else {
			found.code, found.hit = c.get(key)
		}
	}
	if found.hit && !rewritten(j.Manifest) {
		return j, found, nil
	}
	prepared, took, err := s.prepared(ctx, j)
	if err != nil || found.hit {
		if err != nil {
			found.close()
		}
		return prepared, found, err
	}
	code, compile, err := s.compile(ctx, prepared, key)
	return prepared, source{code: code, compile: took + compile}, err
}

// keeping returns the cache, nil where there is none that can be believed: without
// Landlock any worker could have written to it.
func (s *Supervisor) keeping() *cache {
	if s.noLandlock.Load() {
		return nil
	}
	return s.cache
}

// compile has a worker compile a job's module, and keeps the result under key where
// that can be done. It returns the machine code and how long compiling took.
func (s *Supervisor) compile(ctx context.Context, j *Job, key string) (code *os.File, took time.Duration, err error) {
	var sealed bool
	err = s.withWorker(s.worker, func(p *process) error {
		room, err := newScratch()
		if err != nil {
			p.end()
			return noRoom(err)
		}
		took, err = s.compileIn(ctx, j, room, p)
		if err != nil {
			err = room.full(err)
			room.close()
			return err
		}
		code, sealed, err = room.finish()
		return err
	})
	c := s.keeping()
	if err != nil || c == nil || !sealed {
		return code, took, err
	}
	kept, err := c.install(key, code)
	if err != nil {
		s.cfg.Log.Log(ctx, s.cfg.CacheLevel, "compiled module not kept", "dir", c.dir, "error", err)
		return code, took, nil
	}
	_ = code.Close()
	return kept, took, nil
}

// compileIn has a worker compile a job's module into a file, and returns how long that
// took.
func (s *Supervisor) compileIn(ctx context.Context, j *Job, room *scratch, p *process) (time.Duration, error) {
	r := newRun(s, j, p)
	defer p.end()
	defer context.AfterFunc(ctx, func() { r.stop(job.Cancelled, context.Cause(ctx)) })()
	s.Warm() // the worker that will run the module can start meanwhile
	limit := r.limit()
	defer limit.Stop()
	if err := r.load(wire.Compile, room.write); err != nil {
		return 0, r.reason(err)
	}
	p.linger()
	return r.compile, nil
}

// evict removes the least recently used entries until the rest fit, but not
// keep. A worker that was handed the file of one of them goes on with it.
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
