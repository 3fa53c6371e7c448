package main

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"plasm/lib/cli"
	"plasm/lib/engine"
	"plasm/lib/engine/wazero"
	"plasm/lib/job"
	"plasm/lib/sandbox"
)

// options are the command's flags.
type options struct {
	flags *cli.Flags
	job   *cli.JobFlags

	dirs          []string
	engine        string
	engines       string
	cacheDir      string
	noCache       bool
	requireGuards string
	getenv        func(string) string
}

func newOptions(in *cli.Invocation) *options {
	f := cli.NewFlags(name, usage, "warn", in.Getenv)
	o := &options{flags: f, job: cli.AddJobFlags(f, in.Getenv), getenv: in.Getenv}
	f.StringArrayVar(&o.dirs, "dir", nil, "")
	f.StringVar(&o.engine, "engine", "auto", "")
	f.StringVar(&o.engines, "engines", in.Getenv("PLASM_ENGINES"), "")
	f.StringVar(&o.cacheDir, "cache-dir", in.Getenv("PLASM_CACHE_DIR"), "")
	f.BoolVar(&o.noCache, "no-cache", false, "")
	f.StringVar(&o.requireGuards, "require-guards", "none", "")
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
	if _, err := fmt.Fprintln(in.Stdout, key.PeerID()); err != nil {
		return &job.Error{Code: job.CodeIO, Message: fmt.Sprintf("writing standard output: %v", err), Err: err}
	}
	return nil
}

// check reads the flags that are plasm-run's own.
func (o *options) check() (guards []string, dirs []engine.Dir, err error) {
	if o.engines != "" {
		return nil, nil, unsupported("--engines %s: this build has its one engine, wazero, built in", o.engines)
	}
	if o.engine != "auto" && o.engine != (wazero.Engine{}).Name() {
		return nil, nil, unsupported("--engine: %q is not here; this build has wazero", o.engine)
	}
	if guards, err = cli.GuardList(name, "require-guards", o.requireGuards); err != nil {
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
	switch {
	case m.Fuel != 0:
		return unsupported("fuel: %d: this build cannot count fuel yet", m.Fuel)
	case m.CanonicalNaN:
		return unsupported("canonical_nan: this build cannot make NaNs canonical yet")
	case m.Engine != "" && m.Engine != (wazero.Engine{}).Name():
		return unsupported("engine: the manifest asks for %q, and this build has wazero", m.Engine)
	case m.Arch != "" && m.Arch != runtime.GOARCH:
		return unsupported("arch: the manifest asks for %q, and this machine is %q", m.Arch, runtime.GOARCH)
	case len(m.Dirs) != len(dirs):
		return cli.Usage(name, "the manifest names %d folders, and there are %d --dir HOST::GUEST[:ro] for them", len(m.Dirs), len(dirs))
	}
	return nil
}

// parseDirs reads --dir HOST::GUEST[:ro].
func parseDirs(values []string) ([]engine.Dir, error) {
	var dirs []engine.Dir
	for _, v := range values {
		host, guest, ok := strings.Cut(v, "::")
		guest, readOnly := strings.CutSuffix(guest, ":ro")
		if !ok || host == "" || guest == "" {
			return nil, cli.Usage(name, "--dir: %q is not HOST::GUEST or HOST::GUEST:ro", v)
		}
		abs, err := filepath.Abs(host)
		if err != nil {
			return nil, &job.Error{Code: job.CodeIO, Message: fmt.Sprintf("--dir: %s: %v", host, err), Err: err}
		}
		info, err := os.Stat(abs)
		switch {
		case os.IsNotExist(err):
			return nil, &job.Error{Code: job.CodeNotFound, Message: fmt.Sprintf("--dir: %s: no such directory", host), Err: err}
		case err != nil:
			return nil, &job.Error{Code: job.CodeIO, Message: fmt.Sprintf("--dir: %v", err), Err: err}
		case !info.IsDir():
			return nil, cli.Usage(name, "--dir: %s: not a directory", host)
		}
		dirs = append(dirs, engine.Dir{Host: abs, Dir: job.Dir{Guest: guest, ReadOnly: readOnly}})
	}
	return dirs, nil
}

func guestDirs(dirs []engine.Dir) []job.Dir {
	var list []job.Dir
	for _, d := range dirs {
		list = append(list, d.Dir)
	}
	return list
}

// config returns the supervisor's configuration.
func (o *options) config(log *slog.Logger) sandbox.Config {
	var e wazero.Engine
	return sandbox.Config{
		Worker:   []string{self(), workerFlag},
		Engine:   sandbox.EngineInfo{Name: e.Name(), Version: e.Version(), Features: e.Features()},
		CacheDir: o.cache(),
		Log:      log,
	}
}

// self returns this executable, so that a worker is of the same build even while
// an upgrade replaces the file.
func self() string {
	const proc = "/proc/self/exe"
	if _, err := os.Stat(proc); err == nil {
		return proc
	}
	exe, err := os.Executable()
	if err != nil {
		return name
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
	base := o.getenv("XDG_CACHE_HOME")
	if !filepath.IsAbs(base) {
		home := o.getenv("HOME")
		if !filepath.IsAbs(home) {
			return ""
		}
		base = filepath.Join(home, ".cache")
	}
	return filepath.Join(base, "plasm", "modules")
}
