// Making, asking and ending groups.
#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "api/guard.h"
#include "api/handle.h"
#include "api/structs.h"
#include "control/supported.h"

using namespace ps::api;

namespace {

constexpr uint32_t kGroupFlags = PS_DETERMINISTIC | PS_OWN_COMMUNICATOR | PS_WARM_UP | PS_HOST_ONLY;
constexpr size_t kLongestName = 63;

psGroupOptions checked_options(const psGroupOptions* given) {
  const psGroupOptions options = read_options(given, "psGroupOptions");
  check_flags(options.flags, kGroupFlags, "psGroupOptions.flags");
  check_timeout(options.timeout_ms, "psGroupOptions.timeout_ms");
  if (options.name != nullptr && std::string_view(options.name).size() > kLongestName) {
    ps::fail(PS_ERR_ARGUMENT, "a group's name has at most {} bytes, this one has {}", kLongestName, std::string_view(options.name).size());
  }
  if (options.backend != nullptr && *options.backend != '\0') ps::check_backend(options.backend, "psGroupOptions.backend");
  if (options.backend_options != nullptr && *options.backend_options != '\0') {
    ps::fail(PS_ERR_ARGUMENT, "backend_options \"{}\": the shm backend has none", options.backend_options);
  }
  return options;
}

std::vector<int32_t> checked_members(const ps::World& world, const int32_t* global_ranks, size_t count) {
  require(global_ranks, "global_ranks");
  if (count == 0) ps::fail(PS_ERR_ARGUMENT, "a group needs at least one member");
  if (count > static_cast<size_t>(world.size())) {
    ps::fail(PS_ERR_ARGUMENT, "{} members in a world of {} ranks", count, world.size());
  }
  std::vector<int32_t> members(global_ranks, global_ranks + count);
  std::vector<int32_t> sorted = members;
  std::sort(sorted.begin(), sorted.end());
  if (sorted.front() < 0 || sorted.back() >= world.size()) {
    ps::fail(PS_ERR_ARGUMENT, "rank {} is not in the world of {} ranks", sorted.front() < 0 ? sorted.front() : sorted.back(), world.size());
  }
  if (const auto twice = std::adjacent_find(sorted.begin(), sorted.end()); twice != sorted.end()) {
    ps::fail(PS_ERR_ARGUMENT, "rank {} is listed twice", *twice);
  }
  if (!std::binary_search(sorted.begin(), sorted.end(), world.rank())) {
    ps::fail(PS_ERR_ARGUMENT, "rank {} is not a member of [{}]; only members make a group", world.rank(), fmt::join(members, ", "));
  }
  return members;
}

}  // namespace

psResult psGetGroup(psContext context, const char* name, psGroup* group) {
  return guard("psGetGroup", [&] {
    const auto object = open(context);
    require(name, "name");
    require(group, "group");
    *group = Pool<psGroupImpl>::make(object->group(name));
  });
}

psResult psNewGroup(psContext context, const int32_t* global_ranks, size_t count, const psGroupOptions* options,
                    psGroup* group) {
  return guard("psNewGroup", [&] {
    const auto object = open(context);
    require(group, "group");
    auto members = checked_members(object->world(), global_ranks, count);
    auto settings = object->group_settings(checked_options(options));
    const auto deadline = ps::Deadline::in_ms(settings.timeout_ms);
    *group = Pool<psGroupImpl>::make(object->new_group(std::move(members), std::move(settings), deadline));
  });
}

psResult psSplitGroup(psGroup group, int32_t color, int32_t key, const psGroupOptions* options, psGroup* part) {
  return guard("psSplitGroup", [&] {
    ps::Group& parent = open(group);
    require(part, "part");
    if (color < PS_NO_COLOR) ps::fail(PS_ERR_ARGUMENT, "colour {}; use a number from 0, or PS_NO_COLOR", color);
    const auto context = parent.context();
    auto settings = context->group_settings(checked_options(options));
    const auto deadline = ps::Deadline::in_ms(settings.timeout_ms);
    auto made = context->split_group(parent, color, key, std::move(settings), deadline);
    *part = made ? Pool<psGroupImpl>::make(std::move(made)) : nullptr;
  });
}

