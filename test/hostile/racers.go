package hostile

import (
	"plasm/lib/wasm"
	"plasm/test/guest"
)

// Racers returns two modules that work on one folder, rw. The first one exchanges
// the folder rw/swap for the link rw/link, and back, until there is a folder
// rw/stop. The second one opens swap/secret until it could and could not so many
// times, and makes rw/stop. It exits with 1 when the file begins with the given byte.
func Racers(times int64, forbidden byte) (swapper, opener []byte) {
	return swapping(), opening(times, forbidden)
}

func swapping() []byte {
	c := newCommand("path_rename", "path_filestat_get")
	rename := func(from, to string) guest.Code {
		a, n := c.text(from)
		b, m := c.text(to)
		return c.do("path_rename", rw, a, n, rw, b, m)
	}
	stop, n := c.text("stop")
	return c.main(guest.Loop(
		rename("swap", "aside"), rename("link", "swap"),
		rename("swap", "link"), rename("aside", "swap"),
		guest.BrIf(0, c.call("path_filestat_get", rw, 0, stop, n, buffer)),
	))
}

func opening(times int64, forbidden byte) []byte {
	c := newCommand("path_open", "fd_read", "fd_close", "path_create_directory", "proc_exit")
	name, n := c.text("swap/secret")
	stop, m := c.text("stop")
	const could, couldNot = 0, 1
	few := func(local uint32) guest.Code { return guest.Op(wasm.OpI32LtU, guest.Get(local), guest.Int(times)) }
	fd := guest.Load(wasm.OpI32Load, 0, guest.Int(result))
	return c.main(
		guest.Store(wasm.OpI32Store, 0, guest.Int(iovec), guest.Int(buffer)),
		guest.Store(wasm.OpI32Store, 4, guest.Int(iovec), guest.Int(1)),
		guest.Loop(
			guest.Set(2, c.call("path_open", rw, follow, name, n, 0, int64(2), int64(0), 0, result)),
			guest.If(guest.Get(2), guest.Increase(couldNot, 1)),
			guest.If(guest.Op(wasm.OpI32Eqz, guest.Get(2)),
				guest.Increase(could, 1),
				c.do("fd_read", fd, iovec, 1, result+8),
				c.do("fd_close", fd),
				guest.If(guest.Op(wasm.OpI32Eq, guest.Load(wasm.OpI32Load8U, 0, guest.Int(buffer)),
					guest.Int(int64(forbidden))), c.call("proc_exit", 1)),
			),
			guest.BrIf(0, few(could)),
			guest.BrIf(0, few(couldNot)),
		),
		c.do("path_create_directory", rw, stop, m),
	)
}
