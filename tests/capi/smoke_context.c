/* Starting, asking and leaving a world; and what a configuration may not say. */
#define _GNU_SOURCE
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "smoke.h"

static atomic_int log_lines;

static void count_line(void* user, psLogLevel level, const char* text) {
  CHECK(user == &log_lines);
  CHECK(level >= PS_LOG_ERROR && level <= PS_LOG_TRACE);
  CHECK(strchr(text, '\n') == NULL);
  CHECK(strstr(text, "never-to-be-shown") == NULL);
  atomic_fetch_add(&log_lines, 1);
}

static psConfig base(void) {
  psConfig config = PS_CONFIG_INIT;
  config.flags = PS_NO_ENVIRONMENT | PS_WARM_UP | PS_HOST_ONLY;
  config.world_size = 1;
  return config;
}

/* The configuration is refused, and the output stays as it was. */
static void refused(psConfig config, psResult expected) {
  int sentinel = 0;
  psContext context = (psContext)(void*)&sentinel;
  EXPECT(psInit(&config, &context), expected);
  CHECK(context == (psContext)(void*)&sentinel);
}

static void configurations_are_checked(void) {
  psConfig config = base();
  EXPECT(psInit(&config, NULL), PS_ERR_ARGUMENT);

  config = base(), config.struct_size = 0, refused(config, PS_ERR_ARGUMENT);
  config = base(), config.struct_size = 8, refused(config, PS_ERR_ARGUMENT);
  config = base(), config.flags |= 0x80000000u, refused(config, PS_ERR_ARGUMENT);
  config = base(), config.flags |= PS_SERVE, refused(config, PS_ERR_ARGUMENT);
  config = base(), config.rank = 1, refused(config, PS_ERR_ARGUMENT);
  config = base(), config.rank = -1, refused(config, PS_ERR_ARGUMENT);
  config = base(), config.world_size = -2, refused(config, PS_ERR_ARGUMENT);
  config = base(), config.timeout_ms = -7, refused(config, PS_ERR_ARGUMENT);
  config = base(), config.init_timeout_ms = -7, refused(config, PS_ERR_ARGUMENT);
  config = base(), config.log_level = 99, refused(config, PS_ERR_ARGUMENT);
  config = base(), config.check_mode = 99, refused(config, PS_ERR_ARGUMENT);
  config = base(), config.world_size = 2, config.rendezvous = "nonsense", refused(config, PS_ERR_ARGUMENT);
  CHECK(strstr(psLastError(), "nonsense") != NULL);
}

static void longer_structs_are_read_by_their_tail(void) {
  struct {
    psConfig known;
    uint64_t later;
  } config = {PS_CONFIG_INIT, 0};
  config.known = base();
  config.known.struct_size = (uint32_t)sizeof(config);
  psContext context = NULL;
  EXPECT(psInit(&config.known, &context), PS_OK);
  EXPECT(psFinalize(context), PS_OK);
  config.later = 1;
  EXPECT(psInit(&config.known, &context), PS_ERR_UNSUPPORTED);
}

static void zeroed_structs_equal_their_initialisers(void) {
  psConfig config = PS_CONFIG_INIT;
  psConfig zeroed;
  memset(&zeroed, 0, sizeof(zeroed));
  zeroed.struct_size = (uint32_t)sizeof(zeroed);
  CHECK(memcmp(&config, &zeroed, sizeof(zeroed)) == 0);
}

static void a_missing_rank_is_named(void) {
  char folder[] = "/tmp/ps-smoke-XXXXXX";
  CHECK(mkdtemp(folder) != NULL);
  char url[128];
  snprintf(url, sizeof(url), "unix://%s/meeting", folder);
  psConfig config = base();
  config.world_size = 2;
  config.rendezvous = url;
  config.init_timeout_ms = 300;
  refused(config, PS_ERR_TIMEOUT);
  CHECK(strstr(psLastError(), "1") != NULL);
  CHECK(rmdir(folder) == 0); /* nothing is left behind */
}

