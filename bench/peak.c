// What the cores can multiply and add at most: independent fused multiply-adds that stay in registers, on every core.
//   cc -O3 -march=native -pthread peak.c -o peak && ./peak <threads>      prints GFLOP/s in float32, and a sum
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#if defined(__AVX512F__)
#define LANES 16
#elif defined(__AVX__)
#define LANES 8
#else
#define LANES 4
#endif
typedef float vector __attribute__((vector_size(LANES * sizeof(float))));

enum { CHAINS = 12, ROUNDS = 40000000 };
static float sink[64];

static void *work(void *place) {
  vector sums[CHAINS], a, b;
  for (int lane = 0; lane < LANES; lane++) a[lane] = 0.999f, b[lane] = 0.001f;
  // Chains that start apart and are all read at the end: the compiler can leave out none.
  for (int chain = 0; chain < CHAINS; chain++) sums[chain] = a * (float)(chain + 1 + (long)place);
  for (int round = 0; round < ROUNDS; round++)
#pragma GCC unroll 12
    for (int chain = 0; chain < CHAINS; chain++) sums[chain] = sums[chain] * a + b;
  float total = 0;
  for (int chain = 0; chain < CHAINS; chain++)
    for (int lane = 0; lane < LANES; lane++) total += sums[chain][lane];
  sink[(long)place] = total;
  return NULL;
}

int main(int count, char **arguments) {
  int threads = count > 1 ? atoi(arguments[1]) : 1;
  if (threads < 1 || threads > 64) return 2;
  pthread_t ids[64];
  struct timespec start, end;
  clock_gettime(CLOCK_MONOTONIC, &start);
  for (long at = 0; at < threads; at++) pthread_create(&ids[at], NULL, work, (void *)at);
  for (int at = 0; at < threads; at++) pthread_join(ids[at], NULL);
  clock_gettime(CLOCK_MONOTONIC, &end);
  double seconds = (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9;
  printf("%.1f %g\n", 2.0 * LANES * CHAINS * ROUNDS * threads / seconds / 1e9, sink[0]);
  return 0;
}
