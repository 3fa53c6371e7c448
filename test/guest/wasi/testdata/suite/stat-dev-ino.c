#include <assert.h>
#include <fcntl.h>
#include <sys/stat.h>

// Device and inode together say which file it is.
int main(void) {
	struct stat a, b, again;
	assert(fstat(open("file", O_RDONLY), &a) == 0);
	assert(fstat(open("lseek.txt", O_RDONLY), &b) == 0);
	assert(stat("./file", &again) == 0);
	assert(a.st_dev == b.st_dev && a.st_ino != b.st_ino);
	assert(a.st_dev == again.st_dev && a.st_ino == again.st_ino);
}
