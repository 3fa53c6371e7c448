package node

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"plasm/lib/job"
	"plasm/test/bin"
)

// TestForeignEngines starts no engine that others could have put where it is, nor one
// that is no worker; and goes on without.
func TestForeignEngines(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		file    os.FileMode // of the engine
		above   os.FileMode // of the folder above its own
		started bool
		says    string
	}{
		{"for all", 0o777, 0o755, false, "can be written by others"},
		{"below what is for all", 0o755, 0o777, false, "can be written by others"},
		{"no program", 0o600, 0o755, false, "not an executable file"},
		{"no worker", 0o755, 0o755, true, "the worker died"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			above := filepath.Join(t.TempDir(), "above")
			dir, started := filepath.Join(above, "engines"), filepath.Join(t.TempDir(), "started")
			must(t, os.MkdirAll(dir, 0o755))
			engine := filepath.Join(dir, "plasm-engine-wasmtime")
			must(t, bin.Script(engine, ": > "+started))
			must(t, os.Chmod(engine, test.file))
			must(t, os.Chmod(above, test.above))
			var said bytes.Buffer
			n := &Node{cfg: config(t), log: slog.New(slog.NewTextHandler(&said, nil))}
			n.cfg.Engines = dir
			if found := n.otherEngines(t.Context()); len(found) > 0 {
				t.Errorf("found %v", found[0].Backend)
			}
			if _, err := os.Stat(started); (err == nil) != test.started {
				t.Errorf("it was started: %v", err)
			}
			if words := said.String(); !strings.Contains(words, "engine left out") ||
				!strings.Contains(words, test.says) {
				t.Errorf("said %q", words)
			}
		})
	}
}

// TestEnginesThatRunNothing: neither an engine beside the worker nor the worker itself
// is taken that gets ready and then cannot run a module of our own.
func TestEnginesThatRunNothing(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("a data limit holds on Linux alone")
	}
	dir := filepath.Join(t.TempDir(), "engines")
	must(t, os.MkdirAll(dir, 0o755))
	lame := filepath.Join(dir, "plasm-engine-wasmtime")
	must(t, bin.Script(lame, "ulimit -d 400000; exec "+worker+` "$@"`))
	var said bytes.Buffer
	n := &Node{cfg: config(t), log: slog.New(slog.NewTextHandler(&said, nil))}
	n.cfg.Engines = dir
	if found := n.otherEngines(t.Context()); len(found) > 0 {
		t.Errorf("found %v", found[0].Backend)
	}
	if words := said.String(); !strings.Contains(words, "engine left out") {
		t.Errorf("said %q", words)
	}
	n.cfg.Worker = lame
	err := n.askWorker(t.Context())
	e, ok := errors.AsType[*job.Error](err)
	if !ok || e.Code != job.CodeUnsupported || !strings.Contains(e.Message,
		"the limit on data memory is too low: it is 400000 KiB") {
		t.Errorf("the worker: %#v", err)
	}
}
