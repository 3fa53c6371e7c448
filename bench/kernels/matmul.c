// Multiplies two matrices of 256 by 256 numbers, as often as its argument says, and
// checks each sum against the closed form that these matrices have.
#include <stdio.h>
#include <stdlib.h>

#define N 256
static double a[N][N], b[N][N], c[N][N];

int main(int argc, char **argv) {
    int rounds = argc > 1 ? atoi(argv[1]) : 1;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) { a[i][j] = i + j; b[i][j] = i - j; }
    for (int r = 0; r < rounds; r++)
        for (int i = 0; i < N; i++)
            for (int k = 0; k < N; k++) {
                double factor = a[i][k];
                for (int j = 0; j < N; j++) c[i][j] += factor * b[k][j];
            }
    double squares = (N - 1.0) * N * (2 * N - 1) / 6, sum = (N - 1.0) * N / 2;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            if (c[i][j] != rounds * (squares + (i - j) * sum - (double)N * i * j)) return 1;
    printf("%.17g\n", c[N / 2][N / 3]);
    return 0;
}
