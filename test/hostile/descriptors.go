package hostile

import (
	"plasm/lib/job"
	"plasm/test/guest"
)

// descriptors use up descriptors, or give them away.
func descriptors() []Case {
	return []Case{
		{Name: "close-all", Want: exits(0), Module: func() []byte {
			c := newCommand("fd_close")
			return c.main(guest.Set(0, guest.Int(-2)), times(300, c.do("fd_close", guest.Get(0)), guest.Increase(0, 1)))
		}},
		{Name: "open-all", Folder: true, Timeout: soon, Want: ends(job.Timeout), Module: func() []byte {
			c := newCommand("path_open")
			name, n := c.text(".")
			return c.main(forever(c.do("path_open", rw, 0, name, n, 0, int64(0), int64(0), 0, result)))
		}},
		{Name: "renumber-streams", Want: exits(0), Module: func() []byte {
			c := newCommand("fd_renumber", "fd_write")
			return c.main(c.do("fd_renumber", 1, 2), c.do("fd_renumber", 2, 1), c.do("fd_renumber", 0, 1),
				c.do("fd_renumber", 1, 1), c.write(1, 0, 8))
		}},
	}
}
