// Each fact comes from the first place that states it: psConfig, our own PS_ variables, the launcher, the default.
#include "control/launch.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <vector>

#include "base/environment.h"
#include "base/error.h"
#include "control/launch_environment.h"
#include "control/meeting_place.h"
#include "control/supported.h"
#include "control/waiting.h"

namespace ps {
namespace {

constexpr int64_t kDefaultTimeoutMs = 30 * 60 * 1000;
constexpr int64_t kDefaultInitTimeoutMs = 5 * 60 * 1000;
constexpr uint64_t kDefaultObjectBytes = uint64_t{1} << 30;
constexpr uint64_t kDefaultHostBufferBytes = uint64_t{4} << 20;
constexpr int64_t kMost = std::numeric_limits<int64_t>::max();

std::string_view text_or_empty(const char* text) { return text != nullptr ? text : std::string_view(); }

// Reads psConfig and the environment side by side.
class Resolver {
 public:
  explicit Resolver(const psConfig& config)
      : config_(config), use_environment_((config.flags & PS_NO_ENVIRONMENT) == 0) {}

  LaunchSettings resolve() {
    check_supported(config_);
    resolve_rank();
    resolve_local();
    fold_replica();
    resolve_options();
    resolve_rendezvous();
    resolve_epoch();
    return std::move(settings_);
  }

 private:
  std::optional<std::string> variable(const char* name) const {
    return use_environment_ ? environment(name) : std::nullopt;
  }

  std::string text(const char* configured, const char* name, const char* otherwise = "") const {
    if (!text_or_empty(configured).empty()) return configured;
    return variable(name).value_or(otherwise);
  }

  int64_t number(int64_t configured, const char* name, int64_t least, int64_t otherwise) const {
    if (configured > 0) return configured;
    const auto value = use_environment_ ? environment_integer(name, least, kMost) : std::nullopt;
    return value.value_or(otherwise);
  }

  bool in_process() const { return text_or_empty(config_.rendezvous).starts_with("mem://"); }

  void resolve_rank() {
    const psConfig& c = config_;
    if (c.world_size < 0) fail(PS_ERR_ARGUMENT, "psConfig.world_size is {}; use 0 for the environment's", c.world_size);
    if (c.world_size == 0 && c.rank != 0) {
      fail(PS_ERR_ARGUMENT,
           "psConfig.rank is {} without a psConfig.world_size; set both, or neither to take them from the environment",
           c.rank);
    }
    if (c.world_size > 0 && (c.rank < 0 || c.rank >= c.world_size)) {
      fail(PS_ERR_ARGUMENT, "psConfig.rank is {}, which is not from 0 to {} as psConfig.world_size {} asks", c.rank,
           c.world_size - 1, c.world_size);
    }
    if (c.world_size > 0) {
      decide("psConfig", c.rank, c.world_size);
      if (use_environment_) {
        launchers_ = read_launchers_leniently();
        // Beside psConfig the variables are hints at best, so a wrong one is passed over like a launcher's.
        try {
          own_ = read_own_variables();
        } catch (const Error&) {
        }
      }
      return;
    }
    if (use_environment_) own_ = read_own_variables();
    if (own_) {
      decide(own_->name, own_->rank, own_->world_size);
      launchers_ = read_launchers_leniently();
      return;
    }
    if (use_environment_) launchers_ = read_launchers();
    if (launchers_.empty()) {
      refuse_place_without_rank();
      return decide("alone", 0, 1);
    }
    decide(launchers_.front().name, launchers_.front().rank, launchers_.front().world_size);
  }

  // Whoever says where a world meets does not mean a rank alone.
  void refuse_place_without_rank() const {
    if (!text_or_empty(config_.rendezvous).empty()) return;
    for (const char* name : {"PS_RENDEZVOUS", "PS_LISTEN_FD"}) {
      if (const auto value = variable(name)) {
        fail(PS_ERR_ARGUMENT,
             "the environment has {}={}, where a world meets, but nothing that says which rank this is; set PS_RANK "
             "and PS_WORLD_SIZE (or psConfig.rank and psConfig.world_size), or unset {} to run alone",
             name, *value, name);
      }
    }
  }

  void decide(std::string source, int32_t rank, int32_t world_size) {
    settings_.source = std::move(source);
    settings_.rank = rank;
    settings_.world_size = world_size;
  }

