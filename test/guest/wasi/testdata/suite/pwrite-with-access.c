#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(void) {
	const char *name = "writeable/new";
	char bytes[16];
	assert(access(name, F_OK) != 0);
	int fd = open(name, O_WRONLY | O_CREAT, 0600);
	assert(fd > 0);
	assert(pwrite(fd, "very long text", 14, 0) == 14);
	assert(pwrite(fd, "test", 4, 3) == 4);
	assert(lseek(fd, 0, SEEK_CUR) == 0);
	assert(close(fd) == 0);
	fd = open(name, O_RDONLY);
	assert(fd > 0);
	assert(read(fd, bytes, sizeof bytes) == 14 && memcmp(bytes, "vertestng text", 14) == 0);
	assert(close(fd) == 0);
	assert(remove(name) == 0);
}
