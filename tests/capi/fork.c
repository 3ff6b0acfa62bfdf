/* fork(): the child of a process with a living context may ask for the last error alone; the parent is unharmed; a
 * child of a process without one starts a world of its own. */
#define _GNU_SOURCE
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "expect.h"

static psContext start(void) {
  psConfig config = PS_CONFIG_INIT;
  config.flags = PS_NO_ENVIRONMENT | PS_HOST_ONLY;
  config.world_size = 1;
  config.timeout_ms = 60000;
  psContext context = NULL;
  EXPECT(psInit(&config, &context), PS_OK);
  return context;
}

static void child_succeeds(void (*body)(void)) {
  fflush(NULL);
  const pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    alarm(60);
    body();
    _exit(0);
  }
  int status = 0;
  CHECK(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static psContext context;
static psGroup world;
static psStore store;
static psWork work;
static int32_t word;
static psRankInfo self_info = PS_RANK_INFO_INIT;

static void refused_in_the_child(void) {
  psContext other = NULL;
  psGroup group = NULL;
  psGroupInfo info = PS_GROUP_INFO_INIT;
  psBytes bytes = NULL;
  const int32_t self[1] = {0};
  EXPECT(psBarrier(world, NULL), PS_ERR_STATE);
  CHECK(strstr(psLastError(), "fork") != NULL);
  EXPECT(psAllReduce(world, &word, &word, 1, PS_INT32, PS_SUM, NULL, NULL), PS_ERR_STATE);
  EXPECT(psSend(world, &word, 1, PS_INT32, 0, 0, NULL, NULL), PS_ERR_STATE);
  EXPECT(psGetGroupInfo(world, &info), PS_ERR_STATE);
  EXPECT(psGetGroup(context, "world", &group), PS_ERR_STATE);
  EXPECT(psNewGroup(context, self, 1, NULL, &group), PS_ERR_STATE);
  EXPECT(psStoreSet(store, "k", "v", 1, 0), PS_ERR_STATE);
  EXPECT(psStoreGet(store, "parent", 0, &bytes), PS_ERR_STATE);
  EXPECT(psDescribe(context, &bytes), PS_ERR_STATE);
  EXPECT(psWorkTest(work), PS_ERR_STATE);
  EXPECT(psWorkWait(work, -1), PS_ERR_STATE);
  EXPECT(psGroupAbort(world, "the child says so"), PS_ERR_STATE);
  EXPECT(psAbort(context, "the child says so"), PS_ERR_STATE);
  EXPECT(psInit(NULL, &other), PS_ERR_STATE);
  EXPECT(psFinalize(context), PS_ERR_STATE);
  /* What the parent was given to read is still there, as for a child that goes on to exec. */
  CHECK(strlen(self_info.hostname) > 0 && strlen(self_info.address) > 0);
}

static void starts_its_own(void) { EXPECT(psFinalize(start()), PS_OK); }

int main(void) {
  alarm(150);
  child_succeeds(starts_its_own);

  context = start();
  EXPECT(psGetGroup(context, "world", &world), PS_OK);
  EXPECT(psGetStore(context, &store), PS_OK);
  EXPECT(psStoreSet(store, "parent", "here", 4, 0), PS_OK);
  EXPECT(psRecv(world, &word, 1, PS_INT32, 0, 0, NULL, &work), PS_OK);
  EXPECT(psGetRankInfo(context, 0, &self_info), PS_OK);
  child_succeeds(refused_in_the_child);

  /* The pending receive of the parent still completes, and the store still answers. */
  const int32_t sent = 7;
  psBytes value = NULL;
  EXPECT(psSend(world, &sent, 1, PS_INT32, 0, 0, NULL, NULL), PS_OK);
  EXPECT(psWorkWait(work, -1), PS_OK);
  CHECK(word == 7);
  EXPECT(psBarrier(world, NULL), PS_OK);
  EXPECT(psStoreGet(store, "parent", 0, &value), PS_OK);
  EXPECT(psBytesFree(value), PS_OK);
  EXPECT(psWorkFree(work), PS_OK);
  EXPECT(psStoreFree(store), PS_OK);
  EXPECT(psGroupFree(world), PS_OK);
  EXPECT(psFinalize(context), PS_OK);
  puts("parent and children answered as the header says");
  return 0;
}
