/* Asynchronous operations: completed, waited for in vain, aborted, freed; and handles that outlive their context. */
#include <string.h>

#include "smoke.h"

static psGroup own_group(psContext context) {
  const int32_t self[1] = {0};
  psGroupOptions options = PS_GROUP_OPTIONS_INIT;
  options.flags = PS_OWN_COMMUNICATOR;
  psGroup group = NULL;
  EXPECT(psNewGroup(context, self, 1, &options, &group), PS_OK);
  return group;
}

static void a_work_completes(psGroup group) {
  const float input[2] = {1, 2};
  float output[2] = {0};
  psWork work = NULL;
  EXPECT(psAllReduce(group, input, output, 2, PS_FLOAT32, PS_SUM, NULL, &work), PS_OK);
  CHECK(work != NULL);
  EXPECT(psWorkWait(work, -1), PS_OK);
  CHECK(output[0] == 1 && output[1] == 2);
  EXPECT(psWorkTest(work), PS_OK);
  EXPECT(psWorkOrder(work, NULL, -1), PS_OK);
  const char* text = NULL;
  EXPECT(psWorkError(work, &text), PS_OK);
  CHECK(strcmp(text, "") == 0);

  EXPECT(psWorkWait(work, -2), PS_ERR_ARGUMENT);
  EXPECT(psWorkOrder(work, NULL, -2), PS_ERR_ARGUMENT);
  EXPECT(psWorkError(work, NULL), PS_ERR_ARGUMENT);
  EXPECT(psWorkTest(NULL), PS_ERR_ARGUMENT);
  EXPECT(psWorkWait(NULL, 0), PS_ERR_ARGUMENT);
  EXPECT(psWorkOrder(NULL, NULL, 0), PS_ERR_ARGUMENT);
  EXPECT(psWorkError(NULL, &text), PS_ERR_ARGUMENT);

  EXPECT(psWorkFree(NULL), PS_OK);
  EXPECT(psWorkFree(work), PS_OK);
  EXPECT(psWorkFree(work), PS_ERR_ARGUMENT);
  EXPECT(psWorkTest(work), PS_ERR_ARGUMENT);
  EXPECT(psWorkWait(work, 0), PS_ERR_ARGUMENT);
  EXPECT(psWorkOrder(work, NULL, 0), PS_ERR_ARGUMENT);
  EXPECT(psWorkError(work, &text), PS_ERR_ARGUMENT);
}

/* A wait that runs out harms nothing; an abort ends the operation, with its reason. */
static void a_work_is_aborted(psGroup group) {
  int32_t value = 0;
  psWork work = NULL;
  EXPECT(psRecv(group, &value, 1, PS_INT32, 0, 0, NULL, &work), PS_OK);
  EXPECT(psWorkWait(work, 0), PS_ERR_TIMEOUT);
  EXPECT(psWorkWait(work, 10), PS_ERR_TIMEOUT);
  EXPECT(psWorkOrder(work, NULL, 0), PS_ERR_TIMEOUT);
  EXPECT(psWorkTest(work), PS_IN_PROGRESS);

  EXPECT(psGroupAbort(group, "enough"), PS_OK);
  EXPECT(psWorkWait(work, -1), PS_ERR_ABORTED);
  EXPECT(psWorkTest(work), PS_ERR_ABORTED);
  const char* text = NULL;
  EXPECT(psWorkError(work, &text), PS_OK);
  CHECK(strstr(text, "enough") != NULL);
  EXPECT(psWorkFree(work), PS_OK);
}

void smoke_works(psContext context) {
  psGroup group = own_group(context);
  a_work_completes(group);
  a_work_is_aborted(group);
  EXPECT(psGroupFree(group), PS_OK);
}

void smoke_after_finalize(void) {
  psContext context = smoke_world();
  psStore store = NULL;
  psGroup world = NULL;
  EXPECT(psGetStore(context, &store), PS_OK);
  EXPECT(psGetGroup(context, "world", &world), PS_OK);
  psGroup group = own_group(context);
  int32_t value = 0;
  psWork pending = NULL;
  psWork complete = NULL;
  psBytes json = NULL;
  EXPECT(psRecv(group, &value, 1, PS_INT32, 0, 0, NULL, &pending), PS_OK);
  EXPECT(psBarrier(world, &complete), PS_OK);
  EXPECT(psWorkWait(complete, -1), PS_OK);
  EXPECT(psDescribe(context, &json), PS_OK);
  EXPECT(psFinalize(context), PS_OK);

  psBytes value_of_key = NULL;
  psGroup part = NULL;
  psGroupInfo info = PS_GROUP_INFO_INIT;
  size_t count = 0;
  psReduceOp op = 0;
  const float scalar = 1;
  EXPECT(psStoreSet(store, "k", "v", 1, 0), PS_ERR_STATE);
  EXPECT(psStoreGet(store, "k", 0, &value_of_key), PS_ERR_STATE);
  EXPECT(psStoreAdd(store, "k", 1, NULL), PS_ERR_STATE);
  EXPECT(psStoreCompareAndSet(store, "k", NULL, 0, "v", 1, 0, NULL), PS_ERR_STATE);
  EXPECT(psStoreDelete(store, "k", NULL), PS_ERR_STATE);
  EXPECT(psGetGroupInfo(world, &info), PS_ERR_STATE);
  EXPECT(psGroupGlobalRanks(world, &value, 1, &count), PS_ERR_STATE);
  EXPECT(psGroupFindGlobal(world, 0, &value), PS_ERR_STATE);
  EXPECT(psSameHost(world, 0, &value, 1, &count), PS_ERR_STATE);
  EXPECT(psGroupSetTimeout(world, 1), PS_ERR_STATE);
  EXPECT(psGroupAbort(world, NULL), PS_ERR_STATE);
  EXPECT(psSplitGroup(world, 0, 0, NULL, &part), PS_ERR_STATE);
  EXPECT(psBarrier(world, NULL), PS_ERR_STATE);
  EXPECT(psAllReduce(world, &value, &value, 1, PS_INT32, PS_SUM, NULL, NULL), PS_ERR_STATE);
  EXPECT(psReduceOpCreate(world, PS_PREMUL_SUM, PS_FLOAT32, &scalar, &op), PS_ERR_STATE);
  EXPECT(psSend(group, &value, 1, PS_INT32, 0, 0, NULL, NULL), PS_ERR_STATE);
  EXPECT(psWorkTest(pending), PS_ERR_STATE);
  EXPECT(psWorkWait(pending, -1), PS_ERR_STATE);
  EXPECT(psWorkOrder(complete, NULL, -1), PS_ERR_STATE);

  /* Bytes depend on no context, and frees work in any order. */
  EXPECT(psBytesCount(json, &count), PS_OK);
  EXPECT(psBytesFree(json), PS_OK);
  EXPECT(psGroupFree(group), PS_OK);
  EXPECT(psWorkFree(pending), PS_OK);
  EXPECT(psStoreFree(store), PS_OK);
  EXPECT(psGroupFree(world), PS_OK);
  EXPECT(psWorkFree(complete), PS_OK);
  EXPECT(psWorkFree(complete), PS_ERR_ARGUMENT);
}
