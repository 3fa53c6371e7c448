#include "preview1.h"

// A folder that was given may be closed as any other descriptor, and what was opened
// below it stays open.
int main(void) {
	fd_t dir = opened(root, ".", O(DIRECTORY), 0);
	fdstat_t s;
	__wasi_prestat_t pre;
	ok(fd_close, root);
	check(fdstat(dir).fs_filetype == __WASI_FILETYPE_DIRECTORY);
	fails(E(BADF), fd_fdstat_get, root, &s);
	fails(E(BADF), fd_prestat_get, root, &pre);
	fails(E(BADF), fd_close, root);
	fails(E(BADF), fd_prestat_get, dir, &pre);
}
