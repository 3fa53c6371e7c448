#include "preview1.h"

// The name of the program is always there.
int main(void) {
	__wasi_size_t count = 0, size = 0;
	ok(args_sizes_get, &count, &size);
	check(count == 1 && size == sizeof "module");
}
