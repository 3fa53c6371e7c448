package guest

// noSuchFd is a descriptor that no program here has.
const noSuchFd = 1000

// EveryCall calls every function of preview 1: by itself, with what it must refuse, and
// with addresses outside of memory. It has no folder, reads stdin to its end, and comes
// to the same bytes on every machine in a deterministic job.
func EveryCall() *Calls {
	c := &Calls{}
	c.strings()
	c.timesAndBytes()
	c.onStreams()
	c.polls()
	for _, name := range Preview1() {
		if name != "proc_exit" {
			c.onNothing(name)
		}
	}
	c.Add("fd_close", stdin)
	c.Add("fd_close", stdin)
	c.Add("fd_close", stderr)
	return c
}

// strings calls what tells arguments and environment.
func (c *Calls) strings() {
	for _, name := range []string{"args", "environ"} {
		c.Add(name+"_sizes_get", c.Room(4), c.Room(4))
		c.Add(name+"_get", c.Room(64), c.Room(256))
	}
}

// timesAndBytes calls the clocks and random_get.
func (c *Calls) timesAndBytes() {
	for clock := range 5 {
		c.Add("clock_res_get", clock, c.Room(8))
		c.Add("clock_time_get", clock, 0, c.Room(8))
		c.Add("clock_time_get", clock, -1, c.Room(8))
	}
	c.Add("random_get", c.Room(40), 33)
	c.Add("random_get", c.Room(8), 0)
	c.Add("sched_yield")
	c.Add("clock_time_get", 1, 0, c.Room(8))
}

// onStreams calls what there is for descriptors on the three streams.
func (c *Calls) onStreams() {
	text := c.Bytes([]byte("text\n")...)
	for fd := range 3 {
		into, from := c.Words(c.Room(16), 3, 0, 0, c.Room(16), 5), c.Words(text, 2, text+2, 0, text+2, 3)
		c.Add("fd_fdstat_get", fd, c.Room(24))
		c.Add("fd_filestat_get", fd, c.Room(64))
		c.Add("fd_prestat_get", fd, c.Room(8))
		c.Add("fd_read", fd, into, 3, c.Room(4))
		c.Add("fd_pread", fd, into, 3, 0, c.Room(4))
		if fd != stdout {
			c.Add("fd_write", fd, from, 3, c.Room(4))
		}
		c.Add("fd_pwrite", fd, from, 3, 0, c.Room(4))
		c.Add("fd_seek", fd, 0, 1, c.Room(8))
		c.Add("fd_tell", fd, c.Room(8))
		c.Add("fd_advise", fd, 0, 0, 0)
		c.Add("fd_allocate", fd, 0, 1)
		c.Add("fd_filestat_set_size", fd, 0)
		c.Add("fd_filestat_set_times", fd, 0, 0, 2)
		c.Add("fd_sync", fd)
		c.Add("fd_datasync", fd)
		c.Add("fd_readdir", fd, c.Room(64), 64, 0, c.Room(4))
		c.Add("fd_fdstat_set_flags", fd, 4)
		c.Add("fd_fdstat_set_flags", fd, 0)
		c.Add("path_open", fd, 0, ".", 0, 0, 0, 0, c.Room(4))
		c.Add("sock_shutdown", fd, 1)
		c.Add("sock_recv", fd, into, 3, 0, c.Room(4), c.Room(4))
		c.Add("sock_send", fd, from, 3, 0, c.Room(4))
		c.Add("sock_accept", fd, 0, c.Room(4))
	}
}

// polls calls poll_oneoff with one subscription of each kind, and with many.
func (c *Calls) polls() {
	clock := func(user, id, timeout, flags int64) []int64 {
		return []int64{user, 0, 0, 0, id, 0, timeout, 0, 0, 0, flags, 0}
	}
	stream := func(user, kind, fd int64) []int64 { return []int64{user, 0, kind, 0, fd, 0, 0, 0, 0, 0, 0, 0} }
	poll := func(subscriptions ...[]int64) {
		var words []int64
		for _, s := range subscriptions {
			words = append(words, s...)
		}
		n := len(subscriptions)
		c.Add("poll_oneoff", c.Words(words...), c.Room(32*n), n, c.Room(4))
	}
	poll(clock(1, 0, 1000, 0))
	poll(clock(2, 1, 1000, 0))
	poll(clock(3, 1, 5, 1))
	poll(clock(4, 9, 5, 0))
	poll(clock(5, 1, 5, 2))
	poll(stream(6, 1, stdin))
	poll(stream(7, 2, stdout), stream(8, 2, stderr))
	poll(stream(9, 1, stdout), stream(10, 2, stdin))
	poll(stream(11, 3, 0))
	poll(stream(12, 1, noSuchFd), clock(13, 1, 1000, 0))
	poll(clock(14, 1, 7, 0), clock(15, 0, 7, 0), clock(16, 1, 6, 0), stream(17, 1, stdin), stream(18, 2, stdout))
	poll(clock(19, 1, 3000, 0), clock(20, 1, 1000, 0), clock(21, 0, 2000, 0))
	poll()
}

// onNothing calls a function with arguments that are all 0, a descriptor that is none, or
// the last address.
func (c *Calls) onNothing(name string) {
	for _, arg := range []int64{0, noSuchFd, -1, 1<<31 - 1, pageSize - 1} {
		if arg == 0 && name == "fd_close" {
			continue // stdin is to stay
		}
		call := WASICall{Name: name}
		for range preview1[name] {
			call.Args = append(call.Args, arg)
		}
		c.List = append(c.List, call)
	}
}
