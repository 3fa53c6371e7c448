#ifdef __linux__
#include <malloc.h>
#endif
#include <pthread.h>
#include <stddef.h>

#include "_cgo_export.h"

#ifdef __linux__
/* One heap: those of threads reserve 64 MiB each, and to give some of it back the C
 * library looks into /proc, which a worker may not. */
__attribute__((constructor)) static void one_heap(void) {
	mallopt(M_ARENA_MAX, 1);
}
#endif

static void *enter(void *unused) {
	(void)unused;
	plasmGuest();
	return NULL;
}

int plasm_thread(size_t stack) {
	pthread_attr_t attr;
	pthread_t thread;
	int err = pthread_attr_init(&attr);
	if (err == 0)
		err = pthread_attr_setstacksize(&attr, stack);
	if (err == 0)
		err = pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	if (err == 0)
		err = pthread_create(&thread, &attr, enter, NULL);
	return err;
}
