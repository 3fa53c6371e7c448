//go:build linux

package hostile_test

import (
	"bytes"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"plasm/lib/job"
	"plasm/test/bin"
	"plasm/test/hostile"
)

// TestResidentMemory grows memory page by page and fills each page: what the
// worker has then is the memory and little more, whatever its size. What a worker has
// without it (the runtime, as many of the executable's pages as the kernel finds
// cheap to map) is that of one whose guest does nothing.
func TestResidentMemory(t *testing.T) {
	t.Parallel()
	const little = 8 << 20 // bytes: page tables, and what the heap holds in passing
	cases := hostile.Cases()
	module := cases[slices.IndexFunc(cases, func(c hostile.Case) bool { return c.Name == "grow-and-fill" })].Module()
	for _, engine := range hostile.Engines() {
		for _, mb := range []int64{1, 64, 512} {
			t.Run(engine+"/"+strconv.FormatInt(mb, 10), func(t *testing.T) {
				t.Parallel()
				g := newGround(t)
				limit := strconv.FormatInt(mb, 10)
				idle := g.run(t, helloModule(t), nil, "--engine", engine, "--memory", limit)
				r := g.run(t, g.write(t, module), nil, "--engine", engine, "--memory", limit)
				if r.outcome == nil || r.outcome.Status != job.Exit || r.outcome.MemoryBytes != mb<<20 {
					t.Fatalf("%s %+v", r.message, r.outcome)
				}
				if r.Peak < mb<<20 || r.Peak > mb<<20+idle.Peak+little {
					t.Errorf("%d MiB were resident, of %d that the guest has and %d that any has", r.Peak>>20, mb,
						idle.Peak>>20)
				}
			})
		}
	}
}

// TestAddressSpace: where the process may not have the address space that Wasmtime
// reserves, a job that asks for it does not start, and any other is run by the engine
// that is built in.
func TestAddressSpace(t *testing.T) {
	t.Parallel()
	g := newGround(t)
	module := helloModule(t)
	limited := func(engine string) *ran {
		cmd := exec.CommandContext(t.Context(), "sh", "-c", `ulimit -v 3000000; exec "$@"`, "sh",
			built("plasm-run"), "--json", "--key", g.path("key.pem"), "--no-stdin", "--engine", engine, module)
		cmd.Dir, cmd.Env = g.path("cwd"), append(g.env(), bin.Env()...)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		document, _ := cmd.Output() // its exit code is not zero where the job did not start
		r := &ran{complaint: stderr.String()}
		must(t, r.read(g, document))
		return r
	}
	if r := limited("wasmtime"); r.code != job.CodeUnsupported ||
		!strings.Contains(r.message, "bytes of address space, and here that is refused") {
		t.Errorf("wasmtime: %s %s", r.code, r.message)
	}
	if r := limited("auto"); r.outcome == nil || r.outcome.Status != job.Exit ||
		!strings.Contains(r.complaint, "engine left out") {
		t.Errorf("auto: %s %s\n%s", r.code, r.message, r.complaint)
	}
}
