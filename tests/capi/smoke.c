/* A C11 program through the whole interface, in a world of one rank. */
#define _GNU_SOURCE
#include "smoke.h"

#include <unistd.h>

psContext smoke_world(void) {
  psConfig config = PS_CONFIG_INIT;
  config.flags = PS_NO_ENVIRONMENT | PS_HOST_ONLY;
  config.rank = 0;
  config.world_size = 1;
  config.timeout_ms = 20000;
  psContext context = NULL;
  EXPECT(psInit(&config, &context), PS_OK);
  CHECK(context != NULL);
  return context;
}

int main(void) {
  alarm(150);
  smoke_library();
  smoke_layouts();
  smoke_context();
  smoke_store_served();

  psContext context = smoke_world();
  smoke_store(context);
  smoke_groups(context);
  smoke_collectives(context);
  smoke_memory(context);
  smoke_point_to_point(context);
  smoke_works(context);
  smoke_abort(context);
  EXPECT(psFinalize(context), PS_OK);

  smoke_memory_after_finalize();
  smoke_after_finalize();
  puts("every function answered as the header says");
  return 0;
}
