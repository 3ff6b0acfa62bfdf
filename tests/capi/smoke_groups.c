/* Groups: the world's, made and split ones, what they know of themselves, and their end. */
#include <string.h>

#include "smoke.h"

static void a_group_knows_itself(psGroup group, const char* name) {
  psGroupInfo info = PS_GROUP_INFO_INIT;
  EXPECT(psGetGroupInfo(group, &info), PS_OK);
  CHECK(info.rank == 0 && info.size == 1 && info.host_count == 1 && info.global_rank == 0);
  CHECK(info.global_first == 0 && info.global_last == 0 && info.global_next == 0 && info.global_prev == 0);
  CHECK(info.failure == PS_OK && info.failed_global_rank == PS_NO_RANK && strcmp(info.failure_text, "") == 0);
  CHECK(strcmp(info.name, name) == 0 && info.timeout_ms > 0 && info.device_backend == NULL);
  EXPECT(psGetGroupInfo(NULL, &info), PS_ERR_ARGUMENT);
  EXPECT(psGetGroupInfo(group, NULL), PS_ERR_ARGUMENT);
  info.struct_size = 4;
  EXPECT(psGetGroupInfo(group, &info), PS_ERR_ARGUMENT);

  int32_t ranks[2] = {7, 7};
  size_t count = 0;
  EXPECT(psGroupGlobalRanks(group, NULL, 0, &count), PS_OK);
  CHECK(count == 1);
  EXPECT(psGroupGlobalRanks(group, ranks, 2, &count), PS_OK);
  CHECK(count == 1 && ranks[0] == 0 && ranks[1] == 7);
  EXPECT(psGroupGlobalRanks(group, ranks, 2, NULL), PS_ERR_ARGUMENT);
  EXPECT(psGroupGlobalRanks(group, NULL, 2, &count), PS_ERR_ARGUMENT);
  EXPECT(psGroupGlobalRanks(NULL, ranks, 2, &count), PS_ERR_ARGUMENT);

  int32_t rank = 7;
  EXPECT(psGroupFindGlobal(group, 0, &rank), PS_OK);
  CHECK(rank == 0);
  EXPECT(psGroupFindGlobal(group, 1, &rank), PS_ERR_NOT_FOUND);
  EXPECT(psGroupFindGlobal(group, 0, NULL), PS_ERR_ARGUMENT);
  EXPECT(psGroupFindGlobal(NULL, 0, &rank), PS_ERR_ARGUMENT);

  int32_t same[1] = {7};
  EXPECT(psSameHost(group, 0, same, 1, &count), PS_OK);
  CHECK(count == 1 && same[0] == 1);
  EXPECT(psSameHost(group, 1, same, 1, &count), PS_ERR_ARGUMENT);
  EXPECT(psSameHost(group, 0, same, 1, NULL), PS_ERR_ARGUMENT);
  EXPECT(psSameHost(NULL, 0, same, 1, &count), PS_ERR_ARGUMENT);
}

static void deadlines_are_set(psGroup group) {
  psGroupInfo info = PS_GROUP_INFO_INIT;
  EXPECT(psGroupSetTimeout(group, 4321), PS_OK);
  EXPECT(psGetGroupInfo(group, &info), PS_OK);
  CHECK(info.timeout_ms == 4321);
  EXPECT(psGroupSetTimeout(group, -1), PS_OK);
  EXPECT(psGetGroupInfo(group, &info), PS_OK);
  CHECK(info.timeout_ms == 20000); /* the context's */
  EXPECT(psGroupSetTimeout(group, -2), PS_ERR_ARGUMENT);
  EXPECT(psGroupSetTimeout(NULL, 1), PS_ERR_ARGUMENT);
}

static void lists_and_options_are_checked(psContext context) {
  const int32_t self[1] = {0};
  const int32_t twice[2] = {0, 0};
  const int32_t stranger[2] = {0, 1};
  const int32_t negative[2] = {0, -1};
  psGroup group = NULL;
  EXPECT(psNewGroup(NULL, self, 1, NULL, &group), PS_ERR_ARGUMENT);
  EXPECT(psNewGroup(context, NULL, 1, NULL, &group), PS_ERR_ARGUMENT);
  EXPECT(psNewGroup(context, self, 1, NULL, NULL), PS_ERR_ARGUMENT);
  EXPECT(psNewGroup(context, self, 0, NULL, &group), PS_ERR_ARGUMENT);
  EXPECT(psNewGroup(context, twice, 2, NULL, &group), PS_ERR_ARGUMENT);
  EXPECT(psNewGroup(context, stranger, 2, NULL, &group), PS_ERR_ARGUMENT);
  EXPECT(psNewGroup(context, negative, 2, NULL, &group), PS_ERR_ARGUMENT);
  EXPECT(psNewGroup(context, self, SIZE_MAX, NULL, &group), PS_ERR_ARGUMENT);

  psGroupOptions options = PS_GROUP_OPTIONS_INIT;
  options.flags = PS_SERVE;
  EXPECT(psNewGroup(context, self, 1, &options, &group), PS_ERR_ARGUMENT);
  options.flags = 0;
  options.struct_size = 4;
  EXPECT(psNewGroup(context, self, 1, &options, &group), PS_ERR_ARGUMENT);
  options.struct_size = (uint32_t)sizeof(options);
  options.timeout_ms = -5;
  EXPECT(psNewGroup(context, self, 1, &options, &group), PS_ERR_ARGUMENT);
  options.timeout_ms = 0;
  options.name = "a name of more than sixty-three bytes is refused, because it is carried around";
  EXPECT(psNewGroup(context, self, 1, &options, &group), PS_ERR_ARGUMENT);
  CHECK(group == NULL);
}

