/* Adds 1 of every rank with a library that is not linked: found by its SONAME, through the loader's path. */
#include <dlfcn.h>
#include <parallelstate.h>
#include <stdio.h>

static void* library;

/* Puts the address of the function `name` into *function; 0 when there is none. */
static int find(const char* name, void* function) {
  *(void**)function = dlsym(library, name);
  return *(void**)function != NULL;
}

int main(void) {
  psResult (*init)(const psConfig*, psContext*);
  psResult (*finalize)(psContext);
  psResult (*get_group)(psContext, const char*, psGroup*);
  psResult (*group_info)(psGroup, psGroupInfo*);
  psResult (*group_free)(psGroup);
  psResult (*all_reduce)(psGroup, const void*, void*, size_t, psDataType, psReduceOp, void*, psWork*);
  const char* (*last_error)(void);
  psContext context = NULL;
  psGroup world = NULL;
  psGroupInfo info = PS_GROUP_INFO_INIT;
  int64_t one = 1, sum = 0;

  library = dlopen("libparallelstate.so.0", RTLD_NOW | RTLD_LOCAL);
  if (library == NULL || !find("psInit", &init) || !find("psFinalize", &finalize) || !find("psGetGroup", &get_group) ||
      !find("psGetGroupInfo", &group_info) || !find("psGroupFree", &group_free) || !find("psAllReduce", &all_reduce) ||
      !find("psLastError", &last_error)) {
    fprintf(stderr, "%s\n", dlerror());
    return 1;
  }
  if (init(NULL, &context) < 0 || get_group(context, "world", &world) < 0 || group_info(world, &info) < 0 ||
      all_reduce(world, &one, &sum, 1, PS_INT64, PS_SUM, NULL, NULL) < 0) {
    fprintf(stderr, "%s\n", last_error());
    return 1;
  }
  printf("rank %d of %d: sum %lld\n", (int)info.rank, (int)info.size, (long long)sum);
  group_free(world);
  return finalize(context) < 0 || sum != info.size || dlclose(library) != 0;
}
