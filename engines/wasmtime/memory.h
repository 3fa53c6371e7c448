#include <stdbool.h>
#include <stdint.h>

typedef struct wasm_config_t wasm_config_t;

/* plasm_memory has an engine of this configuration make memories that tell the Go handle
 * of their growth. It reports false when there is no memory for that. */
bool plasm_memory(wasm_config_t *config, uintptr_t growth);
