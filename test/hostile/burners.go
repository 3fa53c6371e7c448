package hostile

import (
	"fmt"
	"slices"

	"plasm/lib/job"
	"plasm/lib/wasm"
	"plasm/test/guest"
)

// burners never end by themselves, in every way that there is not to.
func burners() []Case {
	all := slices.Concat(computing(), hosted())
	for i := range all {
		all[i].Timeout, all[i].Want = soon, ends(job.Timeout)
	}
	return append(all, fueled()...)
}

// computing are those that call no function of the host.
func computing() []Case {
	return []Case{
		// A tree of calls that branches four times at each of 30 levels, through a
		// table: no loop, no recursion.
		{Name: "indirect-calls", Module: indirectTree},
		// A tree of calls in which each is a tail call but one.
		{Name: "tail-calls", Module: func() []byte { return alone(guest.Seq(guest.Code{0x12, 0})) }},
		{Name: "mutual-tail-calls", Module: func() []byte {
			return crowd([][]byte{body(guest.Code{0x12, 1}), body(guest.Code{0x12, 0})})
		}},
		{Name: "divide", Module: func() []byte { return alone(forever(repeat(1000, divide()))) }},
		{
			Name: "fill-all", Memory: 64,
			Module: func() []byte { return filling(guest.MemoryFill(guest.Int(0), guest.Int(1), guest.Int(64<<20))) },
		},
		{Name: "copy-all", Memory: 64, Module: func() []byte {
			return filling(guest.Seq(guest.Int(1), guest.Int(0), guest.Int(64<<20-1), guest.Code{0xfc, 10, 0, 0}))
		}},
		{Name: "table-fill", Module: func() []byte { return tableBurner(guest.Code{0xfc, 17, 0}) }},
		{Name: "grow-by-nothing", Module: func() []byte {
			return alone(forever(guest.Op(wasm.OpDrop, guest.MemoryGrow(guest.Int(0)))))
		}},
		{Name: "grow-beyond", Module: func() []byte {
			return alone(forever(guest.Op(wasm.OpDrop, guest.MemoryGrow(guest.Int(-1)))))
		}},
	}
}

// hosted are those that keep the host busy, or wait for it.
func hosted() []Case {
	return []Case{
		{Name: "blocked-read", Blocked: true, Module: calling("fd_read", 0, iovec, 1, result)},
		{Name: "sleep-forever", Real: true, Module: sleeping()},
		{Name: "empty-writes", Module: calling("fd_write", 1, iovec, 1, result)},
		{Name: "entropy", Module: calling("random_get", 0, 60<<10)},
		{Name: "yield", Module: calling("sched_yield")},
		{Name: "clock", Module: calling("clock_time_get", 1, int64(1), result)},
		{Name: "arguments", Module: calling("args_get", 1<<10, buffer)},
	}
}

// fueled are burners that run out of fuel first, or of stack.
func fueled() []Case {
	fill := func() []byte { return filling(guest.MemoryFill(guest.Int(0), guest.Int(1), guest.Int(1<<20))) }
	return []Case{
		{Name: "fuel-loop", Module: catalogued("loop"), Fuel: 1_000_000, Want: ends(job.OutOfFuel)},
		{Name: "fuel-calls", Module: catalogued("calls"), Fuel: 1_000_000, Want: ends(job.OutOfFuel)},
		{Name: "fuel-start-loop", Module: catalogued("start-loop"), Fuel: 1_000_000, Want: ends(job.OutOfFuel)},
		{Name: "fuel-fill", Module: fill, Fuel: 100_000_000, Want: ends(job.OutOfFuel)},
		{
			Name: "fuel-recursion", Module: catalogued("stackoverflow"), Fuel: 100_000_000,
			Want: traps(job.TrapStackOverflow),
		},
	}
}

// catalogued makes the guest of that name.
func catalogued(name string) func() []byte {
	return func() []byte {
		module, err := guest.Module(name)
		if err != nil {
			return []byte(err.Error()) // no module, and so no test passes
		}
		return module
	}
}

func divide() guest.Code {
	return guest.Op(wasm.OpDrop, guest.Op(wasm.OpI32DivS, guest.Int(1<<30), guest.Int(7)))
}

// calling calls a WASI function without end.
func calling(name string, args ...any) func() []byte {
	return func() []byte {
		c := newCommand(name)
		return c.main(guest.Store(wasm.OpI32Store, 0, guest.Int(iovec), guest.Int(buffer)),
			forever(c.do(name, args...)))
	}
}

