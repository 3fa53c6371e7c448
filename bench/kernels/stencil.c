// Lets heat spread over a plate of 512 by 512 points: each becomes the mean of
// itself and its four neighbours, twice for each round. The rim stays as it is.
#include <stdio.h>
#include <stdlib.h>

#define N 512
static double a[N][N], b[N][N];

static void step(double (*restrict to)[N], double (*restrict from)[N]) {
    for (int i = 1; i < N - 1; i++)
        for (int j = 1; j < N - 1; j++)
            to[i][j] = 0.2 * (from[i][j] + from[i][j - 1] + from[i][j + 1] + from[i - 1][j] + from[i + 1][j]);
}

int main(int argc, char **argv) {
    int rounds = argc > 1 ? atoi(argv[1]) : 1;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) a[i][j] = b[i][j] = (i * 31 + j * 17) % 256;
    for (int r = 0; r < rounds; r++) {
        step(b, a);
        step(a, b);
    }
    double sum = 0;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            if (!(a[i][j] >= 0 && a[i][j] <= 255)) return 1; // a mean is between what it is of
            sum += a[i][j] * (i ^ j);
        }
    printf("%.17g\n", sum);
    return 0;
}
