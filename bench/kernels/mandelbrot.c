// Counts how long each of 256 by 256 points stays within the Mandelbrot set's
// bound, at most 255 steps, as often as its argument says. The picture is moved a
// little each time, and mirrored at the real axis, which is checked.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define N 256
static uint8_t picture[N + 1][N];

static int steps(double cx, double cy) {
    double x = 0, y = 0;
    int n = 0;
    for (; n < 255; n++) {
        double xx = x * x, yy = y * y;
        if (xx + yy > 4) break;
        y = 2 * x * y + cy;
        x = xx - yy + cx;
    }
    return n;
}

int main(int argc, char **argv) {
    int rounds = argc > 1 ? atoi(argv[1]) : 1;
    uint32_t sum = 0;
    for (int r = 0; r < rounds; r++) {
        for (int i = 0; i <= N; i++)
            for (int j = 0; j < N; j++) picture[i][j] = steps((j - 170 + r % 7 / 8.0) / 85, (i - N / 2) / 85.0);
        for (int i = 0; i <= N; i++)
            for (int j = 0; j < N; j++) {
                if (picture[i][j] != picture[N - i][j]) return 1;
                sum = sum * 31 + picture[i][j];
            }
    }
    printf("%08x\n", sum);
    return 0;
}
