#include "preview1.h"

int main(void) {
	ok(sched_yield);
}
