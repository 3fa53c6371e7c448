package wazero

import (
	"bytes"
	"os"
	"testing"

	"plasm/lib/engine"
	"plasm/lib/job"
	"plasm/lib/wasm"
	"plasm/test/guest"
	"plasm/test/loading"
)

// ending is all that a guest's run leaves.
type ending struct {
	Result         engine.Result
	Stdout, Stderr string
	Memory         uint64 // the largest that was told
}

// named returns a module of the catalogue.
func named(t *testing.T, name string) []byte {
	t.Helper()
	module, err := guest.Module(name)
	must(t, err)
	return module
}

// play runs a module with at most 256 MB, from its machine code where that is not nil.
// Its output streams are the test's own.
func play(t *testing.T, module []byte, code *os.File, h engine.Host) ending {
	t.Helper()
	if code == nil {
		code = compiled(t, module)
	}
	loading.Rewind(t, code)
	p, err := Engine{}.Load(t.Context(), module, code, job.NewManifest().MemoryMB)
	must(t, err)
	var e ending
	var stdout, stderr bytes.Buffer
	h.Stdout, h.Stderr = &stdout, &stderr
	h.MemoryGrew = func(size uint64) { e.Memory = max(e.Memory, size) }
	e.Result, err = p.Run(t.Context(), h)
	e.Result.Running = nil // the names of these functions are looked at where they are told
	must(t, err)
	e.Stdout, e.Stderr = stdout.String(), stderr.String()
	return e
}

// exited is the end of a guest that has written text and exited with code.
func exited(code uint32, text string) ending {
	return ending{Result: engine.Result{Status: job.Exit, ExitCode: code}, Stdout: text, Memory: wasm.PageSize}
}

// inputFile is a file with the given content.
func inputFile(t *testing.T, content string) *os.File {
	t.Helper()
	f, err := os.CreateTemp(t.TempDir(), "")
	must(t, err)
	t.Cleanup(func() { must(t, f.Close()) })
	_, err = f.WriteString(content)
	must(t, err)
	_, err = f.Seek(0, 0)
	must(t, err)
	return f
}

// inputPipe is a pipe; what closes its write end may be called twice.
func inputPipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	must(t, err)
	t.Cleanup(func() {
		_ = w.Close() // a test may have closed it
		must(t, r.Close())
	})
	return r, w
}
