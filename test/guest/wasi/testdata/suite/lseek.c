#include <assert.h>
#include <stdio.h>
#include <unistd.h>

int main(void) {
	char bytes[4];
	FILE *file = fopen("lseek.txt", "r");
	assert(file);
	int fd = fileno(file);
	assert(fread(bytes, 1, 4, file) == 4);
	fflush(file);
	assert(lseek(fd, 0, SEEK_CUR) == 4);
	assert(fread(bytes, 1, 1, file) == 1 && bytes[0] == '4');
	fflush(file);
	assert(lseek(fd, 0, SEEK_CUR) == 5);
	assert(lseek(fd, 0, SEEK_SET) == 0);
	assert(lseek(fd, 0, SEEK_END) == 8);
	assert(lseek(fd, -3, SEEK_END) == 5);
	assert(fclose(file) == 0);
}
