/* Many rounds of psInit and psFinalize in one process leave nothing behind: no descriptor, thread, mapping, memory or
 * file.
 *
 * usage: rounds COUNT */
#define _GNU_SOURCE
#include <malloc.h>
#include <pthread.h>
#include <unistd.h>

#include "expect.h"
#include "process.h"

enum { kThreads = 2 };

static const char* rendezvous;

static void take_part(int rank, int world_size) {
  psConfig config = PS_CONFIG_INIT;
  config.flags = PS_NO_ENVIRONMENT | PS_HOST_ONLY;
  config.rank = rank;
  config.world_size = world_size;
  config.rendezvous = rendezvous;
  config.timeout_ms = config.init_timeout_ms = 60000;
  psContext context = NULL;
  psGroup world = NULL;
  psStore store = NULL;
  psWork work = NULL;
  EXPECT(psInit(&config, &context), PS_OK);
  EXPECT(psGetGroup(context, "world", &world), PS_OK);
  EXPECT(psGetStore(context, &store), PS_OK);
  EXPECT(psStoreSet(store, "greeting", "hello", 5, 0), PS_OK);
  int32_t sum = 1;
  EXPECT(psAllReduce(world, &sum, &sum, 1, PS_INT32, PS_SUM, NULL, &work), PS_OK);
  EXPECT(psWorkWait(work, -1), PS_OK);
  CHECK(sum == world_size);
  EXPECT(psWorkFree(work), PS_OK);
  EXPECT(psStoreFree(store), PS_OK);
  EXPECT(psGroupFree(world), PS_OK);
  EXPECT(psFinalize(context), PS_OK);
}

static void* rank_of_threads(void* argument) {
  take_part(*(const int*)argument, kThreads);
  return NULL;
}

/* A world of threads that always meet under the same name. */
static void round_of_threads(void) {
  rendezvous = "mem://rounds";
  pthread_t threads[kThreads];
  int ranks[kThreads];
  for (int r = 0; r < kThreads; ++r) {
    ranks[r] = r;
    CHECK(pthread_create(&threads[r], NULL, rank_of_threads, &ranks[r]) == 0);
  }
  for (int r = 0; r < kThreads; ++r) CHECK(pthread_join(threads[r], NULL) == 0);
}

/* A world of one process that always meets at the same socket. */
static char socket_url[64];

static void round_of_process(void) {
  rendezvous = socket_url;
  take_part(0, 1);
}

/* Bytes that the allocator has given out. The sanitizers have their own, and check for leaks themselves. */
static size_t memory_in_use(void) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return 0;
#else
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
#endif
}

static void repeat(const char* what, void (*round)(void), int count) {
  /* The allocator's arenas and the store's tables fill in the first tenth. */
  for (int i = 0; i < count / 10 + 1; ++i) round();
  const int descriptors = ps_count_descriptors();
  const int threads = ps_settled_threads(1);
  const int mappings = ps_count_mappings();
  const size_t memory = memory_in_use();
  for (int i = 0; i < count; ++i) round();
  const int threads_after = ps_settled_threads(threads);
  const int mappings_after = ps_count_mappings();
  const size_t memory_after = memory_in_use();
  printf("%s: descriptors %d to %d, threads %d to %d, mappings %d to %d, heap %zu to %zu bytes\n", what, descriptors,
         ps_count_descriptors(), threads, threads_after, mappings, mappings_after, memory, memory_after);
  CHECK(ps_count_descriptors() == descriptors);
  CHECK(threads_after == threads);
  /* Freed handles are kept for late reuse, some hundred KiB at most; a round that leaked its context would cost several
   * KiB and a mapping each time. */
  CHECK(mappings_after < mappings + count / 4 + 16);
  CHECK(memory_after < memory + (1u << 20));
}

int main(int argc, char** argv) {
  alarm(550);
  CHECK(argc == 2);
  const int count = atoi(argv[1]);
  CHECK(count > 0);
  repeat("threads", round_of_threads, count);

  char folder[] = "/tmp/ps-rounds-XXXXXX";
  CHECK(mkdtemp(folder) != NULL);
  snprintf(socket_url, sizeof(socket_url), "unix://%s/meeting", folder);
  repeat("process", round_of_process, count);
  CHECK(ps_count_entries(folder) == 0);
  CHECK(rmdir(folder) == 0);
  return 0;
}
