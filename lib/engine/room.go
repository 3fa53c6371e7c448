package engine

// largeRoom is from which size on, in bytes, room for a module is in large pages. To
// touch a page of 4 KiB first takes the better part of a microsecond.
const largeRoom = 4 << 20

// Room returns an empty slice with room for a module of so many bytes.
func Room(size int) []byte {
	room := make([]byte, 0, size)
	if size >= largeRoom {
		PreferLargePages(room[:size])
	}
	return room
}
