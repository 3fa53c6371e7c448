package guest

import "plasm/lib/wasm"

// streams are guests that are about what they read and write.
func streams() map[string]func() []byte {
	return map[string]func() []byte{
		// Writes "out\n" to stdout and "err\n" to stderr, and exits with 7.
		"both": func() []byte {
			p := newProgram("fd_write", "proc_exit")
			return p.main(p.print(stdout, "out\n"), p.print(stderr, "err\n"), p.call("proc_exit", Int(7)))
		},
		// Writes "y\n" without end.
		"yes": func() []byte {
			p := newProgram("fd_write")
			return p.main(Loop(p.print(stdout, "y\n"), Br(0)))
		},
		// Writes "out\n" and "error\n" to the two streams in turns, without end.
		"flood-both": func() []byte {
			p := newProgram("fd_write")
			return p.main(Loop(p.print(stdout, "out\n"), p.print(stderr, "error\n"), Br(0)))
		},
		// Writes "tick\n" twenty times, and sleeps 50 ms after each.
		"tick": func() []byte { return ticking(20) },
		// The same two hundred times, which takes ten seconds.
		"tick-long": func() []byte { return ticking(200) },
		// Calls every function of WASI, and writes a checksum of its memory after each call.
		"every-call": func() []byte { return EveryCall().sums() },
		// Copies stdin to stdout.
		"cat": func() []byte { return copying(bufSize) },
		// The same, a byte at a time.
		"cat-small": func() []byte { return copying(1) },
		// Reads one byte of stdin and writes it.
		"read-one": func() []byte {
			p := newProgram("fd_write", "fd_read")
			return p.main(Op(wasm.OpDrop, p.read(1)), Op(wasm.OpDrop, p.write(stdout, Int(buffer), got())))
		},
		// Ends without a look at stdin.
		"not-read": func() []byte {
			p := newProgram("fd_write")
			return p.main(p.print(stdout, "done\n"))
		},
		// Reads stdin into a buffer of 4096 bytes until its end, and writes how
		// many bytes each read has brought.
		"readsizes": func() []byte {
			p := newProgram("fd_write", "fd_read")
			p.numbers()
			return p.main(Block(Loop(
				Op(wasm.OpDrop, p.read(4096)),
				Set(0, got()), // which the write below overwrites
				p.printInt(Get(0)),
				BrIf(0, Get(0)),
			)))
		},
		// Closes stdout, tries to write to it, and exits with the errno.
		"close-stdout": func() []byte {
			p := newProgram("fd_write", "fd_close", "proc_exit")
			address, length := p.text("lost\n")
			return p.main(Op(wasm.OpDrop, p.call("fd_close", Int(stdout))),
				p.call("proc_exit", p.write(stdout, address, length)))
		},
		// Hands over buffers that do not lie in memory, and writes each errno.
		"huge-iov": hugeIovec,
		// Opens "." of the first folder until it cannot, and writes how often it
		// could and the errno that ended it.
		"fd-exhaust": exhaust,
		// Writes its arguments, argv[0] too, each with a zero byte behind it.
		"args": func() []byte { return lists("args_sizes_get", "args_get") },
		// The same with its environment, as NAME=VALUE.
		"env": func() []byte { return lists("environ_sizes_get", "environ_get") },
	}
}

// write writes n times "x" to stdout.
func write(n uint32) []byte {
	p := newProgram("fd_write")
	const left, now = 0, 1
	return p.main(
		MemoryFill(Int(buffer), Int('x'), Int(bufSize)),
		Set(left, Int(int64(n))),
		Block(Loop(
			BrIf(1, Op(wasm.OpI32Eqz, Get(left))),
			Set(now, Int(bufSize)),
			If(Op(wasm.OpI32LtU, Get(left), Int(bufSize)), Set(now, Get(left))),
			Op(wasm.OpDrop, p.write(stdout, Int(buffer), Get(now))),
			Set(left, Op(wasm.OpI32Sub, Get(left), Get(now))),
			Br(0),
		)),
	)
}

// copying copies stdin to stdout in pieces of at most size bytes.
func copying(size int64) []byte {
	p := newProgram("fd_write", "fd_read")
	return p.main(Block(Loop(
		BrIf(1, p.read(size)),
		BrIf(1, Op(wasm.OpI32Eqz, got())),
		BrIf(1, p.write(stdout, Int(buffer), got())),
		Br(0),
	)))
}

func hugeIovec() []byte {
	p := newProgram("fd_write", "fd_read")
	p.numbers()
	one := func(call string, fd, address, length, count, from int64) Code {
		return Seq(
			Store(wasm.OpI32Store, 0, Int(iovec), Int(address)),
			Store(wasm.OpI32Store, 4, Int(iovec), Int(length)),
			p.printInt(p.call(call, Int(fd), Int(from), Int(count), Int(result))),
		)
	}
	return p.main(
		one("fd_write", stdout, buffer, -1, 1, iovec),
		one("fd_write", stdout, -8, 16, 1, iovec),
		one("fd_write", stdout, 0, 0, -1, iovec),
		one("fd_write", stdout, 0, 0, 1, -4),
		one("fd_read", 0, buffer, -1, 1, iovec),
	)
}

func exhaust() []byte {
	p := newProgram("fd_write", "path_open")
	p.numbers()
	address, length := p.text(".")
	const count, errno = 0, 1
	return p.main(
		Block(Loop(
			Set(errno, p.call("path_open", Int(3), Int(0), address, length, Int(0), Long(0), Long(0), Int(0),
				Int(result))),
			BrIf(1, Get(errno)),
			Increase(count, 1),
			Br(0),
		)),
		p.printInt(Get(count)), p.printInt(Get(errno)),
	)
}

// lists writes all strings of a list that get gives.
func lists(sizes, get string) []byte {
	p := newProgram("fd_write", sizes, get)
	return p.main(
		Op(wasm.OpDrop, p.call(sizes, Int(result), Int(result+4))),
		Op(wasm.OpDrop, p.call(get, Int(subs), Int(buffer))),
		Op(wasm.OpDrop, p.write(stdout, Int(buffer), Load(wasm.OpI32Load, 4, Int(result)))),
	)
}

// ticking writes "tick\n" n times, and sleeps 50 ms after each.
func ticking(n int64) []byte {
	p := newProgram("fd_write", "poll_oneoff")
	return p.main(times(0, n, p.print(stdout, "tick\n"), p.sleep(50_000_000)))
}
