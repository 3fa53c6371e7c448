#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

// Reads the 10,000 files of a folder five times, and writes how many bytes that were.
int main(void) {
	static char bytes[8192];
	char name[16];
	long total = 0;
	for (int i = 0; i < 5 * 10000; i++) {
		snprintf(name, sizeof name, "%d", i % 10000);
		int fd = open(name, O_RDONLY);
		for (ssize_t n; (n = read(fd, bytes, sizeof bytes)) > 0;) total += n;
		close(fd);
	}
	printf("%ld", total);
}
