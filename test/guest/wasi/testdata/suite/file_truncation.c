#include "preview1.h"

int main(void) {
	uint8_t bytes[100];
	fd_t file = opened(root, "new", O(CREAT), R(FD_WRITE));
	wrote(file, "this will be gone", 17);
	ok(fd_close, file);
	file = opened(root, "new", O(CREAT) | O(TRUNC), READWRITE);
	check(got(file, bytes, 100) == 0);
	check(stat_path(root, 0, "new").size == 0);
	ok(fd_close, file);
	ok(path_unlink_file, root, "new");
}
