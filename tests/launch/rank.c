/* One rank, as a launcher starts it: it is told nothing but what the launcher put into its environment.
 *
 * usage: rank           a sum and a barrier over the world
 *        rank sleep     the same, then waits for its end by a signal
 *        rank hosts     a world that spans hosts: groups over them, collectives and messages
 *        rank last      what the last rank broadcasts before it leaves
 *
 * A line on stdout tells what was found; a failing call's text goes to stderr, and the exit status is 1. */
#include <parallelstate.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TRY(call) check((call), #call)

static void check(psResult result, const char* call) {
  if (result >= 0) return;
  fprintf(stderr, "%s: %s: %s\n", call, psResultName(result), psLastError());
  exit(1);
}

static void require(int condition, const char* what) {
  if (condition) return;
  fprintf(stderr, "not so: %s\n", what);
  exit(1);
}

/* The text of a field in the context's description, "named_by": "torchrun". */
static void described(psContext context, const char* field, char* out, size_t size) {
  psBytes json = NULL;
  const void* data = NULL;
  char key[64];
  TRY(psDescribe(context, &json));
  TRY(psBytesAt(json, 0, &data, NULL, NULL));
  snprintf(key, sizeof key, "\"%s\"", field);
  const char* begin = strstr(data, key);
  require(begin != NULL, field);
  begin = strchr(begin + strlen(key), '"') + 1;
  snprintf(out, size, "%.*s", (int)strcspn(begin, "\""), begin);
  TRY(psBytesFree(json));
}

static int32_t sum(psGroup group, int32_t value) {
  int32_t total = 0;
  TRY(psAllReduce(group, &value, &total, 1, PS_INT32, PS_SUM, NULL, NULL));
  return total;
}

static void one_host(psContext context, const psWorldInfo* info) {
  psGroup world = NULL;
  TRY(psGetGroup(context, "world", &world));
  char by[32];
  described(context, "named_by", by, sizeof by);
  const int32_t total = sum(world, info->rank + 1);
  TRY(psBarrier(world, NULL));
  printf("rank=%d size=%d local=%d/%d nodes=%d by=%s sum=%d\n", info->rank, info->world_size, info->local_rank,
         info->local_size, info->node_count, by, total);
  fflush(stdout);
  TRY(psGroupFree(world));
}

/* What each rank says under its number, the others read. */
static void use_store(psContext context, const psWorldInfo* info) {
  psStore store = NULL;
  TRY(psGetStore(context, &store));
  char key[32];
  snprintf(key, sizeof key, "said by %d", info->rank);
  TRY(psStoreSet(store, key, &info->node, sizeof info->node, 0));
  for (int32_t other = 0; other < info->world_size; ++other) {
    psBytes value = NULL;
    const void* data = NULL;
    int32_t node = -1;
    snprintf(key, sizeof key, "said by %d", other);
    TRY(psStoreGet(store, key, -1, &value));
    TRY(psBytesAt(value, 0, &data, NULL, NULL));
    memcpy(&node, data, sizeof node);
    psRankInfo rank = PS_RANK_INFO_INIT;
    TRY(psGetRankInfo(context, other, &rank));
    require(node == rank.node, "a rank's node is the same for all ranks");
    require(rank.pid > 0 && rank.hostname[0] != '\0' && rank.address[0] != '\0', "every rank is described");
    if (other == 0 || other == info->world_size - 1) printf("address of %d: %s\n", other, rank.address);
    TRY(psBytesFree(value));
  }
  TRY(psStoreFree(store));
}

/* A large sum, and a message around the ring; or why there are none: the backend's name, or the refusal's text. */
static void move_data(psGroup group, char* backend, size_t size) {
  const size_t count = 300000;
  psGroupInfo info = PS_GROUP_INFO_INIT;
  TRY(psGetGroupInfo(group, &info));
  if (info.host_backend == NULL) {
    int32_t value = 1;
    require(psAllReduce(group, &value, &value, 1, PS_INT32, PS_SUM, NULL, NULL) == PS_ERR_UNSUPPORTED,
            "data that cannot be moved is PS_ERR_UNSUPPORTED");
    snprintf(backend, size, "%s", psLastError());
    return;
  }
  int32_t* data = calloc(count, sizeof *data);
  int32_t* got = calloc(count, sizeof *got);
  for (size_t i = 0; i < count; ++i) data[i] = info.rank + (int32_t)i;
  TRY(psAllReduce(group, data, got, count, PS_INT32, PS_SUM, NULL, NULL));
  for (size_t i = 0; i < count; ++i) {
    require(got[i] == info.size * (info.size - 1) / 2 + info.size * (int32_t)i, "the sum over the hosts is right");
  }
  TRY(psSendRecv(group, data, count, PS_NEXT, got, count, PS_PREV, PS_INT32, 7, NULL, NULL));
  const int32_t previous = (info.rank + info.size - 1) % info.size;
  for (size_t i = 0; i < count; ++i) require(got[i] == previous + (int32_t)i, "the neighbour's message is right");
  TRY(psBarrier(group, NULL));
  snprintf(backend, size, "%s", info.host_backend);
  free(got);
  free(data);
}

