#include "preview1.h"

int main(void) {
	fd_t fd, file = opened(root, "new", O(CREAT), 0);
	fails(either(NOTDIR, NOTCAPABLE), path_open, file, 0, "below", O(CREAT), 0, 0, 0, &fd);
	fails(either(NOTDIR, NOTCAPABLE), path_open, file, 0, ".", 0, 0, 0, 0, &fd);
	fails(E(BADF), path_open, 1000, 0, "below", O(CREAT), 0, 0, 0, &fd);
	ok(fd_close, file);
	ok(path_unlink_file, root, "new");
}
