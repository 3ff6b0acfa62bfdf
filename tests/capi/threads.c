/* Four ranks as threads of one C program: a world over mem://, with every kind of call that needs a peer. */
#define _GNU_SOURCE
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "expect.h"

enum { kRanks = 4 };

static void reductions(psGroup group, int rank) {
  int64_t one = rank + 1;
  int64_t sum = 0;
  EXPECT(psAllReduce(group, &one, &sum, 1, PS_INT64, PS_SUM, NULL, NULL), PS_OK);
  CHECK(sum == 10);
  int64_t most = 0;
  EXPECT(psReduce(group, &one, rank == 2 ? &most : NULL, 1, PS_INT64, PS_MAX, 2, NULL, NULL), PS_OK);
  CHECK(most == (rank == 2 ? 4 : 0));

  int32_t blocks[kRanks] = {1, 2, 3, 4};
  int32_t mine = 0;
  EXPECT(psReduceScatter(group, blocks, &mine, 1, PS_INT32, PS_SUM, NULL, NULL), PS_OK);
  CHECK(mine == 4 * (rank + 1));
  const size_t counts[kRanks] = {0, 1, 2, 1};
  int32_t part[2] = {0};
  EXPECT(psReduceScatterV(group, blocks, part, counts, PS_INT32, PS_SUM, NULL, NULL), PS_OK);
  CHECK(part[0] == (rank == 0 ? 0 : rank == 1 ? 4 : rank == 2 ? 8 : 16) && part[1] == (rank == 2 ? 12 : 0));

  enum { kLarge = 300000 };
  float* values = malloc(kLarge * sizeof(float));
  CHECK(values != NULL);
  for (int i = 0; i < kLarge; ++i) values[i] = (float)(i % 100 + rank);
  EXPECT(psAllReduce(group, values, values, kLarge, PS_FLOAT32, PS_SUM, NULL, NULL), PS_OK);
  for (int i = 0; i < kLarge; ++i) CHECK(values[i] == (float)(4 * (i % 100) + 6));
  free(values);
}

static void gathers(psGroup group, int rank) {
  const int32_t mine = 10 * rank;
  int32_t all[kRanks] = {0};
  EXPECT(psAllGather(group, &mine, all, 1, PS_INT32, NULL, NULL), PS_OK);
  for (int r = 0; r < kRanks; ++r) CHECK(all[r] == 10 * r);
  memset(all, 0, sizeof(all));
  EXPECT(psGather(group, &mine, all, 1, PS_INT32, 1, NULL, NULL), PS_OK);
  CHECK(all[3] == (rank == 1 ? 30 : 0));

  /* Rank r gives r elements, and they are received from behind. */
  const size_t counts[kRanks] = {0, 1, 2, 3};
  const size_t offsets[kRanks] = {6, 5, 3, 0};
  const char text[3] = {(char)('a' + rank), (char)('a' + rank), (char)('a' + rank)};
  char joined[7] = "";
  EXPECT(psAllGatherV(group, text, (size_t)rank, joined, counts, offsets, PS_INT8, NULL, NULL), PS_OK);
  CHECK(strcmp(joined, "dddccb") == 0);
  memset(joined, 0, sizeof(joined));
  EXPECT(psGatherV(group, text, (size_t)rank, joined, rank == 0 ? counts : NULL, NULL, PS_INT8, 0, NULL, NULL), PS_OK);
  CHECK(strcmp(joined, rank == 0 ? "bccddd" : "") == 0);
}

static void scatters(psGroup group, int rank) {
  int32_t word = rank == 3 ? 42 : 0;
  EXPECT(psBroadcast(group, &word, &word, 1, PS_INT32, 3, NULL, NULL), PS_OK);
  CHECK(word == 42);
  const int32_t blocks[kRanks] = {7, 8, 9, 10};
  EXPECT(psScatter(group, rank == 0 ? blocks : NULL, &word, 1, PS_INT32, 0, NULL, NULL), PS_OK);
  CHECK(word == 7 + rank);
  const size_t counts[kRanks] = {1, 0, 2, 1};
  int32_t part[2] = {0};
  EXPECT(psScatterV(group, blocks, counts, NULL, part, counts[rank], PS_INT32, 0, NULL, NULL), PS_OK);
  CHECK(part[0] == (rank == 0 ? 7 : rank == 1 ? 0 : rank == 2 ? 8 : 10) && part[1] == (rank == 2 ? 9 : 0));

  int32_t out[kRanks];
  int32_t in[kRanks] = {0};
  for (int r = 0; r < kRanks; ++r) out[r] = 10 * rank + r;
  EXPECT(psAllToAll(group, out, in, 1, PS_INT32, NULL, NULL), PS_OK);
  for (int r = 0; r < kRanks; ++r) CHECK(in[r] == 10 * r + rank);
  const size_t ones[kRanks] = {1, 1, 1, 1};
  const size_t backwards[kRanks] = {3, 2, 1, 0};
  EXPECT(psAllToAllV(group, out, ones, NULL, in, ones, backwards, PS_INT32, NULL, NULL), PS_OK);
  for (int r = 0; r < kRanks; ++r) CHECK(in[3 - r] == 10 * r + rank);
}