// sleeping sleeps an hour, again and again.
func sleeping() func() []byte {
	return func() []byte {
		c := newCommand("poll_oneoff")
		return c.main(
			guest.Store(wasm.OpI32Store, 16, guest.Int(buffer), guest.Int(1)), // the monotonic clock
			guest.Store(wasm.OpI64Store, 24, guest.Int(buffer), guest.Long(3600_000_000_000)),
			forever(c.do("poll_oneoff", buffer, buffer+64, 1, result)),
		)
	}
}

// filling grows memory as far as it can, by pages, and does code without end.
func filling(code guest.Code) []byte {
	grow := guest.Op(wasm.OpI32Ne, guest.MemoryGrow(guest.Int(1)), guest.Int(-1))
	return alone(guest.Seq(guest.Loop(guest.BrIf(0, grow)), forever(code)))
}

// tableBurner fills a table of a million elements without end.
func tableBurner(fill guest.Code) []byte {
	code := forever(guest.Int(0), guest.Code{0xd2, 0}, guest.Int(1_000_000), fill)
	return crowd([][]byte{body(code)}, part{wasm.SectionTable, list(append([]byte{0x70, 0}, leb(1_000_000)...))})
}

// indirectTree calls, at each level, four times the element of the level below.
func indirectTree() []byte {
	const levels = 30
	bodies, elements := make([][]byte, levels+1), make([][]byte, levels)
	bodies[0] = body(nil)
	for level := range levels {
		bodies[level+1] = body(repeat(4, guest.CallIndirect(0, guest.Int(int64(level)))))
		elements[level] = leb(level)
	}
	return crowd(bodies,
		part{wasm.SectionTable, list([]byte{0x70, 0, levels})},
		part{wasm.SectionElement, list(append([]byte{0, 0x41, 0, wasm.OpEnd}, list(elements...)...))})
}

// known are the guests of the catalogue, each a hostile module by its name.
func known() []Case {
	wants, names := catalogueWants(), guest.Names()
	all := make([]Case, 0, len(names))
	for _, name := range names {
		c := Case{Name: name, Module: catalogued(name), Want: wants[name], Memory: 64}
		if name == "oob-elem" { // as the specification has it
			c.Want = traps(job.TrapTable)
		}
		switch {
		case guest.Bad(name) && c.Want == Want{}:
			c.Want = bad("")
		case guest.Endless(name):
			c.Timeout, c.Want = soon, ends(job.Timeout)
		}
		if name == "yes" || name == "flood-both" {
			// it ends by that, however slow the machine is
			c.Timeout, c.OutputLimit, c.Want = 0, 10_001, ends(job.OutputLimit)
		}
		if name == "sleep-hour" {
			c.Real, c.Timeout, c.Want = true, soon, ends(job.Timeout)
		}
		if name == "fd-exhaust" {
			c.Folder = true
		}
		all = append(all, c)
	}
	return all
}

// catalogueWants says how those guests of the catalogue end that neither are
// endless nor end with code 0 and some output.
func catalogueWants() map[string]Want {
	wants := map[string]Want{
		"both": exits(7), "close-stdout": exits(8), "exit-and-on": exits(5), "start-exit": exits(3),
		"unreachable": traps(job.TrapUnreachable), "named-trap": traps(job.TrapUnreachable),
		"start-trap": traps(job.TrapUnreachable), "divzero": traps(job.TrapDivideByZero),
		"overflow": traps(job.TrapIntegerOverflow), "conversion": traps(job.TrapConversion),
		"oob-load":  traps(job.TrapMemory),
		"oob-store": traps(job.TrapMemory), "oob-offset": traps(job.TrapMemory), "oob-data": traps(job.TrapMemory),
		"stackoverflow": traps(job.TrapStackOverflow), "indirect-mismatch": traps(job.TrapIndirectCall),
		"indirect-null": traps(job.TrapTable), "indirect-oob": traps(job.TrapTable), "no-memory": traps(job.TrapOther),
		"min-memory-4096": refused("memory begins at 256 MB"),
	}
	for _, code := range []uint32{0, 3, 255, 256, 0xefffffff, 1<<32 - 1} {
		wants[fmt.Sprintf("exit-%d", code)] = exits(code)
	}
	for _, name := range guest.Names() {
		if _, told := wants[name]; !told && !guest.Bad(name) {
			wants[name] = exits(0)
		}
	}
	return wants
}
