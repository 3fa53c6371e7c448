#include <assert.h>
#include <time.h>

int main(void) {
	struct timespec t;
	assert(clock_getres(CLOCK_MONOTONIC, &t) == 0);
	assert(t.tv_sec == 0 && t.tv_nsec > 0);
}
