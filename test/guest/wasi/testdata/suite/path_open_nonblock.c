#include "preview1.h"

int main(void) {
	fd_t fd;
	ok(path_open, root, 0, ".", 0, 0, 0, __WASI_FDFLAGS_NONBLOCK, &fd);
	check(fdstat(fd).fs_filetype == __WASI_FILETYPE_DIRECTORY);
}
