#include "preview1.h"

static uint8_t bytes[100], want[100];

static void is(fd_t file, int at, int of) {
	__wasi_filesize_t position;
	memset(want, of, sizeof want);
	ok(fd_seek, file, at, __WASI_WHENCE_SET, &position);
	check(got(file, bytes, 100) == 100 && memcmp(bytes, want, 100) == 0);
	ok(fd_seek, file, 0, __WASI_WHENCE_SET, &position);
}

// A file that is open for appending is written at its end, until it no longer is.
int main(void) {
	fd_t file;
	ok(path_open, root, 0, "new", O(CREAT), FILE_RIGHTS, 0, __WASI_FDFLAGS_APPEND, &file);
	check(fdstat(file).fs_flags == __WASI_FDFLAGS_APPEND);
	wrote(file, bytes, 100);
	is(file, 0, 0);
	memset(bytes, 1, sizeof bytes);
	wrote(file, bytes, 100);
	is(file, 100, 1);
	is(file, 0, 0);
	ok(fd_fdstat_set_flags, file, 0);
	check(fdstat(file).fs_flags == 0);
	memset(bytes, 2, sizeof bytes);
	wrote(file, bytes, 100);
	is(file, 0, 2);
	is(file, 100, 1);
	ok(fd_fdstat_set_flags, file, __WASI_FDFLAGS_APPEND);
	wrote(file, bytes, 1);
	ok(fd_close, file);
	check(stat_path(root, 0, "new").size == 201);
	ok(path_unlink_file, root, "new");
}
