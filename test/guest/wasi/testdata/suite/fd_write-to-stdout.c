#include "preview1.h"

int main(void) {
	wrote(out, "hello", 5);
	wrote(out, "", 0);
	__wasi_ciovec_t parts[] = {{(const uint8_t *)" wo", 3}, {0, 0}, {(const uint8_t *)"rld", 3}};
	__wasi_size_t n = 0;
	ok(fd_write, out, parts, 3, &n);
	check(n == 6);
	ok(fd_write, out, parts, 0, &n);
	check(n == 0);
}
