#include "preview1.h"

// To allocate makes a file longer, never shorter, where the host has it at all.
int main(void) {
	fd_t file = opened(root, "new", O(CREAT), FILE_RIGHTS);
	check(stat_fd(file).size == 0);
	int errno_ = __wasi_fd_allocate(file, 0, 100);
	if (errno_ == 0) {
		check(stat_fd(file).size == 100);
		ok(fd_allocate, file, 10, 10);
		check(stat_fd(file).size == 100);
		ok(fd_allocate, file, 90, 20);
		check(stat_fd(file).size == 110);
		fails(E(INVAL), fd_allocate, file, 0, 0);
	} else {
		check(errno_ == E(NOTSUP) && stat_fd(file).size == 0);
	}
	ok(fd_close, file);
	ok(path_unlink_file, root, "new");
}
