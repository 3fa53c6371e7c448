#include "preview1.h"

// A time cannot be the one given and the present one.
int main(void) {
	fd_t file = opened(root, "new", O(CREAT), R(FD_READ) | R(FD_FILESTAT_SET_TIMES) | R(FD_FILESTAT_GET));
	filestat_t before = stat_fd(file);
	fails(E(INVAL), fd_filestat_set_times, file, 100, 200, __WASI_FSTFLAGS_MTIM | __WASI_FSTFLAGS_MTIM_NOW);
	fails(E(INVAL), fd_filestat_set_times, file, 100, 200, __WASI_FSTFLAGS_ATIM | __WASI_FSTFLAGS_ATIM_NOW);
	check(stat_fd(file).mtim == before.mtim && stat_fd(file).atim == before.atim);
	ok(fd_close, file);
	ok(path_unlink_file, root, "new");
}
