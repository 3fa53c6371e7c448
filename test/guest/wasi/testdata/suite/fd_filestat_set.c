#include "preview1.h"

int main(void) {
	fd_t file = opened(root, "new", O(CREAT), FILE_RIGHTS);
	check(stat_fd(file).size == 0);
	ok(fd_filestat_set_size, file, 100);
	filestat_t before = stat_fd(file);
	check(before.size == 100);

	ok(fd_filestat_set_times, file, 1, before.mtim - 100, __WASI_FSTFLAGS_MTIM);
	filestat_t after = stat_fd(file);
	check(after.size == 100 && after.mtim == before.mtim - 100 && after.atim == before.atim);
	ok(fd_filestat_set_times, file, 1234567891234567891, 2, __WASI_FSTFLAGS_ATIM);
	after = stat_fd(file);
	check(after.mtim == before.mtim - 100 && after.atim == 1234567891234567891);
	ok(fd_filestat_set_times, file, 7, 7, 0);
	check(stat_fd(file).mtim == after.mtim && stat_fd(file).atim == after.atim);
	ok(fd_filestat_set_times, file, 7, 7, __WASI_FSTFLAGS_MTIM_NOW | __WASI_FSTFLAGS_ATIM_NOW);
	check(stat_fd(file).mtim != after.mtim && stat_fd(file).mtim != 7 && stat_fd(file).atim != 7);
	ok(fd_close, file);
	ok(path_unlink_file, root, "new");
}
