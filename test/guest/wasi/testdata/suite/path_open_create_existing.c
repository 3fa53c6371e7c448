#include "preview1.h"

int main(void) {
	fd_t fd;
	create(root, "new");
	fails(E(EXIST), path_open, root, 0, "new", O(CREAT) | O(EXCL), 0, 0, 0, &fd);
	fails(E(EXIST), path_open, root, 0, "writeable", O(CREAT) | O(EXCL), 0, 0, 0, &fd);
	ok(path_unlink_file, root, "new");
	ok(fd_close, opened(root, "new", O(CREAT) | O(EXCL), 0));
	ok(path_unlink_file, root, "new");
}
