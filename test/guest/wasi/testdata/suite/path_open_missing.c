#include "preview1.h"

int main(void) {
	fd_t fd = 77;
	fails(E(NOENT), path_open, root, 0, "missing", 0, 0, 0, 0, &fd);
	fails(E(NOENT), path_open, root, 0, "missing", O(DIRECTORY), 0, 0, 0, &fd);
	fails(E(NOENT), path_open, root, 0, "missing", O(TRUNC), READWRITE, 0, 0, &fd);
	fails(E(NOENT), path_open, root, 0, "missing/below", O(CREAT), 0, 0, 0, &fd);
	check(fd == 77);
}
