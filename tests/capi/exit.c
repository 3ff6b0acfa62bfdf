/* A process that ends without psFinalize, by exit() or by _exit(), with an operation pending, ends at once and stands in
 * nobody's way: a socket's file at a path of the caller's own may stay, as it must after SIGKILL, and the next world at
 * that place replaces it and leaves in order.
 *
 * usage: exit             starts itself once a way
 *        exit WAY URL     is the process that ends; WAY is exit, _exit or finalize */
#define _GNU_SOURCE
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "expect.h"
#include "process.h"

extern char** environ;

static int leave(const char* way, const char* url) {
  psConfig config = PS_CONFIG_INIT;
  config.flags = PS_NO_ENVIRONMENT | PS_HOST_ONLY;
  config.world_size = 1;
  config.rendezvous = url;
  static psContext context;
  static psGroup world;
  static psWork work;
  static int32_t word;
  EXPECT(psInit(&config, &context), PS_OK);
  EXPECT(psGetGroup(context, "world", &world), PS_OK);
  EXPECT(psRecv(world, &word, 1, PS_INT32, 0, 0, NULL, &work), PS_OK);
  if (strcmp(way, "finalize") == 0) {
    EXPECT(psFinalize(context), PS_OK);
    EXPECT(psWorkFree(work), PS_OK);
    EXPECT(psGroupFree(world), PS_OK);
  }
  if (strcmp(way, "_exit") == 0) _exit(5);
  exit(5);
}

static void ends_at_once(const char* way, const char* url) {
  const char* self = "/proc/self/exe";
  const char* arguments[] = {self, way, url, NULL};
  pid_t child = 0;
  int status = 0;
  CHECK(posix_spawn(&child, self, NULL, NULL, (char**)arguments, environ) == 0);
  CHECK(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 5);
}

int main(int argc, char** argv) {
  alarm(60);
  if (argc == 3) return leave(argv[1], argv[2]);
  char folder[] = "/tmp/ps-exit-XXXXXX";
  char url[64];
  CHECK(mkdtemp(folder) != NULL);
  snprintf(url, sizeof(url), "unix://%s/meeting", folder);
  ends_at_once("exit", url);
  ends_at_once("_exit", url);
  ends_at_once("finalize", url);
  CHECK(ps_count_entries(folder) == 0);
  CHECK(rmdir(folder) == 0);
  puts("each way ends at once, and the place is free again");
  return 0;
}
