package queue

// amount is of slots and of megabytes.
type amount struct {
	slots  int
	memory int64
}

func (a *amount) add(slots int, memory int64) {
	a.slots += slots
	a.memory += memory
}

// claim is what one job takes: a slot, and memory.
type claim struct {
	listed bool
	memory int64
}

// class is the index of the class in Queue.classes.
func (c claim) class() int {
	if c.listed {
		return 0
	}
	return 1
}

// room is what is left to all, and of that at most to unlisted clients.
type room struct {
	all, unlisted amount
}

// fits reports whether c can be taken.
func (r *room) fits(c claim) bool {
	return fits(r.all, c) && (c.listed || fits(r.unlisted, c))
}

// fitsMemory is fits where slots don't count.
func (r *room) fitsMemory(c claim) bool {
	return c.memory <= r.all.memory && (c.listed || c.memory <= r.unlisted.memory)
}

func fits(left amount, c claim) bool { return left.slots >= 1 && left.memory >= c.memory }

func (r *room) take(c claim) { r.add(c, -1, -c.memory) }

func (r *room) give(c claim) { r.add(c, 1, c.memory) }

func (r *room) add(c claim, slots int, memory int64) {
	r.all.add(slots, memory)
	if !c.listed {
		r.unlisted.add(slots, memory)
	}
}