static void groups_are_made_and_split(psContext context, psGroup world) {
  const int32_t self[1] = {0};
  psGroup group = NULL;
  psGroupOptions options = PS_GROUP_OPTIONS_INIT;
  options.name = "alone";
  options.flags = PS_DETERMINISTIC | PS_OWN_COMMUNICATOR | PS_WARM_UP | PS_HOST_ONLY;
  EXPECT(psNewGroup(context, self, 1, &options, &group), PS_OK);
  a_group_knows_itself(group, "alone");
  EXPECT(psGroupFree(group), PS_OK);

  psGroup part = NULL;
  options.name = "part";
  EXPECT(psSplitGroup(world, 3, -9, &options, &part), PS_OK);
  a_group_knows_itself(part, "part");
  EXPECT(psGroupFree(part), PS_OK);
  EXPECT(psSplitGroup(world, PS_NO_COLOR, 0, NULL, &part), PS_OK);
  CHECK(part == NULL);
  EXPECT(psSplitGroup(world, -5, 0, NULL, &part), PS_ERR_ARGUMENT);
  EXPECT(psSplitGroup(world, 0, 0, NULL, NULL), PS_ERR_ARGUMENT);
  EXPECT(psSplitGroup(NULL, 0, 0, NULL, &part), PS_ERR_ARGUMENT);

  int32_t number = 0;
  size_t count = 0;
  psGroupInfo info = PS_GROUP_INFO_INIT;
  EXPECT(psGroupFree(group), PS_ERR_ARGUMENT);
  EXPECT(psGetGroupInfo(group, &info), PS_ERR_ARGUMENT);
  EXPECT(psGroupGlobalRanks(group, &number, 1, &count), PS_ERR_ARGUMENT);
  EXPECT(psGroupFindGlobal(group, 0, &number), PS_ERR_ARGUMENT);
  EXPECT(psSameHost(group, 0, &number, 1, &count), PS_ERR_ARGUMENT);
  EXPECT(psGroupSetTimeout(group, 1), PS_ERR_ARGUMENT);
  EXPECT(psGroupAbort(group, NULL), PS_ERR_ARGUMENT);
  EXPECT(psSplitGroup(group, 0, 0, NULL, &part), PS_ERR_ARGUMENT);
  EXPECT(psBarrier(group, NULL), PS_ERR_ARGUMENT);
}

void smoke_groups(psContext context) {
  psGroup world = NULL;
  EXPECT(psGetGroup(context, "world", &world), PS_OK);
  psGroup again = NULL;
  EXPECT(psGetGroup(context, "world", &again), PS_OK);
  EXPECT(psGroupFree(again), PS_OK);
  EXPECT(psGetGroup(context, "nowhere", &again), PS_ERR_NOT_FOUND);
  CHECK(strstr(psLastError(), "world") != NULL);
  EXPECT(psGetGroup(context, NULL, &again), PS_ERR_ARGUMENT);
  EXPECT(psGetGroup(context, "world", NULL), PS_ERR_ARGUMENT);
  EXPECT(psGetGroup(NULL, "world", &again), PS_ERR_ARGUMENT);

  a_group_knows_itself(world, "world");
  deadlines_are_set(world);
  lists_and_options_are_checked(context);
  groups_are_made_and_split(context, world);
  EXPECT(psGroupFree(NULL), PS_OK);
  EXPECT(psGroupFree(world), PS_OK);
}

/* Aborts end operations for good, of a group and then of all. */
void smoke_abort(psContext context) {
  const int32_t self[1] = {0};
  psGroupOptions options = PS_GROUP_OPTIONS_INIT;
  options.flags = PS_OWN_COMMUNICATOR;
  psGroup group = NULL;
  EXPECT(psNewGroup(context, self, 1, &options, &group), PS_OK);
  EXPECT(psGroupAbort(NULL, "nobody"), PS_ERR_ARGUMENT);
  EXPECT(psGroupAbort(group, "the test says so"), PS_OK);
  EXPECT(psGroupAbort(group, NULL), PS_OK);
  EXPECT(psBarrier(group, NULL), PS_ERR_ABORTED);
  CHECK(strstr(psLastError(), "the test says so") != NULL);
  psGroupInfo info = PS_GROUP_INFO_INIT;
  EXPECT(psGetGroupInfo(group, &info), PS_OK);
  CHECK(info.failure == PS_ERR_ABORTED && strstr(info.failure_text, "the test says so") != NULL);

  psGroup world = NULL;
  EXPECT(psGetGroup(context, "world", &world), PS_OK);
  EXPECT(psBarrier(world, NULL), PS_OK); /* another group goes on */
  EXPECT(psAbort(context, "all of it"), PS_OK);
  EXPECT(psAbort(context, NULL), PS_OK);
  EXPECT(psBarrier(world, NULL), PS_ERR_ABORTED);
  CHECK(strstr(psLastError(), "all of it") != NULL);
  psWorldInfo failed = PS_WORLD_INFO_INIT;
  EXPECT(psGetWorldInfo(context, &failed), PS_OK);
  CHECK(failed.failure == PS_ERR_ABORTED && strstr(failed.failure_text, "all of it") != NULL);
  EXPECT(psGroupFree(group), PS_OK);
  EXPECT(psGroupFree(world), PS_OK);
}
