// A C program that calls psAllReduce for 8 bytes again and again: what calls in Python are compared to. Run by
// psctl run.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "parallelstate.h"

int peer_time_calls(const char* shared, int rank, int ranks, void (*make_calls)(int64_t n));

static psGroup world;
static float values[2];

static void check(psResult result) {
  if (result == PS_OK) return;
  fprintf(stderr, "c_calls: %s: %s\n", psResultName(result), psLastError());
  exit(1);
}

static void make_calls(int64_t n) {
  for (int64_t i = 0; i < n; ++i) check(psAllReduce(world, values, values, 2, PS_FLOAT32, PS_SUM, NULL, NULL));
}

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  psContext context;
  check(psInit(NULL, &context));
  psWorldInfo info = PS_WORLD_INFO_INIT;
  check(psGetWorldInfo(context, &info));
  check(psGetGroup(context, "world", &world));
  const int status = peer_time_calls(argv[1], info.rank, info.world_size, make_calls);
  check(psFinalize(context));
  return status;
}
