package hostile

import (
	"fmt"

	"plasm/lib/job"
	"plasm/lib/wasm"
	"plasm/test/guest"
)

// endings are ends that could be taken for others.
func endings() []Case {
	return append(exitCodes(),
		Case{Name: "exit-in-start-all-ones", Want: exits(1<<32 - 1), Module: func() []byte {
			c := newCommand("proc_exit")
			return started(c, c.call("proc_exit", -1))
		}},
		Case{Name: "exit-deep", Want: exits(1<<32 - 1), Module: func() []byte {
			c := newCommand("proc_exit")
			c.define("down",
				guest.Store(wasm.OpI32Store, 0, guest.Int(0),
					guest.Op(wasm.OpI32Add, guest.Load(wasm.OpI32Load, 0, guest.Int(0)), guest.Int(1))),
				guest.If(guest.Op(wasm.OpI32Eq, guest.Load(wasm.OpI32Load, 0, guest.Int(0)), guest.Int(1000)),
					c.call("proc_exit", -1)),
				guest.Call(1),
			)
			return c.main(guest.Call(1))
		}},
		Case{Name: "grows-and-traps-in-start", Want: Want{
			Status: job.Trap, Trap: job.TrapUnreachable,
			Memory: 4 * memory,
		}, Module: func() []byte {
			return started(newCommand(), guest.Seq(guest.Op(wasm.OpDrop, guest.MemoryGrow(guest.Int(3))),
				guest.Op(wasm.OpUnreachable)))
		}},
		Case{
			Name: "grows-and-spins", Timeout: 8 * soon, Want: Want{Status: job.Timeout, Memory: 4 * memory},
			Module: func() []byte {
				return alone(guest.Seq(guest.Op(wasm.OpDrop, guest.MemoryGrow(guest.Int(3))), forever()))
			},
		},
		Case{Name: "references", Want: exits(0), Module: func() []byte { return guest.References(false) }},
		Case{
			Name: "references-fuel", Fuel: 1_000_000, Want: exits(0),
			Module: func() []byte { return guest.References(false) },
		},
		Case{
			Name: "references-twins", Want: refused("differ in externref and funcref only"),
			Module: func() []byte { return guest.References(true) },
		},
		Case{Name: "says-out-of-memory", Want: exits(2), Module: func() []byte {
			c := newCommand("proc_exit", "fd_write")
			at, n := c.text("fatal error: runtime: out of memory\n")
			return c.main(c.write(2, at, n), c.call("proc_exit", 2))
		}},
		Case{Name: "start-recursion", Want: traps(job.TrapStackOverflow), Module: func() []byte {
			c := newCommand()
			return started(c, guest.Call(0))
		}},
		Case{Name: "start-is-start", Want: exits(0), Module: func() []byte { // runs twice
			return crowd([][]byte{body(nil)}, part{wasm.SectionStart, leb(0)})
		}},
		Case{Name: "starts-itself", Timeout: soon, Want: ends(job.Timeout), Module: func() []byte {
			return crowd([][]byte{body(forever())}, part{wasm.SectionStart, leb(0)})
		}},
	)
}

// started gives c a start function of the given code, and an empty _start.
func started(c *command, code guest.Code) []byte {
	c.define("start", code)
	start := c.index["start"]
	c.Start = &start
	return c.main()
}

// exitCodes are programs that exit with all kinds of codes.
func exitCodes() []Case {
	codes := []uint32{
		1, 2, 124, 125, 126, 127, 128, 132, 137, 139, 141, 143, 159, 254, 257, 1 << 31, 0xfffffffe,
	}
	all := make([]Case, 0, len(codes))
	for _, code := range codes {
		all = append(all, Case{
			Name: fmt.Sprintf("exits-%d", code), Module: catalogued(fmt.Sprintf("exit-%d", code)),
			Want: exits(code),
		})
	}
	return all
}
