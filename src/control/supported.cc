#include "control/supported.h"

#include "base/error.h"

namespace ps {
namespace {

void refuse(const char* value, const char* field, const char* why) {
  if (value == nullptr || *value == '\0') return;
  fail(PS_ERR_UNSUPPORTED, "psConfig.{} is \"{}\", but {}; leave it NULL", field, value, why);
}

}  // namespace

void check_backend(std::string_view backend, std::string_view where) {
  std::string_view first;
  while (true) {
    const size_t comma = backend.find(',');
    const std::string_view name = backend.substr(0, comma);
    if (name != "auto" && name != "shm" && name != "gloo") {
      fail(PS_ERR_UNSUPPORTED,
           "{} names the backend \"{}\", but this build has host memory only; use \"auto\", \"shm\" (within a host) or "
           "\"gloo\" (anywhere)",
           where, name);
    }
    if (!first.empty()) {
      fail(PS_ERR_UNSUPPORTED, "{} names two backends for host memory, \"{}\" and \"{}\"; name one, \"auto\" chooses",
           where, first, name);
    }
    first = name;
    if (comma == std::string_view::npos) return;
    backend.remove_prefix(comma + 1);
  }
}

void check_supported(const psConfig& config) {
  if (config.device != nullptr && *config.device != '\0' && std::string_view(config.device) != "cpu") {
    fail(PS_ERR_UNSUPPORTED, "psConfig.device is \"{}\", but this build has host memory only; use \"cpu\" or NULL",
         config.device);
  }
  refuse(config.plugins, "plugins",
         "the field is reserved; the one plugin that is loaded is Gloo's, where the backend \"gloo\" is asked for or a group "
         "spans hosts, from parallelstate/ beside the library or else a folder of PS_PLUGIN_PATH");
  refuse(config.nccl_library, "nccl_library", "this build has host memory only and does not use NCCL");
  if (config.backend != nullptr && *config.backend != '\0') check_backend(config.backend, "psConfig.backend");
}

}  // namespace ps
