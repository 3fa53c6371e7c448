// Counts pseudo-random keys in a hash map with open addressing, looks each of them
// up again and removes every second one, as often as its argument says.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define SLOTS (1 << 17)
#define KEYS 60000
typedef struct { uint64_t key; uint32_t count, used; } slot;
static slot map[SLOTS];

static uint64_t state;

static uint64_t next(void) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static uint32_t hash(uint64_t key) {
    key = (key ^ key >> 33) * 0xff51afd7ed558ccdu;
    key = (key ^ key >> 33) * 0xc4ceb9fe1a85ec53u;
    return (key ^ key >> 33) & (SLOTS - 1);
}

// The slot of a key, or the free one where it belongs.
static slot *find(uint64_t key) {
    uint32_t i = hash(key);
    while (map[i].used && map[i].key != key) i = (i + 1) & (SLOTS - 1);
    return &map[i];
}

// Whatever would no longer be found behind the gap moves into it.
static void erase(slot *s) {
    uint32_t gap = s - map;
    for (uint32_t i = (gap + 1) & (SLOTS - 1); map[i].used; i = (i + 1) & (SLOTS - 1)) {
        uint32_t home = hash(map[i].key);
        if (((i - home) & (SLOTS - 1)) >= ((i - gap) & (SLOTS - 1))) {
            map[gap] = map[i];
            gap = i;
        }
    }
    map[gap].used = 0;
}

int main(int argc, char **argv) {
    int rounds = argc > 1 ? atoi(argv[1]) : 1;
    uint64_t sum = 0;
    for (int r = 0; r < rounds; r++) {
        uint64_t seed = 88172645463325252u + r;
        uint32_t live = 0, counted = 0;
        state = seed;
        for (int i = 0; i < KEYS; i++) {
            slot *s = find(next() % (KEYS * 2));
            if (!s->used) { s->used = 1; s->count = 0; live++; }
            s->key = state % (KEYS * 2);
            s->count++;
        }
        state = seed;
        for (int i = 0; i < KEYS; i++) {
            slot *s = find(next() % (KEYS * 2));
            sum = sum * 31 + s->count;
            if (s->used && i % 2) { counted += s->count; erase(s); live--; }
        }
        for (int i = 0; i < SLOTS; i++)
            if (map[i].used) { counted += map[i].count; live--; map[i].used = 0; }
        if (live != 0 || counted != KEYS) return 1;
    }
    printf("%016llx\n", (unsigned long long)sum);
    return 0;
}