  void resolve_local() {
    const psConfig& c = config_;
    if (c.local_size < 0 || (c.local_size == 0 && c.local_rank != 0) ||
        (c.local_size > 0 && (c.local_rank < 0 || c.local_rank >= c.local_size))) {
      fail(PS_ERR_ARGUMENT,
           "psConfig.local_rank is {} with a psConfig.local_size of {}; use a rank below the size, or 0 and 0 to have "
           "them found",
           c.local_rank, c.local_size);
    }
    if (c.local_size > 0) {
      settings_.local_rank = c.local_rank;
      settings_.local_size = c.local_size;
      return;
    }
    if (in_process()) return;
    // The variables speak of this rank's world only where rank and size agree.
    const auto take = [&](const Launcher& launcher) {
      if (settings_.local_size > 0 || launcher.local_size == 0) return;
      if (launcher.rank != settings_.rank || launcher.world_size != settings_.world_size) return;
      settings_.local_rank = launcher.local_rank;
      settings_.local_size = launcher.local_size;
    };
    if (own_) take(*own_);
    std::for_each(launchers_.begin(), launchers_.end(), take);
  }

  void fold_replica() {
    const psConfig& c = config_;
    own_size_ = settings_.world_size;
    if (c.replica_count < 0 || c.replica < 0 || (c.replica_count == 0 && c.replica != 0) ||
        (c.replica_count > 0 && c.replica >= c.replica_count)) {
      fail(PS_ERR_ARGUMENT,
           "psConfig.replica is {} with a psConfig.replica_count of {}; use a replica below the count, or 0 and 0 for a "
           "world without replicas",
           c.replica, c.replica_count);
    }
    settings_.replica = c.replica;
    settings_.replica_count = c.replica_count;
    if (c.replica_count == 0) return;
    const int64_t size = int64_t{own_size_} * c.replica_count;
    if (size > std::numeric_limits<int32_t>::max()) {
      fail(PS_ERR_ARGUMENT, "{} replicas of {} ranks are too many: ranks are 32-bit numbers", c.replica_count,
           own_size_);
    }
    settings_.rank += c.replica * own_size_;
    settings_.world_size = static_cast<int32_t>(size);
  }

  void resolve_options() {
    const psConfig& c = config_;
    LaunchSettings& s = settings_;
    s.job = text(c.job, "PS_JOB", "default");
    s.secret = !text_or_empty(c.secret).empty() ? c.secret : use_environment_ ? environment_secret() : "";
    s.network = text(c.network, "PS_NETWORK");
    s.host_id = variable("PS_HOST_ID").value_or("");
    s.backend = text(c.backend, "PS_BACKEND", "auto");
    check_backend(s.backend, text_or_empty(c.backend).empty() ? "PS_BACKEND" : "psConfig.backend");
    s.flags = c.flags;
    if (use_environment_ && environment_integer("PS_ALLOW_UNAUTHENTICATED", 0, 1) == 1) {
      s.flags |= PS_ALLOW_UNAUTHENTICATED;
    }
    s.timeout_ms = number(c.timeout_ms, "PS_TIMEOUT_MS", 1, kDefaultTimeoutMs);
    s.init_timeout_ms = number(c.init_timeout_ms, "PS_INIT_TIMEOUT_MS", 1, kDefaultInitTimeoutMs);
    s.max_object_bytes = bytes(c.max_object_bytes, "PS_MAX_OBJECT_BYTES", kDefaultObjectBytes);
    s.host_buffer_bytes = bytes(c.host_buffer_bytes, "PS_HOST_BUFFER_BYTES", kDefaultHostBufferBytes);
    s.dispatch = text(c.dispatch, "PS_DISPATCH");
    s.dispatch_source = text_or_empty(c.dispatch).empty() ? "PS_DISPATCH" : "psConfig.dispatch";
    const auto spin_us = use_environment_ ? environment_integer("PS_SPIN_US", 0, WaitPolicy::kMostSpinUs) : std::nullopt;
    s.spin_us = spin_us.value_or(WaitPolicy::kDefaultSpinUs);
    // Of the machine, like PS_COPY, so also where the rest of the environment does not count.
    if (const auto cross = environment_integer("PS_CROSS_MEMORY", 0, 1)) s.cross_memory = *cross != 0;
    if (const auto domain = variable("PS_DOMAIN")) s.place = parse_place(*domain, "PS_DOMAIN");
    s.log = c.log;
    s.log_user = c.log_user;
    s.log_level = log_level();
    if (c.check_mode < 0 || c.check_mode > PS_CHECK_STRICT) {
      fail(PS_ERR_ARGUMENT, "psConfig.check_mode is {}, which is no psCheckMode", c.check_mode);
    }
  }

  uint64_t bytes(uint64_t configured, const char* name, uint64_t otherwise) const {
    return configured > 0 ? configured : static_cast<uint64_t>(number(0, name, 1, static_cast<int64_t>(otherwise)));
  }

