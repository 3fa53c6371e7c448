#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

// Writes 1 GiB to a file in /out, reads it back, removes it, and writes how many bytes came.
int main(void) {
	static char bytes[64 << 10];
	const long most = 1L << 30;
	long total = 0;
	memset(bytes, 'x', sizeof bytes);
	int fd = open("/out/file", O_RDWR | O_CREAT | O_EXCL, 0600);
	for (long at = 0; at < most; at += sizeof bytes)
		if (write(fd, bytes, sizeof bytes) != sizeof bytes) return 1;
	lseek(fd, 0, SEEK_SET);
	for (ssize_t n; (n = read(fd, bytes, sizeof bytes)) > 0;) total += n;
	close(fd);
	unlink("/out/file");
	printf("%ld", total);
}
