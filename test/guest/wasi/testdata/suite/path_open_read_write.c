#include "preview1.h"

int main(void) {
	uint8_t bytes[100] = {0};
	__wasi_iovec_t into = {bytes, sizeof bytes};
	__wasi_ciovec_t from = {bytes, 50};
	__wasi_size_t n;
	fd_t file;
	create(root, "new");

	ok(path_open, root, 0, "new", 0, R(FD_READ), 0, 0, &file);
	check((fdstat(file).fs_rights_base & READWRITE) == R(FD_READ));
	check(got(file, bytes, 100) == 0);
	fails(either(BADF, NOTCAPABLE), fd_write, file, &from, 1, &n);
	fails(either(BADF, NOTCAPABLE), fd_pwrite, file, &from, 1, 0, &n);
	ok(fd_close, file);

	ok(path_open, root, 0, "new", 0, R(FD_WRITE), 0, 0, &file);
	check((fdstat(file).fs_rights_base & READWRITE) == R(FD_WRITE));
	fails(either(BADF, NOTCAPABLE), fd_read, file, &into, 1, &n);
	fails(either(BADF, NOTCAPABLE), fd_pread, file, &into, 1, 0, &n);
	wrote(file, bytes, 50);
	ok(fd_close, file);

	ok(path_open, root, 0, "new", 0, READWRITE | R(FD_FILESTAT_GET), 0, 0, &file);
	check((fdstat(file).fs_rights_base & READWRITE) == READWRITE);
	check(got(file, bytes, 100) == 50);
	wrote(file, bytes, 25);
	check(stat_fd(file).size == 75);
	ok(fd_close, file);
	ok(path_unlink_file, root, "new");
}
