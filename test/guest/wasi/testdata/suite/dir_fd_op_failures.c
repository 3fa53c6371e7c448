#include "preview1.h"

// A folder is nothing to read bytes from, nor to seek in.
int main(void) {
	fd_t dir = opened(root, ".", O(DIRECTORY), FOLDER_RIGHTS);
	uint8_t bytes[8];
	__wasi_iovec_t into = {bytes, sizeof bytes};
	__wasi_ciovec_t from = {bytes, sizeof bytes};
	__wasi_size_t n;
	__wasi_filesize_t at;
	__wasi_prestat_t pre;
	check(stat_fd(dir).filetype == __WASI_FILETYPE_DIRECTORY);

	ok(fd_prestat_get, root, &pre);
	check(pre.tag == __WASI_PREOPENTYPE_DIR && pre.u.dir.pr_name_len == 1);
	memset(bytes, 0xaa, sizeof bytes);
	fails(E(NAMETOOLONG), fd_prestat_dir_name, root, bytes, 0);
	check(bytes[0] == 0xaa);
	ok(fd_prestat_dir_name, root, bytes, 2);
	check(bytes[0] == '/' && bytes[1] == 0xaa);

	const int none = either(ISDIR, BADF) | E(NOTCAPABLE) << 16;
	for (int i = 0; i < 2; i++, dir = root) {
		fails(none, fd_read, dir, &into, 1, &n);
		fails(none, fd_pread, dir, &into, 1, 0, &n);
		fails(none, fd_write, dir, &from, 1, &n);
		fails(none, fd_pwrite, dir, &from, 1, 0, &n);
		fails(none, fd_seek, dir, 0, __WASI_WHENCE_CUR, &at);
		fails(none, fd_seek, dir, 0, __WASI_WHENCE_SET, &at);
		fails(none, fd_seek, dir, 0, __WASI_WHENCE_END, &at);
		fails(none, fd_tell, dir, &at);
		fails(none, fd_allocate, dir, 0, 1);
		fails(none, fd_filestat_set_size, dir, 0);
	}
}
