#include "preview1.h"

// Rights are given up and never come back. A host may also have no rights at all; then
// fd_fdstat_set_rights is not supported.
int main(void) {
	fd_t dir = folder(root, "dir");
	fdstat_t s = fdstat(dir);
	int errno_ = __wasi_fd_fdstat_set_rights(dir, s.fs_rights_base, s.fs_rights_inheriting);
	if (errno_ == E(NOTSUP)) return 0;
	check(errno_ == 0);

	fd_t file = opened(dir, "file", O(CREAT), READWRITE | R(FD_SEEK) | R(FD_TELL));
	uint8_t bytes[4];
	__wasi_size_t n;
	__wasi_filesize_t at;
	wrote(file, "abcd", 4);
	ok(fd_seek, file, 0, __WASI_WHENCE_SET, &at);
	check(got(file, bytes, 4) == 4 && memcmp(bytes, "abcd", 4) == 0);

	s = fdstat(file);
	ok(fd_fdstat_set_rights, file, s.fs_rights_base & ~READWRITE, s.fs_rights_inheriting);
	fdstat_t less = fdstat(file);
	check((less.fs_rights_base & READWRITE) == 0 && (less.fs_rights_base & R(FD_SEEK)) != 0);
	__wasi_iovec_t into = {bytes, 4};
	__wasi_ciovec_t from = {bytes, 4};
	fails(either(BADF, NOTCAPABLE), fd_read, file, &into, 1, &n);
	fails(either(BADF, NOTCAPABLE), fd_write, file, &from, 1, &n);
	fails(E(NOTCAPABLE), fd_fdstat_set_rights, file, s.fs_rights_base, s.fs_rights_inheriting);
	fails(E(NOTCAPABLE), fd_fdstat_set_rights, file, less.fs_rights_base, less.fs_rights_inheriting | R(FD_READ) | 1ull << 63);
	check(fdstat(file).fs_rights_base == less.fs_rights_base);
	ok(fd_close, file);
	ok(path_unlink_file, dir, "file");
	ok(fd_close, dir);
	ok(path_remove_directory, root, "dir");
}
