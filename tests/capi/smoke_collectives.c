/* Every collective as a copy in a group of one, in place and out of place, and what each refuses. */
#include <string.h>

#include "smoke.h"

enum { kCount = 5 };

static const double kInput[kCount] = {1.5, -2, 3, 4.25, 1e9};
static double output[kCount];
static const size_t kCounts[1] = {kCount};
static const size_t kOffsets[1] = {0};

/* One call of each collective that moves `count` of `dtype` from `send` to `recv`, numbered. */
enum { kCollectives = 13 };

static psResult call(int which, psGroup group, const void* send, void* recv, size_t count, psDataType dtype,
                     psReduceOp op, int32_t root, const size_t* counts) {
  switch (which) {
    case 0: return psAllReduce(group, send, recv, count, dtype, op, NULL, NULL);
    case 1: return psReduce(group, send, recv, count, dtype, op, root, NULL, NULL);
    case 2: return psReduceScatter(group, send, recv, count, dtype, op, NULL, NULL);
    case 3: return psReduceScatterV(group, send, recv, counts, dtype, op, NULL, NULL);
    case 4: return psBroadcast(group, send, recv, count, dtype, root, NULL, NULL);
    case 5: return psAllGather(group, send, recv, count, dtype, NULL, NULL);
    case 6: return psAllGatherV(group, send, counts ? counts[0] : 0, recv, counts, kOffsets, dtype, NULL, NULL);
    case 7: return psGather(group, send, recv, count, dtype, root, NULL, NULL);
    case 8: return psGatherV(group, send, counts ? counts[0] : 0, recv, counts, NULL, dtype, root, NULL, NULL);
    case 9: return psScatter(group, send, recv, count, dtype, root, NULL, NULL);
    case 10: return psScatterV(group, send, counts, kOffsets, recv, counts ? counts[0] : 0, dtype, root, NULL, NULL);
    case 11: return psAllToAll(group, send, recv, count, dtype, NULL, NULL);
    default: return psAllToAllV(group, send, counts, kOffsets, recv, counts, kOffsets, dtype, NULL, NULL);
  }
}

static int reduces(int which) { return which <= 3; }
static int has_root(int which) { return which == 1 || which == 4 || (which >= 7 && which <= 10); }
static int has_counts(int which) { return which == 3 || which == 6 || which == 8 || which == 10 || which == 12; }

static void expect_all(psGroup group, const void* send, void* recv, size_t count, psDataType dtype, psReduceOp op,
                       int32_t root, const size_t* counts, psResult expected) {
  for (int which = 0; which < kCollectives; ++which) {
    psResult result = call(which, group, send, recv, count, dtype, op, root, counts);
    if (result != expected) fprintf(stderr, "collective %d of this file:\n", which);
    EXPECT(result, expected);
  }
}

static void each_is_a_copy(psGroup group) {
  for (int which = 0; which < kCollectives; ++which) {
    memset(output, 0, sizeof(output));
    EXPECT(call(which, group, kInput, output, kCount, PS_FLOAT64, PS_SUM, 0, kCounts), PS_OK);
    CHECK(memcmp(output, kInput, sizeof(output)) == 0);
    EXPECT(call(which, group, output, output, kCount, PS_FLOAT64, PS_MAX, 0, kCounts), PS_OK);
    CHECK(memcmp(output, kInput, sizeof(output)) == 0);
  }
  const size_t nothing[1] = {0};
  expect_all(group, NULL, NULL, 0, PS_INT8, PS_SUM, 0, nothing, PS_OK);
  EXPECT(psBarrier(group, NULL), PS_OK);
}

