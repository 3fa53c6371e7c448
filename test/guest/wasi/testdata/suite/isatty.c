#include <unistd.h>
#include "preview1.h"

int main(void) {
	fd_t file = opened(root, "new", O(CREAT), 0);
	check(!isatty(file));
	check(!isatty(root));
	ok(fd_close, file);
	ok(path_unlink_file, root, "new");
}