  psLogLevel log_level() const {
    if (config_.log_level < 0 || config_.log_level > PS_LOG_TRACE) {
      fail(PS_ERR_ARGUMENT, "psConfig.log_level is {}, which is no psLogLevel", config_.log_level);
    }
    if (config_.log_level != 0) return config_.log_level;
    const auto name = variable("PS_LOG_LEVEL");
    return name ? parse_log_level(*name) : PS_LOG_ERROR;
  }

  void resolve_rendezvous() {
    LaunchSettings& s = settings_;
    s.rendezvous = text_or_empty(config_.rendezvous);
    // A rank alone meets nobody, and a place that its launcher made may be a larger world's.
    if (!s.rendezvous.empty() || s.world_size == 1) return;
    const auto given = variable("PS_RENDEZVOUS");
    const auto listening = use_environment_ ? environment_integer("PS_LISTEN_FD", 0, 1'000'000'000) : std::nullopt;
    if (given || listening) return take_given(given, listening);

    const Launcher* launcher = launcher_of_this_world();
    const std::string spread = several_nodes(launcher);
    if (!spread.empty()) {
      if (!use_environment_) fail_homeless();
      s.rendezvous = network_meeting_place(spread);
      return;
    }
    const bool named = s.job != "default";
    if ((launcher == nullptr || launcher->identity.empty()) && !named) fail_homeless();
    std::string identity = fmt::format("job={}\nranks={}\n", s.job, s.world_size);
    if (launcher != nullptr) identity += fmt::format("launcher={}\n{}", launcher->name, launcher->identity);
    s.rendezvous = local_meeting_place(identity);
  }

  // A rank of an earlier attempt must not come in. Between nodes torchrun's counts may differ within one attempt, so
  // the count serves on one node only; elsewhere the store itself keeps the late ones out.
  void resolve_epoch() {
    const Launcher* launcher = launcher_of_this_world();
    if (settings_.world_size == 1 || launcher == nullptr || launcher->restart.empty()) return;
    if (!text_or_empty(config_.rendezvous).empty() || !several_nodes(launcher).empty()) return;
    settings_.job += "/restart-" + launcher->restart;
  }

  const Launcher* launcher_of_this_world() const {
    const auto found = std::find_if(launchers_.begin(), launchers_.end(), [this](const Launcher& launcher) {
      return launcher.world_size == settings_.world_size;
    });
    return found != launchers_.end() ? &*found : nullptr;
  }

  void take_given(const std::optional<std::string>& given, std::optional<int64_t> listening) {
    LaunchSettings& s = settings_;
    if (own_ && own_->world_size != own_size_ && own_->world_size != s.world_size) {
      fail(PS_ERR_ARGUMENT,
           "this world has {} ranks, but {} was made for another, of {} (PS_WORLD_SIZE); set psConfig.rendezvous",
           s.world_size, given ? "PS_RENDEZVOUS" : "PS_LISTEN_FD", own_->world_size);
    }
    if (s.rank == 0 && listening) {
      s.rendezvous = fmt::format("fd://{}", *listening);
    } else if (given) {
      s.rendezvous = *given;
    } else {
      fail(PS_ERR_ARGUMENT,
           "rank {} has PS_LISTEN_FD={}, which only rank 0 can use, and no PS_RENDEZVOUS; set PS_RENDEZVOUS to the "
           "address of that descriptor on all other ranks",
           s.rank, *listening);
    }
  }

  [[noreturn]] void fail_homeless() const {
    fail(PS_ERR_ARGUMENT,
         "rank {} of {} (said by {}) does not know where its world meets; start it with psctl run or torchrun, or set "
         "psConfig.rendezvous{}",
         settings_.rank, settings_.world_size, settings_.source,
         use_environment_ ? ", PS_RENDEZVOUS, or on one host PS_JOB to a name that no other job has"
                          : " (PS_NO_ENVIRONMENT is set, so no variable is read)");
  }

  // How it is known that there are several nodes, "" where nothing says so.
  std::string several_nodes(const Launcher* launcher) const {
    if (launcher != nullptr && launcher->nodes > 1) {
      return fmt::format("{} says {}", launcher->name, launcher->nodes);
    }
    const bool ask_launcher = launcher != nullptr && config_.local_size == 0;
    const int32_t local = ask_launcher ? launcher->local_size : settings_.local_size;
    const int32_t all = launcher != nullptr ? launcher->world_size : own_size_;
    if (local > 0 && local < all) return fmt::format("{} of {} ranks are on this host", local, all);
    return "";
  }

  const psConfig& config_;
  const bool use_environment_;
  std::optional<Launcher> own_;      // PS_RANK and PS_WORLD_SIZE
  std::vector<Launcher> launchers_;  // the others
  int32_t own_size_ = 1;             // before replicas are folded in
  LaunchSettings settings_;
};

}  // namespace

LaunchSettings resolve_launch(const psConfig& config) { return Resolver(config).resolve(); }

}  // namespace ps
