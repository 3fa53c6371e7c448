#include <assert.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

int main(void) {
	char bytes[16];
	int fd = open("pread.txt", O_RDONLY);
	assert(fd > 0);
	assert(pread(fd, bytes, 3, 4) == 3 && memcmp(bytes, "d-t", 3) == 0);
	assert(pread(fd, bytes, 16, 100) == 0);
	assert(lseek(fd, 0, SEEK_CUR) == 0);
	assert(close(fd) == 0);
}