static void a_world_is_described(psContext context) {
  psWorldInfo world = PS_WORLD_INFO_INIT;
  EXPECT(psGetWorldInfo(context, &world), PS_OK);
  CHECK(world.rank == 0 && world.world_size == 1 && world.local_rank == 0 && world.local_size == 1);
  CHECK(world.node == 0 && world.node_count == 1 && world.replica_count == 0 && world.device_index == -1);
  CHECK(world.failure == PS_OK && world.failed_global_rank == PS_NO_RANK && strcmp(world.failure_text, "") == 0);
  CHECK(world.layout_spec == NULL && strcmp(world.worker_suffix, "") == 0);
  EXPECT(psGetWorldInfo(NULL, &world), PS_ERR_ARGUMENT);
  EXPECT(psGetWorldInfo(context, NULL), PS_ERR_ARGUMENT);
  world.struct_size = 4;
  EXPECT(psGetWorldInfo(context, &world), PS_ERR_ARGUMENT);

  psRankInfo rank = PS_RANK_INFO_INIT;
  EXPECT(psGetRankInfo(context, 0, &rank), PS_OK);
  CHECK(rank.state == PS_RANK_ALIVE && rank.pid == (int32_t)getpid() && rank.hostname[0] != '\0');
  CHECK(rank.node == 0 && rank.local_rank == 0 && rank.address != NULL);
  EXPECT(psGetRankInfo(context, 1, &rank), PS_ERR_ARGUMENT);
  EXPECT(psGetRankInfo(context, -1, &rank), PS_ERR_ARGUMENT);
  EXPECT(psGetRankInfo(context, 0, NULL), PS_ERR_ARGUMENT);
  EXPECT(psGetRankInfo(NULL, 0, &rank), PS_ERR_ARGUMENT);

  psBytes json = NULL;
  const void* text = NULL;
  EXPECT(psDescribe(context, &json), PS_OK);
  EXPECT(psBytesAt(json, 0, &text, NULL, NULL), PS_OK);
  CHECK(((const char*)text)[0] == '{' && strstr(text, "never-to-be-shown") == NULL);
  EXPECT(psBytesFree(json), PS_OK);
  EXPECT(psDescribe(context, NULL), PS_ERR_ARGUMENT);
  EXPECT(psDescribe(NULL, &json), PS_ERR_ARGUMENT);
}

void smoke_context(void) {
  zeroed_structs_equal_their_initialisers();
  configurations_are_checked();
  longer_structs_are_read_by_their_tail();
  a_missing_rank_is_named();

  psConfig config = base();
  config.secret = "never-to-be-shown";
  config.log = count_line;
  config.log_user = &log_lines;
  config.log_level = PS_LOG_TRACE;
  psContext context = NULL;
  EXPECT(psInit(&config, &context), PS_OK);
  CHECK(atomic_load(&log_lines) > 0);
  a_world_is_described(context);
  EXPECT(psAbort(NULL, "nobody"), PS_ERR_ARGUMENT);
  EXPECT(psFinalize(context), PS_OK);

  psWorldInfo world = PS_WORLD_INFO_INIT;
  psRankInfo rank = PS_RANK_INFO_INIT;
  psBytes json = NULL;
  EXPECT(psFinalize(NULL), PS_OK);
  EXPECT(psFinalize(context), PS_ERR_ARGUMENT);
  EXPECT(psAbort(context, NULL), PS_ERR_ARGUMENT);
  EXPECT(psGetWorldInfo(context, &world), PS_ERR_ARGUMENT);
  EXPECT(psGetRankInfo(context, 0, &rank), PS_ERR_ARGUMENT);
  EXPECT(psDescribe(context, &json), PS_ERR_ARGUMENT);

  context = NULL;
  EXPECT(psInit(NULL, &context), PS_OK); /* all from the environment, which is silent here */
  EXPECT(psFinalize(context), PS_OK);
}
