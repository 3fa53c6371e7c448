#include <assert.h>
#include <fcntl.h>
#include <unistd.h>

// A pwrite leaves the offset alone. Where it writes, when the file is open for
// appending, is left open: at its offset by POSIX, at the end on Linux.
int main(void) {
	int fd = open("new", O_CREAT | O_TRUNC | O_WRONLY | O_APPEND, 0600);
	assert(fd >= 0);
	assert(write(fd, "ab", 2) == 2);
	assert(lseek(fd, 0, SEEK_SET) == 0);
	assert(write(fd, "cd", 2) == 2);
	assert(lseek(fd, 0, SEEK_CUR) == 4);
	assert(pwrite(fd, "efg", 3, 0) == 3);
	assert(lseek(fd, 0, SEEK_CUR) == 4);
	off_t end = lseek(fd, 0, SEEK_END);
	assert(end == 4 || end == 7);
	assert(close(fd) == 0);
}
