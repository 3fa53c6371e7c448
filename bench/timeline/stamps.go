package main

import (
	"fmt"
	"strings"

	"plasm/test/variant"
)

// span is what is done between two stamps. The command's and the worker's overlap.
type span struct {
	who, what string
	from, to  string // "": the start
}

// subject is what a drawing is of.
type subject struct {
	name  string
	spans []span
}

// local is a hello by plasm-run.
var local = subject{name: "job", spans: []span{
	{"command", "starts: process, Go runtime, packages", "", "main"},
	{"command", "reads its flags, starts the worker", "main", "forked"},
	{"command", "reads and hashes the module, finds its code", "asked", "described"},
	{"worker", "starts: process, Go runtime, packages", "forked", "worker"},
	{"worker", "confines itself", "worker", "confined"},
	{"worker", "takes the module", "confined", "module"},
	{"worker", "loads it", "module", "loaded"},
	{"worker", "takes a second system-call filter", "loaded", "narrowed"},
	{"worker", "runs the program", "narrowed", "ended"},
	{"worker", "is gone", "ended", "gone"},
	{"command", "writes what there is, and ends", "gone", "end"},
}}

// stamped are the edits that make a build note the time. A worker cannot write to a
// file: it says its times when it ends, on its stderr, and the command says both.
func stamped() []variant.Edit {
	const run, worker = "lib/sandbox/run.go", "lib/sandbox/worker/worker.go"
	return []variant.Edit{
		{File: "lib/job/stamp.go", New: stampFile},
		stamp("cmd/plasm-run/main.go", "	in := cli.Process(", "main", true),
		{
			File: "cmd/plasm-run/main.go", Old: "	os.Exit(run(in))\n",
			New: "	code := run(in)\n	job.SayStamps(os.Stderr)\n	os.Exit(code)\n",
		},
		{
			File: "cmd/plasm-run/main.go", Old: "	\"plasm/lib/engine/wazero\"\n",
			New: "	\"plasm/lib/engine/wazero\"\n	\"plasm/lib/job\"\n",
		},
		stamp("lib/sandbox/sandbox.go", "	shield()\n", "asked", false),
		stamp("lib/sandbox/process.go", "	said, sent := &tail{", "forked", true),
		{
			File: "lib/sandbox/process.go", Old: "	\"plasm/lib/sandbox/wire\"\n",
			New: "	\"plasm/lib/job\"\n	\"plasm/lib/sandbox/wire\"\n",
		},
		stamp(run, "	defer r.p.end()\n	unwatch", "described", true),
		{
			File: run, Old: "	r.p.linger()\n",
			New: "	r.p.linger()\n	job.Stamp(\"gone\")\n	job.AddStamps(r.p.last.data.Bytes())\n",
		},
		stamp(worker, "	c := &conversation{\n		control:", "worker", true),
		{
			File: worker, Old: "	case err := <-done:\n",
			New: "	case err := <-done:\n		job.SayStamps(os.NewFile(fdStderr, \"stderr\"))\n",
		},
		stamp(worker, "	module, err := c.module(a.Module)\n", "confined", true),
		stamp(worker, "	go c.watch()\n", "module", true),
		stamp(worker, "	host := engine.Host{\n", "loaded", true),
		stamp(worker, "	if err := c.frames.Frame(wire.Started, nil)", "narrowed", true),
		stamp(worker, "	return c.tell(wire.Ended,", "ended", true),
	}
}

// stamp notes the time before or after a line.
func stamp(file, line, name string, before bool) variant.Edit {
	call := fmt.Sprintf("	job.Stamp(%q)\n", name)
	if before {
		return variant.Edit{File: file, Old: line, New: call + line}
	}
	return variant.Edit{File: file, Old: line, New: line + call}
}

const stampFile = `package job

import (
	"fmt"
	"io"
	"sync"
	"time"
)

var (
	stampsMu sync.Mutex
	stamps   []byte
)

// Stamp notes the time, the first time that it is called with that name.
func Stamp(name string) {
	now := time.Now().UnixNano()
	stampsMu.Lock()
	defer stampsMu.Unlock()
	stamps = fmt.Appendf(stamps, "%s %d\n", name, now)
}

// AddStamps adds those of a worker.
func AddStamps(more []byte) {
	stampsMu.Lock()
	defer stampsMu.Unlock()
	stamps = append(stamps, more...)
}

// SayStamps writes all.
func SayStamps(w io.Writer) {
	stampsMu.Lock()
	defer stampsMu.Unlock()
	_, _ = w.Write(stamps)
}
`

// The drawing's measures, in characters: of the words, and of the time that a run
// takes.
const (
	wordsWidth = 52
	timeWidth  = 60
)

// chart draws the spans, one a line.
func (s *subject) chart(t times) string {
	var b strings.Builder
	for _, s := range s.spans {
		from, to := t[s.from], t[s.to]
		first := int(from / t["end"] * timeWidth)
		last := max(int(to/t["end"]*timeWidth), first+1)
		_, _ = fmt.Fprintf(&b, "%-*s %5.2f %s%s\n", wordsWidth, s.who+" "+s.what, (to-from)/1e6,
			strings.Repeat(" ", first), strings.Repeat("#", last-first))
	}
	_, _ = fmt.Fprintf(&b, "%-*s %5.2f\n", wordsWidth, "all", t["end"]/1e6)
	return b.String()
}
