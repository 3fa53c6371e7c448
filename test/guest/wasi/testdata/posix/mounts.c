#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wasi/api.h>

// Three folders: /one and /two/deep can be written, /three cannot. They are file systems
// of their own, and descriptors 3 to 5, in the order of the command line.

#define gives(code, call) (errno = 0, assert((call) == -1), assert(errno == (code)))

int main(void) {
	const char *names[] = {"/one", "/two/deep", "/three"};
	struct stat a, b;
	for (int i = 0; i < 3; i++) {
		uint8_t name[16] = "";
		__wasi_prestat_t pre;
		assert(__wasi_fd_prestat_get(3 + i, &pre) == 0 && pre.u.dir.pr_name_len == strlen(names[i]));
		assert(__wasi_fd_prestat_dir_name(3 + i, name, sizeof name) == 0 && strcmp((char *)name, names[i]) == 0);
	}
	__wasi_prestat_t none;
	assert(__wasi_fd_prestat_get(6, &none) == __WASI_ERRNO_BADF);

	gives(EXDEV, rename("/one/file", "/two/deep/file"));
	gives(EXDEV, link("/one/file", "/two/deep/file"));
	assert(rename("/three/file", "/one/new") == -1 && (errno == EXDEV || errno == EROFS));
	gives(EROFS, open("/three/new", O_CREAT | O_WRONLY, 0600));
	assert(stat("/one/file", &a) == 0 && stat("/three/file", &b) == 0 && (a.st_ino != b.st_ino || a.st_dev != b.st_dev));
	assert(symlink("../three/file", "/one/link") == 0);
	assert(open("/one/link", O_RDONLY) == -1 && (errno == EPERM || errno == ENOTCAPABLE));
	assert(unlink("/one/link") == 0);
	assert(!opendir("/") && !opendir("/two"));
	assert(mkdir("/two/deep/er", 0700) == 0 && chdir("/two/deep/er") == 0);
	int fd = open("here", O_CREAT | O_WRONLY, 0600);
	assert(fd == 6 && close(fd) == 0);
	assert(unlink("/two/deep/er/here") == 0 && rmdir("/two/deep/er") == 0);
}
