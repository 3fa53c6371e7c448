#include "preview1.h"

// What one descriptor has written another reads at once.
int main(void) {
	uint8_t byte = 0;
	fd_t reader = opened(root, "new", O(CREAT), R(FD_READ));
	fd_t writer = opened(root, "new", 0, R(FD_WRITE));
	check(reader != writer);
	wrote(writer, "x", 1);
	check(got(reader, &byte, 1) == 1 && byte == 'x');
	ok(fd_close, writer);
	ok(fd_close, reader);
	ok(path_unlink_file, root, "new");
}
