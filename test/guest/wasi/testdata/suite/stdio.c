#include "preview1.h"

// The standard streams may be renumbered as any other descriptor.
int main(void) {
	fdstat_t s;
	for (fd_t stream = in; stream <= err; stream++) {
		fd_t file; // the second time it is the lowest number that is free: that of stdin
		ok(path_open, root, 0, "new", O(CREAT), 0, 0, 0, &file);
		ok(fd_renumber, stream, file);
		check(fdstat(file).fs_filetype != __WASI_FILETYPE_REGULAR_FILE);
		fails(E(BADF), fd_fdstat_get, stream, &s);
		ok(path_unlink_file, root, "new");
		if (stream == out) wrote(file, "written to what was stdout\n", 27);
	}
}
