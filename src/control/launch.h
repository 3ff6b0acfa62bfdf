// Who this process is in its world and where the world meets, put together from psConfig and the environment.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/log.h"
#include "control/cpu_place.h"
#include "parallelstate.h"

namespace ps {

struct LaunchSettings {
  std::string source;  // what named the rank: "psConfig", "PS_*", "torchrun", "Open MPI", "PMI", "Slurm", "alone"
  int32_t rank = 0;        // global: replicas are folded in
  int32_t world_size = 1;  // global
  int32_t local_rank = -1;  // -1: to be measured
  int32_t local_size = 0;   // 0: to be measured
  int32_t replica = 0;
  int32_t replica_count = 0;

  std::string rendezvous;  // a URL; "" only where world_size is 1
  std::string job;
  std::string secret;
  std::string network;
  std::string host_id;  // PS_HOST_ID, "" unset
  std::string backend;  // "auto" unless said
  uint32_t flags = 0;
  int64_t timeout_ms = 0;
  int64_t init_timeout_ms = 0;
  uint64_t max_object_bytes = 0;
  uint64_t host_buffer_bytes = 0;
  int64_t spin_us = 0;  // PS_SPIN_US
  std::optional<bool> cross_memory;  // PS_CROSS_MEMORY
  std::optional<CpuPlace> place;  // PS_DOMAIN; none: to be found
  std::string dispatch;         // rules that come before the dispatch table
  std::string dispatch_source;  // "psConfig.dispatch" or "PS_DISPATCH"
  psLogLevel log_level = PS_LOG_ERROR;
  psLogFunction log = nullptr;
  void* log_user = nullptr;

  Logger logger() const { return Logger(log_level, log, log_user); }
};

// `config` has full size (the API extended it with zeros). Errors: ARGUMENT names the variables and their values: what is
// missing, what contradicts (two launchers, rank >= world size), what is no number.
LaunchSettings resolve_launch(const psConfig& config);

// PS_SECRET, else what the file named by PS_SECRET_FILE holds (without the newline at its end), else "". Errors: ARGUMENT
// a file that is missing, not regular, or open to others.
std::string environment_secret();

}  // namespace ps
