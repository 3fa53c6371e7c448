package preview1

import "plasm/lib/wasi"

// argsGet is args_get(argv, argv_buf): it writes the arguments, each with a NUL behind it,
// from argv_buf on, and their addresses as a list of 32-bit numbers from argv on. EFAULT:
// they do not fit.
func argsGet(g *Guest, mem memory, args []uint64) wasi.Errno {
	return mem.strings(g.host.Args, args[0], args[1])
}

// argsSizesGet is args_sizes_get(argc, argv_buf_size): it writes how many arguments there
// are, and their length together in bytes, with the NULs. EFAULT: that does not fit.
func argsSizesGet(g *Guest, mem memory, args []uint64) wasi.Errno {
	return mem.sizes(g.host.Args, args[0], args[1])
}

// environGet is environ_get(environ, environ_buf): args_get for the environment, as
// "name=value".
func environGet(g *Guest, mem memory, args []uint64) wasi.Errno {
	return mem.strings(g.host.Env, args[0], args[1])
}

// environSizesGet is environ_sizes_get(environc, environ_buf_size): args_sizes_get for the
// environment.
func environSizesGet(g *Guest, mem memory, args []uint64) wasi.Errno {
	return mem.sizes(g.host.Env, args[0], args[1])
}

func (m memory) strings(list []string, pointers, buf uint64) wasi.Errno {
	for i, s := range list {
		b, errno := m.slice(buf, uint64(len(s))+1)
		if errno != wasi.Success {
			return errno
		}
		if errno := m.putU32(pointers+4*uint64(i), uint32(buf)); errno != wasi.Success {
			return errno
		}
		copy(b, s)
		b[len(s)] = 0
		buf += uint64(len(b))
	}
	return wasi.Success
}

func (m memory) sizes(list []string, count, size uint64) wasi.Errno {
	var sum uint64
	for _, s := range list {
		sum += uint64(len(s)) + 1
	}
	if !m.has(count, 4) || !m.has(size, 4) {
		return wasi.EFAULT
	}
	_ = m.putU32(count, uint32(len(list)))
	return m.putU32(size, uint32(sum))
}
