#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

// What a listing says of a file is what stat says of it.
int main(void) {
	int fd = open("fopendir.dir", O_RDONLY | O_DIRECTORY), seen = 0;
	DIR *folder = fdopendir(fd);
	ino_t inodes[2];
	assert(fd >= 0 && folder);
	for (struct dirent *entry; (entry = readdir(folder));) {
		struct stat s;
		if (entry->d_name[0] == '.') continue;
		assert(strcmp(entry->d_name, seen ? "file-1" : "file-0") == 0);
		assert(entry->d_type == DT_REG);
		assert(fstatat(fd, entry->d_name, &s, AT_SYMLINK_NOFOLLOW) == 0);
		assert(s.st_ino == entry->d_ino);
		inodes[seen++] = s.st_ino;
	}
	assert(seen == 2 && inodes[0] != inodes[1]);
	assert(closedir(folder) == 0);
}
