#include <assert.h>
#include <time.h>

// By default it is the year 2000, and never before that.
int main(void) {
	struct timespec t;
	assert(clock_gettime(CLOCK_REALTIME, &t) == 0);
	assert(t.tv_sec >= 946684800 && t.tv_nsec < 1000000000);
}
