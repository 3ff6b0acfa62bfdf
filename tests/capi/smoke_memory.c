/* Memory that collectives use where it is: given, registered, refused, and freed with its group. */
#include <stdint.h>
#include <string.h>

#include "smoke.h"

static void arguments_are_checked(psGroup group) {
  char own[64];
  void* memory = own;
  EXPECT(psMemAlloc(NULL, 64, PS_DEVICE_HOST, &memory), PS_ERR_ARGUMENT);
  EXPECT(psMemAlloc(group, 64, PS_DEVICE_HOST, NULL), PS_ERR_ARGUMENT);
  EXPECT(psMemAlloc(group, 64, 0, &memory), PS_ERR_ARGUMENT);
  EXPECT(psMemAlloc(group, 64, 7, &memory), PS_ERR_ARGUMENT);
  EXPECT(psMemAlloc(group, 64, PS_DEVICE_CUDA, &memory), PS_ERR_UNSUPPORTED);
  EXPECT(psMemAlloc(group, 64, PS_DEVICE_PLUGIN, &memory), PS_ERR_UNSUPPORTED);
  EXPECT(psMemAlloc(group, (size_t)1 << 50, PS_DEVICE_HOST, &memory), PS_ERR_NO_MEMORY);
  EXPECT(psMemAlloc(group, SIZE_MAX, PS_DEVICE_HOST, &memory), PS_ERR_NO_MEMORY);
  CHECK(memory == own); /* outputs are written on success only */
  EXPECT(psMemFree(NULL, NULL), PS_ERR_ARGUMENT);
  EXPECT(psMemFree(group, NULL), PS_OK);
  EXPECT(psMemFree(group, own), PS_ERR_ARGUMENT);
  EXPECT(psGroupRegister(NULL, own, sizeof own), PS_ERR_ARGUMENT);
  EXPECT(psGroupRegister(group, NULL, 1), PS_ERR_ARGUMENT);
  EXPECT(psGroupDeregister(NULL, own), PS_ERR_ARGUMENT);
  EXPECT(psGroupDeregister(group, NULL), PS_ERR_ARGUMENT);
  EXPECT(psGroupDeregister(group, own), PS_ERR_ARGUMENT);
}

static void memory_is_zeroed_and_used(psGroup group) {
  enum { kCount = 1 << 16 };
  void* memory = NULL;
  void* empty = NULL;
  EXPECT(psMemAlloc(group, kCount * sizeof(float), PS_DEVICE_HOST, &memory), PS_OK);
  EXPECT(psMemAlloc(group, 0, PS_DEVICE_HOST, &empty), PS_OK);
  CHECK(memory != NULL && empty != NULL && empty != memory);
  CHECK((uintptr_t)memory % 4096 == 0);
  float* numbers = memory;
  for (int i = 0; i < kCount; ++i) CHECK(numbers[i] == 0);
  numbers[kCount - 1] = 3;
  EXPECT(psAllReduce(group, numbers, numbers, kCount, PS_FLOAT32, PS_SUM, NULL, NULL), PS_OK);
  CHECK(numbers[kCount - 1] == 3);

  /* What one function gave the other does not take back. */
  EXPECT(psGroupDeregister(group, memory), PS_ERR_ARGUMENT);
  EXPECT(psMemFree(group, (char*)memory + 64), PS_ERR_ARGUMENT);
  EXPECT(psMemFree(group, empty), PS_OK);
  EXPECT(psMemFree(group, memory), PS_OK);
  EXPECT(psMemFree(group, memory), PS_ERR_ARGUMENT);
}

/* A range may be registered several times, and is then deregistered as often. */
static void ranges_are_registered(psGroup group) {
  double own[32] = {1};
  EXPECT(psGroupRegister(group, own, sizeof own), PS_OK);
  EXPECT(psGroupRegister(group, own, 0), PS_OK);
  EXPECT(psMemFree(group, own), PS_ERR_ARGUMENT);
  EXPECT(psAllReduce(group, own, own, 32, PS_FLOAT64, PS_MAX, NULL, NULL), PS_OK);
  EXPECT(psGroupDeregister(group, own), PS_OK);
  EXPECT(psGroupDeregister(group, own), PS_OK);
  EXPECT(psGroupDeregister(group, own), PS_ERR_ARGUMENT);
  EXPECT(psGroupRegister(group, NULL, 0), PS_OK);
  EXPECT(psGroupDeregister(group, NULL), PS_OK);
  EXPECT(psGroupDeregister(group, NULL), PS_ERR_ARGUMENT);
  CHECK(own[0] == 1);
}

void smoke_memory(psContext context) {
  const int32_t self[1] = {0};
  psGroup group = NULL;
  EXPECT(psNewGroup(context, self, 1, NULL, &group), PS_OK);
  arguments_are_checked(group);
  memory_is_zeroed_and_used(group);
  ranges_are_registered(group);

  /* What is left goes with the group. */
  void* memory = NULL;
  EXPECT(psMemAlloc(group, 100, PS_DEVICE_HOST, &memory), PS_OK);
  EXPECT(psGroupRegister(group, memory, 100), PS_OK);
  EXPECT(psGroupFree(group), PS_OK);
  EXPECT(psMemFree(group, memory), PS_ERR_ARGUMENT);
}

void smoke_memory_after_finalize(void) {
  psContext context = smoke_world();
  psGroup world = NULL;
  void* memory = NULL;
  EXPECT(psGetGroup(context, "world", &world), PS_OK);
  EXPECT(psMemAlloc(world, 100, PS_DEVICE_HOST, &memory), PS_OK);
  EXPECT(psFinalize(context), PS_OK);
  memset(memory, 1, 100); /* it is there as long as its group's handle */
  EXPECT(psMemAlloc(world, 100, PS_DEVICE_HOST, &memory), PS_ERR_STATE);
  EXPECT(psMemFree(world, memory), PS_ERR_STATE);
  EXPECT(psMemFree(world, NULL), PS_ERR_STATE);
  EXPECT(psGroupRegister(world, &world, sizeof world), PS_ERR_STATE);
  EXPECT(psGroupDeregister(world, &world), PS_ERR_STATE);
  EXPECT(psGroupFree(world), PS_OK);
}
