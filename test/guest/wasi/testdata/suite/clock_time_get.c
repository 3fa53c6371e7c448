#include "preview1.h"

int main(void) {
	__wasi_timestamp_t first, second, third;
	ok(clock_time_get, __WASI_CLOCKID_MONOTONIC, 1, &first);
	ok(clock_time_get, __WASI_CLOCKID_MONOTONIC, 0, &second);
	ok(clock_time_get, __WASI_CLOCKID_MONOTONIC, ~0ull, &third);
	check(first < second && second < third);
	ok(clock_time_get, __WASI_CLOCKID_REALTIME, 0, &first);
	fails(E(INVAL), clock_time_get, 99, 0, &first);
}
