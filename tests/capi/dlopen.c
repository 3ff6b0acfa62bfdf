/* The library as a plugin host loads it: opened, used, closed, a hundred times; nothing of it stays but its code.
 *
 * usage: dlopen PATH-OF-libparallelstate.so */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <unistd.h>

#include "parallelstate.h"
#include "process.h"

/* POSIX gives functions as data pointers; this is the conversion that it prescribes. */
static void find(void* library, const char* name, void* function) {
  void* address = dlsym(library, name);
  if (address == NULL) fprintf(stderr, "%s\n", dlerror());
  CHECK(address != NULL);
  memcpy(function, &address, sizeof(address));
}

static void use(const char* path) {
  void* library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) fprintf(stderr, "%s\n", dlerror());
  CHECK(library != NULL);
  psResult (*init)(const psConfig*, psContext*);
  psResult (*finalize)(psContext);
  psResult (*get_group)(psContext, const char*, psGroup*);
  psResult (*free_group)(psGroup);
  psResult (*barrier)(psGroup, psWork*);
  find(library, "psInit", &init);
  find(library, "psFinalize", &finalize);
  find(library, "psGetGroup", &get_group);
  find(library, "psGroupFree", &free_group);
  find(library, "psBarrier", &barrier);

  psConfig config = PS_CONFIG_INIT;
  config.flags = PS_NO_ENVIRONMENT | PS_HOST_ONLY;
  config.world_size = 1;
  psContext context = NULL;
  psGroup world = NULL;
  CHECK(init(&config, &context) == PS_OK);
  CHECK(get_group(context, "world", &world) == PS_OK);
  CHECK(barrier(world, NULL) == PS_OK);
  CHECK(free_group(world) == PS_OK);
  CHECK(finalize(context) == PS_OK);
  CHECK(dlclose(library) == 0);
}

int main(int argc, char** argv) {
  alarm(150);
  CHECK(argc == 2);
  use(argv[1]);
  const int descriptors = ps_count_descriptors();
  const int threads = ps_settled_threads(1);
  for (int round = 0; round < 100; ++round) {
    use(argv[1]);
    CHECK(ps_count_descriptors() == descriptors);
    CHECK(ps_settled_threads(threads) == threads);
  }
  puts("opened and closed a hundred times");
  return 0;
}
