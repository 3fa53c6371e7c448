#include "preview1.h"

// Advice changes nothing that a program sees.
int main(void) {
	fd_t file = opened(root, "new", O(CREAT), FILE_RIGHTS);
	check(stat_fd(file).size == 0);
	ok(fd_filestat_set_size, file, 100);
	check(stat_fd(file).size == 100);
	for (int advice = 0; advice <= __WASI_ADVICE_NOREUSE; advice++) ok(fd_advise, file, 10, 50, advice);
	fails(E(INVAL), fd_advise, file, 10, 50, __WASI_ADVICE_NOREUSE + 1);
	ok(fd_advise, file, 10, 0, __WASI_ADVICE_NORMAL);
	check(stat_fd(file).size == 100);
	int errno_ = __wasi_fd_allocate(file, 100, 100);
	check(errno_ == 0 || errno_ == E(NOTSUP));
	check(stat_fd(file).size == (errno_ ? 100 : 200));
	ok(fd_close, file);
	ok(path_unlink_file, root, "new");
}
