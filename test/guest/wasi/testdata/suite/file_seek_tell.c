#include "preview1.h"

int main(void) {
	fd_t file = opened(root, "new", O(CREAT), READWRITE | R(FD_SEEK) | R(FD_TELL));
	uint8_t bytes[100] = {0};
	__wasi_filesize_t at = 9;
	ok(fd_tell, file, &at);
	check(at == 0);
	wrote(file, bytes, 100);
	ok(fd_tell, file, &at);
	check(at == 100);
	ok(fd_seek, file, -50, __WASI_WHENCE_CUR, &at);
	check(at == 50);
	ok(fd_seek, file, -10, __WASI_WHENCE_END, &at);
	check(at == 90);
	ok(fd_seek, file, 0, __WASI_WHENCE_SET, &at);
	check(at == 0);
	ok(fd_seek, file, 1000, __WASI_WHENCE_CUR, &at);
	check(at == 1000);
	fails(E(INVAL), fd_seek, file, -2000, __WASI_WHENCE_CUR, &at);
	fails(E(INVAL), fd_seek, file, -1, __WASI_WHENCE_SET, &at);
	fails(E(INVAL), fd_seek, file, 0, 3, &at);
	ok(fd_tell, file, &at);
	check(at == 1000);
	ok(fd_seek, file, 0, __WASI_WHENCE_SET, &at);
	check(got(file, bytes, 100) == 100);
	ok(fd_tell, file, &at);
	check(at == 100);
	check(got(file, bytes, 100) == 0);
	ok(fd_close, file);
	ok(path_unlink_file, root, "new");
}