static void each_refuses(psGroup group) {
  const size_t huge[1] = {SIZE_MAX};
  expect_all(NULL, kInput, output, kCount, PS_FLOAT64, PS_SUM, 0, kCounts, PS_ERR_ARGUMENT);
  expect_all(group, NULL, output, kCount, PS_FLOAT64, PS_SUM, 0, kCounts, PS_ERR_ARGUMENT);
  expect_all(group, kInput, NULL, kCount, PS_FLOAT64, PS_SUM, 0, kCounts, PS_ERR_ARGUMENT);
  expect_all(group, kInput, output, kCount, 0, PS_SUM, 0, kCounts, PS_ERR_ARGUMENT);
  expect_all(group, kInput, output, kCount, 99, PS_SUM, 0, kCounts, PS_ERR_ARGUMENT);
  expect_all(group, kInput, output, SIZE_MAX, PS_FLOAT64, PS_SUM, 0, huge, PS_ERR_ARGUMENT);
  for (int which = 0; which < kCollectives; ++which) {
    if (reduces(which)) {
      EXPECT(call(which, group, kInput, output, kCount, PS_FLOAT64, 0, 0, kCounts), PS_ERR_ARGUMENT);
      EXPECT(call(which, group, kInput, output, kCount, PS_FLOAT64, 99, 0, kCounts), PS_ERR_ARGUMENT);
      EXPECT(call(which, group, kInput, output, kCount, PS_FLOAT64, 1 << 20, 0, kCounts), PS_ERR_ARGUMENT);
      EXPECT(call(which, group, kInput, output, kCount, PS_FLOAT64, PS_BIT_AND, 0, kCounts), PS_ERR_UNSUPPORTED);
      EXPECT(call(which, group, kInput, output, kCount, PS_INT32, PS_LOGICAL_OR, 0, kCounts), PS_ERR_UNSUPPORTED);
      EXPECT(call(which, group, kInput, output, kCount, PS_BOOL, PS_SUM, 0, kCounts), PS_ERR_UNSUPPORTED);
    }
    if (has_root(which)) {
      EXPECT(call(which, group, kInput, output, kCount, PS_FLOAT64, PS_SUM, 1, kCounts), PS_ERR_ARGUMENT);
      EXPECT(call(which, group, kInput, output, kCount, PS_FLOAT64, PS_SUM, -1, kCounts), PS_ERR_ARGUMENT);
    }
    if (has_counts(which)) {
      EXPECT(call(which, group, kInput, output, kCount, PS_FLOAT64, PS_SUM, 0, NULL), PS_ERR_ARGUMENT);
    }
  }
  EXPECT(psBarrier(NULL, NULL), PS_ERR_ARGUMENT);

  double shifted[kCount + 1] = {0};
  expect_all(group, shifted, shifted + 1, kCount, PS_FLOAT64, PS_SUM, 0, kCounts, PS_ERR_ARGUMENT);
  EXPECT(psBarrier(group, NULL), PS_OK); /* no refusal harmed the group */
}

static void sums_are_multiplied_before(psGroup group) {
  const double half = 0.5;
  psReduceOp op = 0;
  EXPECT(psReduceOpCreate(group, PS_PREMUL_SUM, PS_FLOAT64, &half, &op), PS_OK);
  CHECK(op >= 65536);
  EXPECT(psAllReduce(group, kInput, output, kCount, PS_FLOAT64, op, NULL, NULL), PS_OK);
  CHECK(output[0] == 0.75 && output[3] == 2.125);
  EXPECT(psAllReduce(group, kInput, output, kCount, PS_FLOAT32, op, NULL, NULL), PS_ERR_ARGUMENT);

  psReduceOp other = 7;
  EXPECT(psReduceOpCreate(NULL, PS_PREMUL_SUM, PS_FLOAT64, &half, &other), PS_ERR_ARGUMENT);
  EXPECT(psReduceOpCreate(group, PS_SUM, PS_FLOAT64, &half, &other), PS_ERR_ARGUMENT);
  EXPECT(psReduceOpCreate(group, PS_PREMUL_SUM, 99, &half, &other), PS_ERR_ARGUMENT);
  EXPECT(psReduceOpCreate(group, PS_PREMUL_SUM, PS_FLOAT64, NULL, &other), PS_ERR_ARGUMENT);
  EXPECT(psReduceOpCreate(group, PS_PREMUL_SUM, PS_FLOAT64, &half, NULL), PS_ERR_ARGUMENT);
  EXPECT(psReduceOpCreate(group, PS_PREMUL_SUM, PS_INT32, &half, &other), PS_ERR_UNSUPPORTED);
  CHECK(other == 7);

  EXPECT(psReduceOpFree(NULL, op), PS_ERR_ARGUMENT);
  EXPECT(psReduceOpFree(group, PS_SUM), PS_ERR_ARGUMENT);
  EXPECT(psReduceOpFree(group, op), PS_OK);
  EXPECT(psReduceOpFree(group, op), PS_ERR_ARGUMENT);
  EXPECT(psAllReduce(group, kInput, output, kCount, PS_FLOAT64, op, NULL, NULL), PS_ERR_ARGUMENT);
}

void smoke_collectives(psContext context) {
  psGroup group = NULL;
  EXPECT(psGetGroup(context, "world", &group), PS_OK);
  each_is_a_copy(group);
  each_refuses(group);
  sums_are_multiplied_before(group);
  EXPECT(psGroupFree(group), PS_OK);
}
