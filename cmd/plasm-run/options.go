package main

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"unicode/utf8"

	"plasm/lib/cli"
	"plasm/lib/cli/bulk"
	"plasm/lib/cli/reuse"
	"plasm/lib/engine"
	"plasm/lib/engine/wazero"
	"plasm/lib/job"
	"plasm/lib/sandbox"
)

// options are the command's flags.
type options struct {
	flags  *cli.Flags
	job    *cli.JobFlags
	travel *cli.FolderFlags
	bulk   *bulk.Flags

	dirs          []string
	engine        string
	engines       string
	cacheDir      string
	noCache       bool
	requireGuards string
	getenv        func(string) string

	shelf *reuse.Shelf // of --results; nil: none
	spare int          // workers that are kept ready for jobs to come
}

func newOptions(in *cli.Invocation) *options {
	f := cli.NewFlags(doc(), in.Getenv)
	o := &options{flags: f, engine: autoEngine, requireGuards: "none", getenv: in.Getenv}
	o.job = cli.AddJobFlags(f, "the key that signs")
	o.travel = cli.AddFolderFlags(f, o.job)
	o.bulk = bulk.Add(f, o.job, o.travel, "the processor's cores")
	f.List(&o.dirs, cli.Flag{
		Name: "dir", Category: cli.TheJob, Value: "HOST::GUEST[:ro]", Usage: "let the program use a folder",
		More: "HOST may have any name, GUEST is an absolute path without `..`; at most 16. They take the place " +
			"of the manifest's `dirs`.",
		Complete: cli.Completion{Folders: true},
	})
	f.Text(&o.engine, cli.Flag{
		Name: "engine", Category: cli.ThisMachine, Value: "NAME|auto",
		Usage:    "what executes the module: wasmtime, wazero, or (auto) the first of them that is here",
		More:     "`auto` leaves out wasmtime on arm64.",
		Complete: cli.Completion{Words: []string{autoEngine, "wasmtime", builtInEngine}},
	})
	f.Path(&o.engines, cli.Flag{
		Name: "engines", Category: cli.ThisMachine, Value: "DIR", Variables: []string{"PLASM_ENGINES"},
		Usage: "where engines are, beside this command's own folder", Complete: cli.Completion{Folders: true},
	})
	f.Path(&o.cacheDir, cli.Flag{
		Name: "cache-dir", Category: cli.ThisMachine, Value: "DIR", Variables: []string{"PLASM_CACHE_DIR"},
		Default: "$XDG_CACHE_HOME/plasm/modules", Usage: "compiled modules", Complete: cli.Completion{Folders: true},
	})
	f.Switch(&o.noCache, cli.Flag{
		Name: "no-cache", Category: cli.ThisMachine, Usage: "compile the module anew",
		More: "Compiled modules are neither used nor kept.",
	})
	f.Text(&o.requireGuards, cli.Flag{
		Name: "require-guards", Category: cli.ThisMachine, Value: "LIST",
		Usage: "what must confine the program, else it does not run: " + cli.GuardNames(),
		More: "Separated by commas or spaces, or `none`. When one is not active the job does not start, code " +
			"`guards`.",
		Complete: cli.GuardCompletion(),
	})
	return o
}

// identity prints the peer ID of the user's key.
func (o *options) identity(in *cli.Invocation) error {
	if args := o.flags.Args(); len(args) > 0 {
		return cli.Usage(name, "--identity takes no MODULE: %s", args[0])
	}
	key, err := o.job.LoadKey(in)
	if err != nil {
		return err
	}
	return in.Print([]byte(key.PeerID() + "\n"))
}

// check refuses flags that make no sense, and reads those that are plasm-run's
// own.
func (o *options) check() (guards []string, dirs []engine.Dir, err error) {
	if err := o.job.Check(o.flags.Args()); err != nil {
		return nil, nil, err
	}
	checkFolders := o.travel.Check
	if o.bulk.Given() {
		checkFolders = o.travel.CheckForm
	}
	if err := checkFolders(); err != nil {
		return nil, nil, err
	}
	if err := o.bulk.Check(o.flags.Args()); err != nil {
		return nil, nil, err
	}
	if guards, err = o.flags.Guards(o.requireGuards); err != nil {
		return nil, nil, err
	}
	dirs, err = parseDirs(o.dirs)
	return guards, dirs, err
}

func unsupported(format string, args ...any) error {
	return &job.Error{Code: job.CodeUnsupported, Message: fmt.Sprintf(format, args...)}
}

// possible refuses a manifest that asks for what this build cannot do.
func (o *options) possible(m *job.Manifest, dirs []engine.Dir) error {
	if m.Arch != "" && m.Arch != runtime.GOARCH {
		return unsupported("arch: the manifest asks for %q, and this machine is %q", m.Arch, runtime.GOARCH)
	}
	for _, d := range m.Dirs {
		if !d.Travels() && len(dirs) == 0 { // with any --dir they would be the manifest's
			return cli.Usage(name, "dirs: the manifest wants a folder as %s, and no --dir HOST::GUEST[:ro] gives one",
				d.Guest)
		}
	}
	return nil
}

