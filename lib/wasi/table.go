package wasi

// maxDescriptors is how many descriptors a program may have: where no system's bound comes
// first, as with virtual folders, this keeps the table small.
const maxDescriptors = 1 << 16

// Table is a program's open descriptors by number.
type Table[T any] struct {
	slots []*T
	free  int // no number below it is free
}

// Add gives d the lowest number that is free, as POSIX has it. EMFILE: there is none.
func (t *Table[T]) Add(d *T) (uint32, Errno) {
	for t.free < len(t.slots) && t.slots[t.free] != nil {
		t.free++
	}
	switch {
	case t.free < len(t.slots):
		t.slots[t.free] = d
	case t.free < maxDescriptors:
		t.slots = append(t.slots, d)
	default:
		return 0, EMFILE
	}
	return uint32(t.free), Success
}

// Get returns the descriptor of that number, nil where there is none.
func (t *Table[T]) Get(n uint32) *T {
	if uint64(n) >= uint64(len(t.slots)) {
		return nil
	}
	return t.slots[n]
}

// Remove takes the descriptor of that number, which is there, out of the table.
func (t *Table[T]) Remove(n uint32) {
	t.slots[n] = nil
	t.free = min(t.free, int(n))
}

// Move gives the descriptor of number from the number to. Both are there; what had the
// number to is in the table no more.
func (t *Table[T]) Move(from, to uint32) {
	t.slots[to] = t.slots[from]
	if from != to {
		t.Remove(from)
	}
}

// All returns the descriptors, lowest number first.
func (t *Table[T]) All() []*T {
	var all []*T
	for _, d := range t.slots {
		if d != nil {
			all = append(all, d)
		}
	}
	return all
}
