#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "_cgo_export.h"
#include "memory.h"

/* Of Wasmtime's C interface (wasmtime/config.h, wasmtime/error.h), what makes memories. */
typedef struct wasmtime_error wasmtime_error_t;
typedef struct wasm_memorytype_t wasm_memorytype_t;
typedef struct {
	void *env;
	uint8_t *(*get_memory)(void *env, size_t *size, size_t *capacity);
	wasmtime_error_t *(*grow_memory)(void *env, size_t size);
	void (*finalizer)(void *env);
} linear_memory;
typedef struct {
	void *env;
	wasmtime_error_t *(*new_memory)(void *env, const wasm_memorytype_t *type, size_t minimum, size_t maximum,
					size_t reserve, size_t guard, linear_memory *out);
	void (*finalizer)(void *env);
} memory_creator;
extern wasmtime_error_t *wasmtime_error_new(const char *);
extern void wasmtime_config_host_memory_creator_set(wasm_config_t *, memory_creator *);

/* A linear memory: guard bytes, what may become the guest's, guard bytes. */
typedef struct {
	uintptr_t growth;
	uint8_t *all;
	size_t length, guard, capacity, size;
} memory;

static uint8_t *get(void *env, size_t *size, size_t *capacity) {
	memory *m = env;
	*size = m->size;
	*capacity = m->capacity;
	return m->all + m->guard;
}

static wasmtime_error_t *grow(void *env, size_t size) {
	memory *m = env;
	if (size > m->capacity)
		return wasmtime_error_new("more memory than was reserved");
	if (size > m->size && mprotect(m->all + m->guard + m->size, size - m->size, PROT_READ | PROT_WRITE) != 0) {
		plasmRefused(m->growth);
		return wasmtime_error_new("the system refused memory");
	}
	m->size = size;
	plasmGrew(m->growth, m->all + m->guard, size);
	return NULL;
}

static void discard(void *env) {
	memory *m = env;
	munmap(m->all, m->length);
	free(m);
}

static wasmtime_error_t *new_memory(void *env, const wasm_memorytype_t *type, size_t minimum, size_t maximum,
				    size_t reserve, size_t guard, linear_memory *out) {
	(void)type, (void)maximum;
	uintptr_t growth = *(uintptr_t *)env;
	memory *m = calloc(1, sizeof *m);
	if (m != NULL) {
		*m = (memory){growth, NULL, reserve + 2 * guard, guard, reserve, 0};
		m->all = mmap(NULL, m->length, PROT_NONE, MAP_PRIVATE | MAP_ANON | MAP_NORESERVE, -1, 0);
	}
	if (m == NULL || m->all == MAP_FAILED) {
		free(m);
		plasmRefused(growth);
		return wasmtime_error_new("the system refused address space");
	}
	wasmtime_error_t *refused = grow(m, minimum);
	if (refused != NULL) {
		discard(m);
		return refused;
	}
	*out = (linear_memory){m, get, grow, discard};
	return NULL;
}

bool plasm_memory(wasm_config_t *config, uintptr_t growth) {
	uintptr_t *env = malloc(sizeof *env);
	if (env == NULL)
		return false;
	*env = growth;
	memory_creator creator = {env, new_memory, free};
	wasmtime_config_host_memory_creator_set(config, &creator);
	return true;
}
