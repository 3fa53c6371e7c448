// Sorts 200000 pseudo-random numbers, as often as its argument says.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define N 200000
static uint32_t v[N];

static void quicksort(uint32_t *p, int lo, int hi) {
    while (lo < hi) {
        uint32_t pivot = p[lo + (hi - lo) / 2];
        int i = lo, j = hi;
        while (i <= j) {
            while (p[i] < pivot) i++;
            while (p[j] > pivot) j--;
            if (i <= j) { uint32_t t = p[i]; p[i++] = p[j]; p[j--] = t; }
        }
        quicksort(p, lo, j);
        lo = i;
    }
}

int main(int argc, char **argv) {
    int rounds = argc > 1 ? atoi(argv[1]) : 1;
    uint32_t x = 1, sum = 0;
    for (int r = 0; r < rounds; r++) {
        for (int i = 0; i < N; i++) { x = x * 1664525 + 1013904223; v[i] = x; }
        quicksort(v, 0, N - 1);
        for (int i = 0; i < N; i += 1000) sum = sum * 31 + v[i];
    }
    for (int i = 1; i < N; i++)
        if (v[i - 1] > v[i]) return 1;
    printf("%u\n", sum);
    return 0;
}
