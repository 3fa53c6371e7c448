package hostile

import (
	"math"
	"slices"
	"strings"

	"plasm/lib/job"
	"plasm/lib/wasm"
	"plasm/test/guest"
)

// floods write: too much, too often, from where nothing is.
func floods() []Case {
	return []Case{
		{Name: "one-huge-write", Memory: 64, Want: ends(job.OutputLimit), Module: func() []byte { return huge(1) }},
		// One call that writes the whole memory eight thousand times: 500 GiB.
		{
			Name: "overlapping-buffers", Memory: 64, Want: ends(job.OutputLimit),
			Module: func() []byte { return huge(8000) },
		},
		// Two million buffers without a byte, in one call, again and again.
		{Name: "empty-buffers", Timeout: soon, Want: ends(job.Timeout), Module: func() []byte {
			c := newCommand("fd_write")
			return c.main(
				guest.Op(wasm.OpDrop, guest.MemoryGrow(guest.Int(255))),
				forever(c.do("fd_write", 1, memory, (16<<20-memory)/8, result)),
			)
		}},
		{Name: "tiny-writes", Want: prints(strings.Repeat("x", 5000)), Module: func() []byte {
			c := newCommand("fd_write")
			at, _ := c.text("xy")
			return c.main(times(5000, c.write(1, at, 1), c.write(2, at+1, 1)))
		}},
		{Name: "tiny-flood", OutputLimit: 20_001, Want: ends(job.OutputLimit), Module: func() []byte {
			c := newCommand("fd_write")
			at, _ := c.text("xy")
			return c.main(forever(c.write(2, at, 1), c.write(1, at+1, 1)))
		}},
		{Name: "flood-stderr", Want: ends(job.OutputLimit), Module: func() []byte {
			c := newCommand("fd_write")
			return c.main(forever(c.write(2, buffer, 16<<10)))
		}},
		{Name: "flood-in-start", Want: ends(job.OutputLimit), Module: func() []byte {
			c := newCommand("fd_write")
			c.define("start", forever(c.write(1, buffer, 16<<10)))
			start := c.index["start"]
			c.Start = &start
			return c.main()
		}},
		// Bytes that are no text: all 256 of them.
		{Name: "all-bytes", Want: prints(allBytes()), Module: func() []byte {
			c := newCommand("fd_write")
			at, n := c.text(allBytes())
			return c.main(c.write(1, at, n))
		}},
		errnos("misplaced-buffers", []attempt{
			{"fd_write", []any{1, -4, 1, result}},
			{"fd_write", []any{1, memory, 1, result}},
			{"fd_write", []any{1, buffer, -1, result}},
			{"fd_write", []any{1, buffer, math.MaxInt32, result}},
			{"fd_read", []any{0, -8, 1, result}},
			{"random_get", []any{0, -1}},
			{"random_get", []any{-1, 1}},
			{"args_get", []any{-1, -1}},
			{"environ_sizes_get", []any{memory, memory}},
			{"clock_time_get", []any{0, int64(0), memory - 4}},
			{"poll_oneoff", []any{0, 0, -1, result}},
			{"poll_oneoff", []any{0, 0, 89_478_486, result}}, // times 48 is 32 beyond 2^32
			{"poll_oneoff", []any{0, memory - 8, 1, result}},
			{"fd_prestat_get", []any{3, memory}},
		}),
	}
}

func allBytes() string {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	return string(all)
}

// huge writes 64 MiB n times with one call.
func huge(n int) []byte {
	c := newCommand("fd_write")
	const at = 0
	return c.main(
		guest.Op(wasm.OpDrop, guest.MemoryGrow(guest.Int(1023))),
		times(int64(n),
			guest.Store(wasm.OpI32Store, 4, guest.Get(at), guest.Int(64<<20)),
			guest.Increase(at, 8),
		),
		c.do("fd_write", 1, 0, n, result),
	)
}

// attempt is a call that must fail.
type attempt struct {
	call string
	args []any
}

// errnos is a case in which each attempt fails. Which errno it gives is up to the
// engine.
func errnos(name string, attempts []attempt) Case {
	return Case{Name: name, Want: exits(0), Module: func() []byte { return trying(attempts) }}
}

// trying makes attempts, and exits with the number of the first that does not fail,
// from 1 on. A string stands for its address and its length.
func trying(attempts []attempt) []byte {
	imports := []string{"proc_exit"}
	for _, a := range attempts {
		if !slices.Contains(imports, a.call) {
			imports = append(imports, a.call)
		}
	}
	c := newCommand(imports...)
	code := make([]guest.Code, len(attempts))
	for i, a := range attempts {
		var args []any
		for _, arg := range a.args {
			if s, ok := arg.(string); ok {
				at, n := c.text(s)
				args = append(args, at, n)
				continue
			}
			args = append(args, arg)
		}
		code[i] = guest.If(guest.Op(wasm.OpI32Eqz, c.call(a.call, args...)), c.call("proc_exit", i+1))
	}
	return c.main(code...)
}
