#include "preview1.h"

// A right that a folder cannot have is left out when it is opened.
int main(void) {
	ok(path_create_directory, root, "dir");
	fd_t dir;
	__wasi_filesize_t at;
	ok(path_open, root, 0, "dir", O(DIRECTORY), R(FD_SEEK), 0, 0, &dir);
	fails(either(ISDIR, BADF) | E(NOTCAPABLE) << 16, fd_seek, dir, 0, __WASI_WHENCE_CUR, &at);
	check(fdstat(dir).fs_filetype == __WASI_FILETYPE_DIRECTORY);
	check((fdstat(dir).fs_rights_base & R(FD_SEEK)) == 0);
	ok(fd_close, dir);
	ok(path_remove_directory, root, "dir");
}
