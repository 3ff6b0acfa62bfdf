/* An MPI program whose ranks make a world of their own: rank 0 serves a store, and MPI carries its address to the
 * others. With a path as argument, a file carries it instead. */
#include <mpi.h>
#include <parallelstate.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRY(call) check((call), #call)

static void check(psResult result, const char* call) {
  if (result >= 0) return;
  fprintf(stderr, "%s: %s: %s\n", call, psResultName(result), psLastError());
  MPI_Abort(MPI_COMM_WORLD, 1);
}

static void write_line(const char* path, const char* text) {
  FILE* file = fopen(path, "w");
  if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0) MPI_Abort(MPI_COMM_WORLD, 2);
}

static void read_line(const char* path, char* text, int size) {
  FILE* file = fopen(path, "r");
  if (file == NULL || fgets(text, size, file) == NULL) MPI_Abort(MPI_COMM_WORLD, 3);
  fclose(file);
}

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  const char* path = argc > 1 ? argv[1] : NULL;
  int rank = 0;
  int size = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);

  psStore store = NULL;
  char url[256] = "";
  if (rank == 0) {
    psStoreOptions options = PS_STORE_OPTIONS_INIT;
    options.flags = PS_SERVE;
    const char* address = NULL;
    TRY(psStoreOpen("tcp://127.0.0.1:0", &options, &store));
    TRY(psStoreAddress(store, &address));
    snprintf(url, sizeof url, "%s", address);
    if (path != NULL) write_line(path, url);
  }
  if (path != NULL) {
    MPI_Barrier(MPI_COMM_WORLD);
    read_line(path, url, sizeof url);
  } else {
    MPI_Bcast(url, sizeof url, MPI_CHAR, 0, MPI_COMM_WORLD);
  }

  psConfig config = PS_CONFIG_INIT;
  config.rank = rank;
  config.world_size = size;
  config.rendezvous = url;
  psContext context = NULL;
  psGroup world = NULL;
  TRY(psInit(&config, &context));
  TRY(psGetGroup(context, "world", &world));
  int ours = rank + 1;
  int theirs = rank + 1;
  TRY(psAllReduce(world, &ours, &ours, 1, PS_INT32, PS_SUM, NULL, NULL));
  MPI_Allreduce(MPI_IN_PLACE, &theirs, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  printf("rank=%d size=%d sum=%d mpi=%d\n", rank, size, ours, theirs);
  TRY(psGroupFree(world));
  TRY(psFinalize(context));
  TRY(psStoreFree(store));
  MPI_Finalize();
  return 0;
}
