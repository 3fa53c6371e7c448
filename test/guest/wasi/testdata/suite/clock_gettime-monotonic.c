#include <assert.h>
#include <time.h>

// Time goes on from one call to the next.
int main(void) {
	struct timespec a, b;
	assert(clock_gettime(CLOCK_MONOTONIC, &a) == 0);
	assert(clock_gettime(CLOCK_MONOTONIC, &b) == 0);
	assert(a.tv_sec < b.tv_sec || (a.tv_sec == b.tv_sec && a.tv_nsec < b.tv_nsec));
}
