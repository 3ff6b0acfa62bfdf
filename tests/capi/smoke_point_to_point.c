/* Messages of a rank to itself, and what sends, receives and batches refuse. */
#include <string.h>

#include "smoke.h"

static void a_rank_reaches_itself(psGroup group) {
  const int32_t sent[3] = {3, 1, 4};
  int32_t received[3] = {0};
  psWork work = NULL;
  EXPECT(psRecv(group, received, 3, PS_INT32, 0, 5, NULL, &work), PS_OK);
  EXPECT(psSend(group, sent, 3, PS_INT32, 0, 5, NULL, NULL), PS_OK);
  EXPECT(psWorkWait(work, -1), PS_OK);
  CHECK(memcmp(sent, received, sizeof(sent)) == 0);
  EXPECT(psWorkFree(work), PS_OK);

  memset(received, 0, sizeof(received));
  EXPECT(psSendRecv(group, sent, 3, PS_NEXT, received, 3, PS_PREV, PS_INT32, 0, NULL, NULL), PS_OK);
  CHECK(memcmp(sent, received, sizeof(sent)) == 0);

  int32_t second[2] = {0};
  psMessage messages[3] = {PS_MESSAGE_INIT, PS_MESSAGE_INIT, PS_MESSAGE_INIT};
  messages[0].direction = PS_SEND, messages[0].buffer = (void*)sent, messages[0].count = 1, messages[0].tag = 1;
  messages[1].direction = PS_RECV, messages[1].buffer = second, messages[1].count = 1, messages[1].tag = 1;
  messages[2].direction = PS_SEND, messages[2].count = 0, messages[2].tag = 2;
  for (int i = 0; i < 3; ++i) messages[i].dtype = PS_INT32;
  psMessage empty = messages[2];
  empty.direction = PS_RECV;
  psMessage batch[4] = {messages[0], messages[1], messages[2], empty};
  EXPECT(psBatch(group, batch, 4, NULL, NULL), PS_OK);
  CHECK(second[0] == 3 && second[1] == 0);
  EXPECT(psBatch(group, NULL, 0, NULL, NULL), PS_OK);

  EXPECT(psBatch(group, NULL, 1, NULL, NULL), PS_ERR_ARGUMENT);
  EXPECT(psBatch(NULL, batch, 4, NULL, NULL), PS_ERR_ARGUMENT);
  batch[3].direction = 9;
  EXPECT(psBatch(group, batch, 4, NULL, NULL), PS_ERR_ARGUMENT);
  batch[3] = empty, batch[3].flags = 1;
  EXPECT(psBatch(group, batch, 4, NULL, NULL), PS_ERR_ARGUMENT);
  batch[3] = empty, batch[3].struct_size = 4;
  EXPECT(psBatch(group, batch, 4, NULL, NULL), PS_ERR_ARGUMENT);
}

static void a_blocking_send_alone_is_refused(psGroup group) {
  int32_t value = 0;
  EXPECT(psSend(group, &value, 1, PS_INT32, 0, 9, NULL, NULL), PS_ERR_STATE);
}

static void arguments_are_checked(psGroup group) {
  int32_t a[2] = {0};
  int32_t b[2] = {0};
  EXPECT(psSend(NULL, a, 1, PS_INT32, 0, 0, NULL, NULL), PS_ERR_ARGUMENT);
  EXPECT(psSend(group, NULL, 1, PS_INT32, 0, 0, NULL, NULL), PS_ERR_ARGUMENT);
  EXPECT(psSend(group, a, SIZE_MAX, PS_INT32, 0, 0, NULL, NULL), PS_ERR_ARGUMENT);
  EXPECT(psSend(group, a, 1, 99, 0, 0, NULL, NULL), PS_ERR_ARGUMENT);
  EXPECT(psSend(group, a, 1, PS_INT32, 1, 0, NULL, NULL), PS_ERR_ARGUMENT);
  EXPECT(psSend(group, a, 1, PS_INT32, -1, 0, NULL, NULL), PS_ERR_ARGUMENT);
  EXPECT(psSend(group, a, 1, PS_INT32, 0, -1, NULL, NULL), PS_ERR_ARGUMENT);
  EXPECT(psRecv(NULL, a, 1, PS_INT32, 0, 0, NULL, NULL), PS_ERR_ARGUMENT);
  EXPECT(psRecv(group, NULL, 1, PS_INT32, 0, 0, NULL, NULL), PS_ERR_ARGUMENT);
  EXPECT(psRecv(group, a, SIZE_MAX, PS_INT32, 0, 0, NULL, NULL), PS_ERR_ARGUMENT);
  EXPECT(psRecv(group, a, 1, 0, 0, 0, NULL, NULL), PS_ERR_ARGUMENT);
  EXPECT(psRecv(group, a, 1, PS_INT32, 1, 0, NULL, NULL), PS_ERR_ARGUMENT);
  EXPECT(psRecv(group, a, 1, PS_INT32, 0, -1, NULL, NULL), PS_ERR_ARGUMENT);
  EXPECT(psSendRecv(NULL, a, 1, 0, b, 1, 0, PS_INT32, 0, NULL, NULL), PS_ERR_ARGUMENT);
  EXPECT(psSendRecv(group, NULL, 1, 0, b, 1, 0, PS_INT32, 0, NULL, NULL), PS_ERR_ARGUMENT);
  EXPECT(psSendRecv(group, a, 1, 0, NULL, 1, 0, PS_INT32, 0, NULL, NULL), PS_ERR_ARGUMENT);
  EXPECT(psSendRecv(group, a, 1, 1, b, 1, 0, PS_INT32, 0, NULL, NULL), PS_ERR_ARGUMENT);
  EXPECT(psSendRecv(group, a, 1, 0, b, 1, 1, PS_INT32, 0, NULL, NULL), PS_ERR_ARGUMENT);
  EXPECT(psSendRecv(group, a, 1, 0, b, 1, 0, 99, 0, NULL, NULL), PS_ERR_ARGUMENT);
  EXPECT(psSendRecv(group, a, 1, 0, b, 1, 0, PS_INT32, -1, NULL, NULL), PS_ERR_ARGUMENT);
  EXPECT(psSendRecv(group, a, 2, 0, a, 2, 0, PS_INT32, 0, NULL, NULL), PS_ERR_ARGUMENT); /* the buffers overlap */
}

void smoke_point_to_point(psContext context) {
  psGroup group = NULL;
  EXPECT(psGetGroup(context, "world", &group), PS_OK);
  a_rank_reaches_itself(group);
  a_blocking_send_alone_is_refused(group);
  arguments_are_checked(group);
  EXPECT(psBarrier(group, NULL), PS_OK); /* no refusal harmed the group */
  EXPECT(psGroupFree(group), PS_OK);
}
