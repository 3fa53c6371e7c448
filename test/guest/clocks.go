package guest

import "plasm/lib/wasm"

// Clocks and flags of poll_oneoff.
const (
	realtime  = 0
	monotonic = 1
	abstime   = 1
)

// clocks are guests that are about time, chance and waiting.
func clocks() map[string]func() []byte {
	return map[string]func() []byte{
		// Writes the nanoseconds of the real clock, then of the monotonic one,
		// three times, then the resolution of each.
		"clocks": func() []byte {
			p := newProgram("fd_write", "clock_time_get", "clock_res_get")
			p.numbers()
			resolution := func(clock int64) Code {
				return Seq(Op(wasm.OpDrop, p.call("clock_res_get", Int(clock), Int(result))),
					p.printLong(Load(wasm.OpI64Load, 0, Int(result))))
			}
			return p.main(
				times(0, 3, p.printTime(realtime), p.printTime(monotonic)),
				resolution(realtime), resolution(monotonic),
			)
		},
		// Writes 32 random bytes in hexadecimal.
		"random": random,
		// Writes the monotonic clock before and after a sleep of 100 ms, and
		// after another one that is given by the time at which it ends.
		"sleep": func() []byte {
			p := newProgram("fd_write", "poll_oneoff", "clock_time_get")
			p.numbers()
			until := Op(wasm.OpI64Add, p.time(monotonic), Long(100_000_000))
			return p.main(
				p.printTime(monotonic),
				p.sleep(100_000_000),
				p.printTime(monotonic),
				Store(wasm.OpI64Store, 24, Int(subs), until),
				p.subscribe(0, 9, monotonic, abstime),
				Op(wasm.OpDrop, p.poll(1)),
				p.printTime(monotonic),
			)
		},
		// Sleeps an hour.
		"sleep-hour": func() []byte {
			p := newProgram("poll_oneoff")
			return p.main(p.sleep(3600_000_000_000))
		},
		// Waits for stdin or 50 ms, whichever comes first, and writes "stdin\n"
		// and "clock\n" for what came.
		"poll-stdin": pollStdin,
	}
}

// time reads a clock.
func (p *program) time(clock int64) Code {
	return Seq(Op(wasm.OpDrop, p.call("clock_time_get", Int(clock), Long(1), Int(result))),
		Load(wasm.OpI64Load, 0, Int(result)))
}

// printTime writes what a clock says; it needs numbers.
func (p *program) printTime(clock int64) Code { return p.printLong(p.time(clock)) }

// subscribe writes subscription number n, to a clock; its timeout is at offset 24
// already.
func (p *program) subscribe(n, userdata, clock, flags int64) Code {
	at := Int(subs + 48*n)
	return Seq(
		Store(wasm.OpI64Store, 0, at, Long(userdata)),
		Store(wasm.OpI32Store, 8, at, Int(0)),
		Store(wasm.OpI32Store, 16, at, Int(clock)),
		Store(wasm.OpI32Store, 40, at, Int(flags)),
	)
}

// poll calls poll_oneoff with n subscriptions and leaves the errno; how many
// events came is then at result.
func (p *program) poll(n int64) Code {
	return p.call("poll_oneoff", Int(subs), Int(events), Int(n), Int(result))
}

// sleep sleeps.
func (p *program) sleep(nanoseconds int64) Code {
	return Seq(
		Store(wasm.OpI64Store, 24, Int(subs), Long(nanoseconds)),
		p.subscribe(0, 9, monotonic, 0),
		Op(wasm.OpDrop, p.poll(1)),
	)
}

func random() []byte {
	p := newProgram("fd_write", "random_get")
	hex, _ := p.text("0123456789abcdef")
	const n, at = 0, 1
	digit := func(offset uint32, value Code) Code {
		return Store(wasm.OpI32Store8, offset, Op(wasm.OpI32Add, Int(buffer), Op(wasm.OpI32Mul, Get(at), Int(2))),
			Load(wasm.OpI32Load8U, 0, Op(wasm.OpI32Add, hex, value)))
	}
	from := Load(wasm.OpI32Load8U, 0, Op(wasm.OpI32Add, Int(subs), Get(at)))
	return p.main(
		Op(wasm.OpDrop, p.call("random_get", Int(subs), Int(32))),
		times(n, 32,
			digit(0, Op(wasm.OpI32ShrU, from, Int(4))),
			digit(1, Op(wasm.OpI32And, from, Int(15))),
			Increase(at, 1),
		),
		Store(wasm.OpI32Store8, 64, Int(buffer), Int('\n')),
		Op(wasm.OpDrop, p.write(stdout, Int(buffer), Int(65))),
	)
}

func pollStdin() []byte {
	p := newProgram("fd_write", "poll_oneoff")
	const left, at = 0, 1
	return p.main(
		Store(wasm.OpI64Store, 24, Int(subs), Long(50_000_000)),
		p.subscribe(0, 0, monotonic, 0),
		Store(wasm.OpI32Store, 48+8, Int(subs), Int(1)), // fd_read of descriptor 0
		Op(wasm.OpDrop, p.poll(2)),
		Set(left, got()),
		Set(at, Int(events)),
		Block(Loop(
			BrIf(1, Op(wasm.OpI32Eqz, Get(left))),
			If(Load(wasm.OpI32Load8U, 10, Get(at)), p.print(stdout, "stdin\n")),
			If(Op(wasm.OpI32Eqz, Load(wasm.OpI32Load8U, 10, Get(at))), p.print(stdout, "clock\n")),
			Increase(at, 32),
			Increase(left, -1),
			Br(0),
		)),
	)
}