psResult psGroupFree(psGroup group) {
  return guard("psGroupFree", [&] {
    if (group != nullptr) Pool<psGroupImpl>::release(group);
  });
}

psResult psGetGroupInfo(psGroup group, psGroupInfo* info) {
  return guard("psGetGroupInfo", [&] {
    ps::Group& object = open(group);
    require(info, "info");
    check_size(info, "psGroupInfo");
    const std::vector<int32_t>& ranks = object.global_ranks();
    const auto rank = static_cast<size_t>(object.rank());
    const auto failure = object.communicator().failure();
    psGroupInfo out = PS_GROUP_INFO_INIT;
    out.rank = object.rank();
    out.size = object.size();
    out.host_count = object.communicator().host_count();
    out.global_rank = ranks[rank];
    out.global_first = ranks.front();
    out.global_last = ranks.back();
    out.global_next = ranks[(rank + 1) % ranks.size()];
    out.global_prev = ranks[(rank + ranks.size() - 1) % ranks.size()];
    out.flags = object.settings().flags;
    out.failure = failure ? failure->code() : PS_OK;
    out.failed_global_rank = failure ? failure->culprit() : PS_NO_RANK;
    out.failure_text = failure ? failure->what() : "";
    out.name = object.settings().name.c_str();
    out.host_backend = object.communicator().backend();
    out.device_backend = nullptr;
    out.timeout_ms = object.timeout_ms();
    write_info(info, out);
  });
}

psResult psGroupGlobalRanks(psGroup group, int32_t* global_ranks, size_t capacity, size_t* count) {
  return guard("psGroupGlobalRanks", [&] { write_list(open(group).global_ranks(), global_ranks, capacity, count); });
}

psResult psGroupFindGlobal(psGroup group, int32_t global_rank, int32_t* rank) {
  return guard("psGroupFindGlobal", [&] {
    const ps::Group& object = open(group);
    require(rank, "rank");
    const std::vector<int32_t>& ranks = object.global_ranks();
    const auto found = std::find(ranks.begin(), ranks.end(), global_rank);
    if (found == ranks.end()) ps::fail(PS_ERR_NOT_FOUND, "world rank {} is not a member of group '{}'", global_rank, object.name());
    *rank = static_cast<int32_t>(found - ranks.begin());
  });
}

psResult psSameHost(psGroup group, int32_t source, int32_t* same, size_t capacity, size_t* count) {
  return guard("psSameHost", [&] {
    const ps::Group& object = open(group);
    if (source < 0 || source >= object.size()) {
      ps::fail(PS_ERR_ARGUMENT, "source {} is no rank of group '{}' with {} members", source, object.name(), object.size());
    }
    const std::vector<int32_t>& ranks = object.global_ranks();
    const int32_t node = object.world().member(ranks[static_cast<size_t>(source)]).node;
    std::vector<int32_t> answers;
    for (const int32_t rank : ranks) answers.push_back(object.world().member(rank).node == node ? 1 : 0);
    write_list(answers, same, capacity, count);
  });
}

psResult psGroupSetTimeout(psGroup group, int64_t timeout_ms) {
  return guard("psGroupSetTimeout", [&] {
    ps::Group& object = open(group);
    if (timeout_ms == 0) ps::fail(PS_ERR_ARGUMENT, "timeout_ms 0 would fail every operation; use -1 for the context's deadline");
    check_timeout(timeout_ms, "timeout_ms");
    object.set_timeout(timeout_ms < 0 ? object.world().settings().timeout_ms : timeout_ms);
  });
}

psResult psGroupAbort(psGroup group, const char* reason) {
  return guard("psGroupAbort", [&] {
    const ps::Group& object = open(group);
    const int32_t self = object.world().rank();
    object.communicator().fail(
        ps::Error(PS_ERR_ABORTED,
                  fmt::format("rank {} aborted group '{}': {}", self, object.name(), reason != nullptr ? reason : "no reason given"),
                  self),
        true);
  });
}
