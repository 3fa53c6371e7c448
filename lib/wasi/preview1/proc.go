package preview1

import (
	"io"
	"runtime"

	"plasm/lib/wasi"
)

// procExit is proc_exit(code): it ends the program. All 32 bits of code count.
func procExit(g *Guest, _ memory, args []uint64) wasi.Errno {
	g.exited, g.code = true, uint32(args[0])
	return wasi.Success
}

// procRaise is proc_raise(signal). ENOTSUP: there are no signals.
func procRaise(*Guest, memory, []uint64) wasi.Errno { return wasi.ENOTSUP }

// schedYield is sched_yield(). It always succeeds.
func schedYield(g *Guest, _ memory, _ []uint64) wasi.Errno {
	if g.host.Real() {
		runtime.Gosched()
	}
	return wasi.Success
}

// randomGet is random_get(buf, buf_len): it fills the buffer. EFAULT. EIO: the stream of
// random bytes, which is 2^38 bytes long, has ended.
func randomGet(g *Guest, mem memory, args []uint64) wasi.Errno {
	b, errno := mem.slice(args[0], args[1])
	if errno != wasi.Success {
		return errno
	}
	if _, err := io.ReadFull(g.host.Entropy, b); err != nil {
		return wasi.EIO
	}
	return wasi.Success
}

// sockAccept is sock_accept(fd, flags, opened), sockRecv is sock_recv(fd, ri_data,
// ri_data_len, ri_flags, ro_datalen, ro_flags), sockSend is sock_send(fd, si_data,
// si_data_len, si_flags, so_datalen), and sockShutdown is sock_shutdown(fd, how). EBADF:
// fd is not open. ENOTSOCK: it is no socket, as nothing here is.
func sockAccept(g *Guest, _ memory, args []uint64) wasi.Errno { return g.noSocket(args[0]) }

func sockRecv(g *Guest, _ memory, args []uint64) wasi.Errno { return g.noSocket(args[0]) }

func sockSend(g *Guest, _ memory, args []uint64) wasi.Errno { return g.noSocket(args[0]) }

func sockShutdown(g *Guest, _ memory, args []uint64) wasi.Errno { return g.noSocket(args[0]) }

func (g *Guest) noSocket(fd uint64) wasi.Errno {
	if _, errno := g.open(fd, 0); errno != wasi.Success {
		return errno
	}
	return wasi.ENOTSOCK
}
