#include "preview1.h"

// The descriptor is looked at before the bytes are.
int main(void) {
	__wasi_size_t n = 5;
	fails(E(BADF), fd_write, -31337, 0, 0, &n);
	fails(E(BADF), fd_write, 1000, 0, 0, &n);
	fails(E(BADF), fd_write, 0x7fffffff, 0, 0, &n);
	fails(E(BADF), fd_write, 0x80000000, 0, 0, &n);
	check(n == 5);
}