static void messages(psGroup group, int rank) {
  int32_t token = 100 + rank;
  int32_t got = 0;
  EXPECT(psSendRecv(group, &token, 1, PS_NEXT, &got, 1, PS_PREV, PS_INT32, 0, NULL, NULL), PS_OK);
  CHECK(got == 100 + (rank + 3) % kRanks);
  if (rank % 2 == 0) {
    EXPECT(psSend(group, &token, 1, PS_INT32, rank + 1, 8, NULL, NULL), PS_OK);
  } else {
    EXPECT(psRecv(group, &got, 1, PS_INT32, rank - 1, 8, NULL, NULL), PS_OK);
    CHECK(got == 100 + rank - 1);
  }
  psMessage both[2] = {PS_MESSAGE_INIT, PS_MESSAGE_INIT};
  int32_t back = 0;
  both[0].direction = PS_SEND, both[0].buffer = &token, both[0].peer = PS_PREV;
  both[1].direction = PS_RECV, both[1].buffer = &back, both[1].peer = PS_NEXT;
  both[0].count = both[1].count = 1;
  both[0].dtype = both[1].dtype = PS_INT32;
  psWork work = NULL;
  EXPECT(psBatch(group, both, 2, NULL, &work), PS_OK);
  EXPECT(psWorkWait(work, -1), PS_OK);
  CHECK(back == 100 + (rank + 1) % kRanks);
  EXPECT(psWorkFree(work), PS_OK);
}

static void subgroups(psContext context, psGroup world, int rank) {
  psGroup part = NULL;
  EXPECT(psSplitGroup(world, rank % 2, -rank, NULL, &part), PS_OK); /* the higher rank comes first */
  psGroupInfo info = PS_GROUP_INFO_INIT;
  EXPECT(psGetGroupInfo(part, &info), PS_OK);
  CHECK(info.size == 2 && info.rank == (rank < 2 ? 1 : 0) && info.global_first == 2 + rank % 2);
  int32_t sum = rank;
  EXPECT(psAllReduce(part, &sum, &sum, 1, PS_INT32, PS_SUM, NULL, NULL), PS_OK);
  CHECK(sum == (rank % 2 == 0 ? 2 : 4));
  EXPECT(psGroupFree(part), PS_OK);

  const int32_t ends[2] = {3, 0};
  psGroup pair = NULL;
  if (rank == 0 || rank == 3) {
    EXPECT(psNewGroup(context, ends, 2, NULL, &pair), PS_OK);
    EXPECT(psBarrier(pair, NULL), PS_OK);
  } else {
    EXPECT(psNewGroup(context, ends, 2, NULL, &pair), PS_ERR_ARGUMENT); /* a stranger to its own list */
  }
  EXPECT(psGroupFree(pair), PS_OK);
}

/* Two calls that differ are an error on every rank, which names both; another group is unharmed. */
static void mismatches(psGroup world, int rank) {
  psGroup group = NULL;
  psGroupOptions options = PS_GROUP_OPTIONS_INIT;
  options.flags = PS_OWN_COMMUNICATOR;
  EXPECT(psSplitGroup(world, 0, rank, &options, &group), PS_OK);
  int32_t word = 1;
  int32_t sum = -1;
  EXPECT(psAllReduce(group, &word, &sum, 1, PS_INT32, rank == 2 ? PS_MAX : PS_SUM, NULL, NULL), PS_ERR_MISMATCH);
  CHECK(strstr(psLastError(), "2") != NULL && sum == -1);
  EXPECT(psBarrier(group, NULL), PS_ERR_MISMATCH);
  EXPECT(psGroupFree(group), PS_OK);
  EXPECT(psBarrier(world, NULL), PS_OK);
}

/* A thread that is to be cancelled ends between two calls, not within its first one to a peer. */
static void* send_and_end(void* argument) {
  psGroup group = argument;
  const int32_t word = 77;
  CHECK(pthread_cancel(pthread_self()) == 0);
  EXPECT(psSend(group, &word, 1, PS_INT32, 1, 9, NULL, NULL), PS_OK);
  pthread_testcancel();
  return NULL;
}

static void cancellation(psGroup world, int rank) {
  psGroup group = NULL;
  psGroupOptions options = PS_GROUP_OPTIONS_INIT;
  options.flags = PS_OWN_COMMUNICATOR;
  EXPECT(psSplitGroup(world, 0, rank, &options, &group), PS_OK);
  if (rank == 0) {
    pthread_t thread;
    void* end = NULL;
    CHECK(pthread_create(&thread, NULL, send_and_end, group) == 0);
    CHECK(pthread_join(thread, &end) == 0 && end == PTHREAD_CANCELED);
  } else if (rank == 1) {
    int32_t word = 0;
    EXPECT(psRecv(group, &word, 1, PS_INT32, 0, 9, NULL, NULL), PS_OK);
    CHECK(word == 77);
  }
  EXPECT(psGroupFree(group), PS_OK);
}

static void* run(void* argument) {
  const int rank = *(const int*)argument;
  psConfig config = PS_CONFIG_INIT;
  config.flags = PS_NO_ENVIRONMENT | PS_HOST_ONLY;
  config.rank = rank;
  config.world_size = kRanks;
  config.rendezvous = "mem://threads";
  config.timeout_ms = config.init_timeout_ms = 60000;
  psContext context = NULL;
  psGroup world = NULL;
  EXPECT(psInit(&config, &context), PS_OK);
  EXPECT(psGetGroup(context, "world", &world), PS_OK);

  EXPECT(psBarrier(world, NULL), PS_OK);
  reductions(world, rank);
  gathers(world, rank);
  scatters(world, rank);
  messages(world, rank);
  subgroups(context, world, rank);
  mismatches(world, rank);
  cancellation(world, rank);

  EXPECT(psGroupFree(world), PS_OK);
  EXPECT(psFinalize(context), PS_OK);
  return NULL;
}

int main(void) {
  alarm(150);
  pthread_t threads[kRanks];
  int ranks[kRanks];
  for (int r = 0; r < kRanks; ++r) {
    ranks[r] = r;
    CHECK(pthread_create(&threads[r], NULL, run, &ranks[r]) == 0);
  }
  for (int r = 0; r < kRanks; ++r) CHECK(pthread_join(threads[r], NULL) == 0);
  puts("four threads agreed");
  return 0;
}
