// Compresses 1 MiB of text by references to what was seen before (LZ77, one hash of
// four bytes, a window of 64 KiB), and back, as often as its argument says. What
// comes back must be what there was.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define SIZE (1 << 20)
#define BITS 15
#define MIN 4
static uint8_t text[SIZE], packed[SIZE + SIZE / 64], back[SIZE];
static uint32_t seen[1 << BITS];

static uint32_t four(const uint8_t *p) { return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24; }

// A number in groups of seven bits, the last without the eighth.
static uint8_t *number(uint8_t *out, uint32_t n) {
    for (; n > 127; n >>= 7) *out++ = n | 128;
    *out++ = n;
    return out;
}

static uint32_t pack(void) {
    uint8_t *out = packed;
    uint32_t from = 0, i = 0;
    for (int h = 0; h < 1 << BITS; h++) seen[h] = UINT32_MAX;
    while (i + MIN <= SIZE) {
        uint32_t key = four(text + i) * 2654435761u >> (32 - BITS), was = seen[key];
        seen[key] = i;
        if (was == UINT32_MAX || i - was > 65535 || four(text + was) != four(text + i)) { i++; continue; }
        uint32_t n = MIN;
        while (i + n < SIZE && text[was + n] == text[i + n]) n++;
        out = number(out, i - from);
        for (; from < i; from++) *out++ = text[from];
        out = number(number(out, n - MIN), i - was);
        from = i += n;
    }
    out = number(out, SIZE - from);
    for (; from < SIZE; from++) *out++ = text[from];
    return out - packed;
}

static uint32_t get(const uint8_t **p) {
    uint32_t n = 0;
    for (int shift = 0;; shift += 7) {
        uint8_t b = *(*p)++;
        n |= (uint32_t)(b & 127) << shift;
        if (b < 128) return n;
    }
}

static void unpack(void) {
    const uint8_t *p = packed;
    for (uint32_t i = 0;;) {
        for (uint32_t n = get(&p); n > 0; n--) back[i++] = *p++;
        if (i == SIZE) return;
        uint32_t n = get(&p) + MIN, away = get(&p);
        for (; n > 0; n--, i++) back[i] = back[i - away];
    }
}

// Words of a made-up language: some are frequent, and most are rare.
static void fill(void) {
    uint32_t x = 2463534242u, at = 0;
    while (at < SIZE) {
        x ^= x << 13; x ^= x >> 17; x ^= x << 5;
        uint32_t rank = x % 2048 * (x >> 11 & 2047) >> 11, w = rank * 2654435761u;
        for (uint32_t n = 2 + rank % 7; n > 0 && at < SIZE; n--, w = w * 1664525 + 1013904223) text[at++] = 'a' + (w >> 24) % 26;
        if (at < SIZE) text[at++] = ' ';
    }
}

int main(int argc, char **argv) {
    int rounds = argc > 1 ? atoi(argv[1]) : 1;
    uint32_t size = 0;
    fill();
    for (int r = 0; r < rounds; r++) {
        text[r % SIZE] ^= 1;
        size += pack();
        unpack();
        for (uint32_t i = 0; i < SIZE; i++)
            if (text[i] != back[i]) return 1;
    }
    printf("%u\n", size);
    return 0;
}
