#include "preview1.h"

static uint8_t bytes[8];

static void is(fd_t file, const char *want, int length, int at) {
	__wasi_iovec_t into[] = {{bytes, 2}, {bytes + 2, 2}};
	__wasi_size_t n;
	memset(bytes, 0xaa, sizeof bytes);
	ok(fd_pread, file, into, 2, at, &n);
	check(n == (unsigned)length && memcmp(bytes, want, length) == 0 && bytes[length] == 0xaa);
}

// pread and pwrite have an offset of their own.
int main(void) {
	fd_t file = opened(root, "new", O(CREAT), READWRITE | R(FD_SEEK) | R(FD_TELL));
	__wasi_ciovec_t from[] = {{(uint8_t *)"ab", 2}, {(uint8_t *)"cd", 2}};
	__wasi_size_t n;
	__wasi_filesize_t at;
	ok(fd_pwrite, file, from, 2, 0, &n);
	check(n == 4);
	is(file, "abcd", 4, 0);
	is(file, "cd", 2, 2);
	is(file, "", 0, 4);
	is(file, "", 0, 1000);
	ok(fd_pwrite, file, from, 1, 2, &n);
	check(n == 2);
	is(file, "abab", 4, 0);
	ok(fd_tell, file, &at);
	check(at == 0);
	fails(E(INVAL), fd_pwrite, file, from, 1, -1, &n);
	ok(fd_close, file);
	ok(path_unlink_file, root, "new");
}
