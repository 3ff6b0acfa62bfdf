/* Adds 1 of every rank; the sum is the size of the world. Ends with 0 when it is. */
#include <parallelstate.h>
#include <stdio.h>

int main(void) {
  psContext context = NULL;
  psGroup world = NULL;
  psGroupInfo info = PS_GROUP_INFO_INIT;
  int64_t one = 1, sum = 0;
  psResult result;
  if ((result = psInit(NULL, &context)) < 0 || (result = psGetGroup(context, "world", &world)) < 0 ||
      (result = psGetGroupInfo(world, &info)) < 0 ||
      (result = psAllReduce(world, &one, &sum, 1, PS_INT64, PS_SUM, NULL, NULL)) < 0) {
    fprintf(stderr, "%s: %s\n", psResultName(result), psLastError());
    return 1;
  }
  printf("rank %d of %d: sum %lld\n", (int)info.rank, (int)info.size, (long long)sum);
  psGroupFree(world);
  return psFinalize(context) < 0 || sum != info.size;
}