static void several_hosts(psContext context, const psWorldInfo* info) {
  require(info->node_count > 1, "the world spans several nodes");
  use_store(context, info);

  psGroup world = NULL;
  TRY(psGetGroup(context, "world", &world));
  int32_t* same = calloc((size_t)info->world_size, sizeof *same);
  int32_t* members = calloc((size_t)info->world_size, sizeof *members);
  size_t count = 0;
  TRY(psSameHost(world, info->rank, same, (size_t)info->world_size, &count));
  require(count == (size_t)info->world_size, "psSameHost tells about every rank");
  size_t local = 0;
  int32_t expected = 0;
  for (int32_t other = 0; other < info->world_size; ++other) {
    psRankInfo rank = PS_RANK_INFO_INIT;
    TRY(psGetRankInfo(context, other, &rank));
    require(same[other] == (rank.node == info->node), "psSameHost agrees with psGetRankInfo");
    if (same[other]) {
      members[local++] = other;
      expected += other;
    }
  }
  require(local == (size_t)info->local_size, "the ranks of this host are counted");

  psGroup here = NULL;
  TRY(psNewGroup(context, members, local, NULL, &here));
  require(sum(here, info->rank) == expected, "data moves within a host");
  TRY(psGroupFree(here));

  psGroup across = NULL;
  for (int32_t i = 0; i < info->world_size; ++i) members[i] = info->world_size - 1 - i;
  TRY(psNewGroup(context, members, (size_t)info->world_size, NULL, &across));
  psGroupInfo group = PS_GROUP_INFO_INIT;
  TRY(psGetGroupInfo(across, &group));
  require(group.host_count == info->node_count, "a group over the hosts knows how many");

  char backend[1024];
  char by[32];
  described(context, "named_by", by, sizeof by);
  move_data(across, backend, sizeof backend);
  printf("rank=%d size=%d local=%d/%d nodes=%d by=%s moved=%s\n", info->rank, info->world_size, info->local_rank,
         info->local_size, info->node_count, by, backend);
  fflush(stdout);
  TRY(psGroupFree(across));
  TRY(psGroupFree(world));
  free(members);
  free(same);
}

static void from_who_leaves(psContext context, const psWorldInfo* info) {
  const size_t count = 200000;
  const int32_t root = info->world_size - 1;
  psGroup world = NULL;
  TRY(psGetGroup(context, "world", &world));
  TRY(psBarrier(world, NULL));
  int32_t* data = calloc(count, sizeof *data);
  for (size_t i = 0; info->rank == root && i < count; ++i) data[i] = (int32_t)i;
  TRY(psBroadcast(world, data, data, count, PS_INT32, root, NULL, NULL));
  for (size_t i = 0; i < count; ++i) require(data[i] == (int32_t)i, "what was broadcast arrives");
  printf("%s\n", info->rank == root ? "sent" : "received");
  fflush(stdout);
  free(data);
  TRY(psGroupFree(world));
}

int main(int argc, char** argv) {
  const char* mode = argc > 1 ? argv[1] : "";
  psContext context = NULL;
  TRY(psInit(NULL, &context));
  psWorldInfo info = PS_WORLD_INFO_INIT;
  TRY(psGetWorldInfo(context, &info));
  if (strcmp(mode, "hosts") == 0) {
    several_hosts(context, &info);
  } else if (strcmp(mode, "last") == 0) {
    from_who_leaves(context, &info);
  } else {
    one_host(context, &info);
  }
  if (strcmp(mode, "sleep") == 0) pause();
  TRY(psFinalize(context));
  return 0;
}
