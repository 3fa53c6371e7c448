#include "preview1.h"

enum { clock_id = 0x12345678, first_id = 77 };

static __wasi_subscription_t timeout(uint64_t after) {
	return (__wasi_subscription_t){.userdata = clock_id, .u = {.tag = __WASI_EVENTTYPE_CLOCK, .u.clock = {.id = __WASI_CLOCKID_MONOTONIC, .timeout = after}}};
}

static __wasi_subscription_t ready(int type, fd_t fd) {
	return (__wasi_subscription_t){.userdata = first_id + fd, .u = {.tag = type, .u.fd_read.file_descriptor = fd}};
}

// Input that is there, or at its end, is ready at once, and so is output.
int main(void) {
	__wasi_event_t events[4];
	__wasi_size_t n = 0;
	__wasi_subscription_t input[] = {timeout(200000000), ready(__WASI_EVENTTYPE_FD_READ, in)};
	ok(poll_oneoff, input, events, 2, &n);
	check(n == 1 && events[0].userdata == first_id + in);
	check(events[0].type == __WASI_EVENTTYPE_FD_READ && events[0].error == 0);

	__wasi_subscription_t output[] = {ready(__WASI_EVENTTYPE_FD_WRITE, out), timeout(200000000), ready(__WASI_EVENTTYPE_FD_WRITE, err)};
	ok(poll_oneoff, output, events, 3, &n);
	check(n == 2 && events[0].userdata == first_id + out && events[1].userdata == first_id + err);
	for (int i = 0; i < 2; i++) check(events[i].type == __WASI_EVENTTYPE_FD_WRITE && events[i].error == 0);

	__wasi_subscription_t alone = timeout(1000000);
	ok(poll_oneoff, &alone, events, 1, &n);
	check(n == 1 && events[0].userdata == clock_id && events[0].type == __WASI_EVENTTYPE_CLOCK && events[0].error == 0);

	__wasi_subscription_t none = ready(__WASI_EVENTTYPE_FD_READ, 1000);
	ok(poll_oneoff, &none, events, 1, &n);
	check(n == 1 && events[0].error == E(BADF));
	fails(E(INVAL), poll_oneoff, &none, events, 0, &n);
}