// parseDirs reads --dir HOST::GUEST[:ro].
func parseDirs(values []string) ([]engine.Dir, error) {
	var dirs []engine.Dir
	for _, v := range values {
		dir, err := parseDir(v)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(dirs, func(d engine.Dir) bool { return d.Guest == dir.Guest }) {
			return nil, cli.Usage(name, "--dir: %q: the program has %s already", v, dir.Guest)
		}
		dirs = append(dirs, dir)
	}
	if len(dirs) > job.MaxDirs {
		return nil, cli.Usage(name, "--dir: %d folders are more than %d", len(dirs), job.MaxDirs)
	}
	return dirs, nil
}

func parseDir(v string) (engine.Dir, error) {
	host, guest, ok := cutDir(v)
	guest, readOnly := strings.CutSuffix(guest, ":ro")
	// what others call it; a folder can be written without
	if !ok || host == "" || guest == "" || strings.HasSuffix(guest, ":rw") {
		return engine.Dir{}, cli.Usage(name, "--dir: %q is not HOST::GUEST or HOST::GUEST:ro", v)
	}
	if !strings.HasPrefix(guest, "/") || !utf8.ValidString(guest) || slices.Contains(strings.Split(guest, "/"), "..") {
		return engine.Dir{}, cli.Usage(name, "--dir: %q: %q is not an absolute path in UTF-8, or has .. in it", v,
			guest)
	}
	info, err := os.Stat(host)
	var abs string
	if err == nil {
		abs, err = realPath(host)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return engine.Dir{}, &job.Error{
			Code: job.CodeNotFound, Message: fmt.Sprintf("--dir: no such folder: %s", host),
			Err: err,
		}
	case err != nil:
		return engine.Dir{}, &job.Error{Code: job.CodeIO, Message: fmt.Sprintf("--dir: %v", err), Err: err}
	case !info.IsDir():
		return engine.Dir{}, cli.Usage(name, "--dir: not a folder: %s", host)
	}
	return engine.Dir{Host: abs, Dir: job.Dir{Guest: path.Clean(guest), ReadOnly: readOnly}}, nil
}

// cutDir cuts HOST::GUEST where GUEST begins with a slash, as HOST may have "::" in it.
func cutDir(v string) (host, guest string, ok bool) {
	if i := strings.Index(v, "::/"); i >= 0 {
		return v[:i], v[i+2:], true
	}
	return strings.Cut(v, "::")
}

// realPath returns the absolute path without links: what is behind a link and ".." is
// for the file system to say.
func realPath(name string) (string, error) {
	real, err := filepath.EvalSymlinks(name)
	if err != nil {
		return "", err
	}
	return filepath.Abs(real)
}

func guestDirs(dirs []engine.Dir) []job.Dir {
	list := make([]job.Dir, 0, len(dirs))
	for _, d := range dirs {
		list = append(list, d.Dir)
	}
	return list
}

// config returns the supervisor's configuration.
func (o *options) config(b *sandbox.Backend, log *slog.Logger) sandbox.Config {
	level := slog.LevelInfo // a default that cannot be used is only slower
	if o.cacheDir != "" {
		level = slog.LevelWarn // what was asked for is not there
	}
	var preparer []string
	if b.Engine.Name != builtInEngine {
		preparer = []string{self(), workerFlag}
	}
	return sandbox.Config{
		Worker: b.Worker, Engine: b.Engine, Version: b.Version, Preparer: preparer,
		CacheDir: o.cache(), CacheLevel: level,
		Spare: o.spare, Log: log,
	}
}

// engineOfWorkers is the engine that is built in.
func engineOfWorkers() sandbox.EngineInfo {
	var e wazero.Engine
	return sandbox.EngineInfo{Name: e.Name(), Version: e.Version(), Features: e.Features()}
}

// self returns this executable, so that a worker is of the same build even while
// an upgrade replaces the file.
func self() string {
	const proc = "/proc/self/exe"
	if _, err := os.Stat(proc); err == nil {
		return proc
	}
	if exe := executable(); exe != "" {
		return exe
	}
	return name
}

// executable returns the path of this executable without links, "" where the
// system does not know it.
func executable() string {
	exe, err := os.Executable()
	if err != nil {
		return ""
	}
	if real, err := filepath.EvalSymlinks(exe); err == nil {
		return real
	}
	return exe
}

// cache returns the folder of the compile cache, or "" for none: without a home
// there is none.
func (o *options) cache() string {
	if o.noCache {
		return ""
	}
	if o.cacheDir != "" {
		return o.cacheDir
	}
	base := cli.CacheDir(o.getenv)
	if base == "" {
		return ""
	}
	return filepath.Join(base, "modules")
}
