/* Every rank contributes 1; the sum is the number of ranks.
 *
 *     gcc hello.c -o hello $(pkg-config --cflags --libs parallelstate)
 *     psctl run -n 4 -- ./hello
 */
#include <parallelstate.h>
#include <stdio.h>

int main(void) {
  psContext context = NULL;
  psGroup world = NULL;
  float value = 1, sum = 0;
  if (psInit(NULL, &context) < 0 || psGetGroup(context, "world", &world) < 0 ||
      psAllReduce(world, &value, &sum, 1, PS_FLOAT32, PS_SUM, NULL, NULL) < 0) {
    fprintf(stderr, "%s\n", psLastError());
    return 1;
  }
  printf("%g ranks\n", sum);
  psGroupFree(world);
  return psFinalize(context) < 0;
}
