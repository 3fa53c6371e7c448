#include "preview1.h"

// A folder that was given may be replaced by another; then it was not given.
int main(void) {
	fd_t dir = folder(root, "dir");
	filestat_t before = stat_fd(dir);
	fdstat_t s;
	__wasi_prestat_t pre;
	ok(fd_renumber, dir, root);
	check(stat_fd(root).dev == before.dev && stat_fd(root).ino == before.ino);
	fails(E(BADF), fd_fdstat_get, dir, &s);
	fails(E(BADF), fd_prestat_get, root, &pre);
	ok(fd_close, root);
}
