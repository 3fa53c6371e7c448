package engine

import "testing"

// Room is there, and empty, whatever pages it is in.
func TestRoom(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 1, largeRoom - 1, largeRoom, 3*largeRoom + 5} {
		room := Room(size)
		if len(room) != 0 || cap(room) < size {
			t.Errorf("%d: %d of %d", size, len(room), cap(room))
		}
		for i, b := range room[:size] {
			if b != 0 {
				t.Fatalf("%d: byte %d is %d", size, i, b)
			}
			room[:size][i] = 1
		}
	}
}
