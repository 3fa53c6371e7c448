#include "preview1.h"

int main(void) {
	__wasi_size_t count = 9, size = 9;
	ok(environ_sizes_get, &count, &size);
	check(count == 0 && size == 0);
}
