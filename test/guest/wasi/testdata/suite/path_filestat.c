#include "preview1.h"

int main(void) {
	fd_t file;
	check(fdstat(root).fs_rights_base & R(PATH_FILESTAT_GET));
	int flags = __WASI_FDFLAGS_APPEND | __WASI_FDFLAGS_SYNC;
	ok(path_open, root, 0, "new", O(CREAT), READWRITE, 0, flags, &file);
	check(fdstat(file).fs_flags == flags);
	filestat_t s = stat_path(root, 0, "new");
	check(s.size == 0);
	ok(path_filestat_set_times, root, 0, "new", 0, s.mtim - 100, __WASI_FSTFLAGS_MTIM);
	check(stat_path(root, 0, "new").mtim == s.mtim - 100 && stat_path(root, 0, "new").atim == s.atim);
	fails(E(INVAL), path_filestat_set_times, root, 0, "new", 0, 5, __WASI_FSTFLAGS_MTIM | __WASI_FSTFLAGS_MTIM_NOW);
	fails(E(INVAL), path_filestat_set_times, root, 0, "new", 5, 0, __WASI_FSTFLAGS_ATIM | __WASI_FSTFLAGS_ATIM_NOW);
	check(stat_path(root, 0, "new").mtim == s.mtim - 100 && stat_path(root, 0, "new").atim == s.atim);
	fails(E(NOENT), path_filestat_set_times, root, 0, "missing", 0, 0, __WASI_FSTFLAGS_MTIM);
	ok(fd_close, file);
	ok(path_unlink_file, root, "new");
}
