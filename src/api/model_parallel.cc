// The groups of a layout, made and dropped together.
#include "api/guard.h"
#include "api/handle.h"
#include "api/structs.h"
#include "base/environment.h"

using namespace ps::api;

namespace {

constexpr uint32_t kModelParallelFlags = PS_DETERMINISTIC | PS_WARM_UP | PS_HOST_ONLY;

ps::GroupSettings checked_settings(const ps::Context& context, const psModelParallelOptions* given) {
  const psModelParallelOptions options = read_options(given, "psModelParallelOptions");
  check_flags(options.flags, kModelParallelFlags, "psModelParallelOptions.flags");
  check_timeout(options.timeout_ms, "psModelParallelOptions.timeout_ms");
  if (options.backend_options != nullptr && *options.backend_options != '\0') {
    ps::fail(PS_ERR_ARGUMENT, "backend_options \"{}\": the shm backend has none", options.backend_options);
  }
  psGroupOptions group = PS_GROUP_OPTIONS_INIT;
  group.flags = options.flags;
  group.timeout_ms = options.timeout_ms;
  return context.group_settings(group);
}

ps::Deadline forming_deadline(const ps::Context& context) {
  return ps::Deadline::in_ms(context.world().settings().init_timeout_ms);
}

std::string given_or_configured(const ps::Context& context, const char* spec) {
  if (spec != nullptr && *spec != '\0') return spec;
  if ((context.world().settings().flags & PS_NO_ENVIRONMENT) == 0) {
    if (const auto configured = ps::environment("PS_LAYOUT")) return *configured;
  }
  ps::fail(PS_ERR_ARGUMENT, "no spec is given and PS_LAYOUT is not set; pass a layout such as \"megatron:tp=2,pp=*\"");
}

}  // namespace

psResult psInitModelParallel(psContext context, const char* spec, const psModelParallelOptions* options) {
  return guard("psInitModelParallel", [&] {
    const auto object = open(context);
    object->init_model_parallel(given_or_configured(*object, spec), checked_settings(*object, options), forming_deadline(*object));
  });
}

psResult psEnsureModelParallel(psContext context, const char* spec, const psModelParallelOptions* options) {
  return guard("psEnsureModelParallel", [&] {
    const auto object = open(context);
    object->ensure_model_parallel(given_or_configured(*object, spec), checked_settings(*object, options), forming_deadline(*object));
  });
}

psResult psModelParallelIsInitialized(psContext context, int32_t* initialized) {
  return guard("psModelParallelIsInitialized", [&] {
    const auto object = open(context);
    require(initialized, "initialized");
    *initialized = object->model_parallel() ? 1 : 0;
  });
}

psResult psDestroyModelParallel(psContext context) {
  return guard("psDestroyModelParallel", [&] { open(context)->destroy_model_parallel(); });
}
