package guest

import "plasm/lib/wasm"

// ends are guests that are about how they end.
func ends() map[string]func() []byte {
	return map[string]func() []byte{
		// Returns from _start without having done anything.
		"nothing": func() []byte { return newProgram().main() },
		// A loop of one branch: no call, no memory, nothing to stop it at.
		"loop": func() []byte { return newProgram().main(Loop(Br(0))) },
		// No loop and no recursion, and yet endless: 60 functions, each calling
		// the next one twice.
		"calls": calls,
		// Writes "ready\n" and then loops: what is to be ended from outside.
		"hang": func() []byte {
			p := newProgram("fd_write")
			return p.main(p.print(stdout, "ready\n"), Loop(Br(0)))
		},
		// Has a start function, which writes "start\n"; _start writes "main\n".
		"start-section": func() []byte {
			p := newProgram("fd_write")
			return started(p, p.print(stdout, "start\n"), p.print(stdout, "main\n"))
		},
		// Traps in its start function, before _start.
		"start-trap": func() []byte {
			p := newProgram("fd_write")
			return started(p, Op(wasm.OpUnreachable), p.print(stdout, "main\n"))
		},
		// Loops in its start function, before _start.
		"start-loop": func() []byte {
			p := newProgram("fd_write")
			return started(p, Loop(Br(0)), p.print(stdout, "main\n"))
		},
		// Exits with 3, or with 0, in its start function.
		"start-exit":   func() []byte { return startExit(3) },
		"start-exit-0": func() []byte { return startExit(0) },
		// Exits where no instruction may follow: behind proc_exit it writes.
		"exit-and-on": func() []byte {
			p := newProgram("fd_write", "proc_exit")
			return p.main(p.call("proc_exit", Int(5)), p.print(stdout, "still here\n"))
		},
	}
}

// exit ends with proc_exit(code).
func exit(code uint32) []byte {
	p := newProgram("proc_exit")
	return p.main(p.call("proc_exit", Int(int64(code))))
}

func startExit(code int64) []byte {
	p := newProgram("fd_write", "proc_exit")
	return started(p, p.call("proc_exit", Int(code)), p.print(stdout, "main\n"))
}

func calls() []byte {
	p := newProgram()
	p.define("a", FuncType{}, nil, func() Code { return nil })
	name := "a"
	for range 60 {
		next := name + "a"
		p.define(next, FuncType{}, nil, func() Code { return Seq(p.call(name), p.call(name)) })
		name = next
	}
	return p.main(p.call(name))
}

// started gives p a start function before its _start.
func started(p *program, start, main Code) []byte {
	p.define("start", FuncType{}, nil, func() Code { return start })
	index := p.index["start"]
	p.Start = &index
	return p.main(main)
}
