// Joining and leaving a world, and asking about it.
#include "api/guard.h"
#include "api/handle.h"
#include "api/structs.h"
#include "control/launch.h"

using namespace ps::api;

namespace {

constexpr uint32_t kConfigFlags =
    PS_DETERMINISTIC | PS_WARM_UP | PS_HOST_ONLY | PS_ALLOW_UNAUTHENTICATED | PS_NO_ENVIRONMENT | PS_SHARE_DEVICE;

}  // namespace

psResult psInit(const psConfig* config, psContext* context) {
  return guard("psInit", [&] {
    require(context, "context");
    const psConfig options = read_options(config, "psConfig");
    check_flags(options.flags, kConfigFlags, "psConfig.flags");
    check_timeout(options.timeout_ms, "psConfig.timeout_ms");
    check_timeout(options.init_timeout_ms, "psConfig.init_timeout_ms");
    auto settings = ps::resolve_launch(options);
    context_opened();
    try {
      *context = Pool<psContextImpl>::make(ps::Context::init(std::move(settings)));
    } catch (...) {
      context_closed();
      throw;
    }
  });
}

psResult psFinalize(psContext context) {
  return guard("psFinalize", [&] {
    if (context == nullptr) return;
    const auto object = Pool<psContextImpl>::release(context);
    object->finalize();
    context_closed();
  });
}

psResult psAbort(psContext context, const char* reason) {
  return guard("psAbort", [&] { open(context)->abort(reason != nullptr ? reason : "no reason given"); });
}

psResult psGetWorldInfo(psContext context, psWorldInfo* info) {
  return guard("psGetWorldInfo", [&] {
    const auto object = open(context);
    require(info, "info");
    check_size(info, "psWorldInfo");
    const ps::World& world = object->world();
    const ps::Member self = world.member(world.rank());
    const auto failure = object->failure();
    psWorldInfo out = PS_WORLD_INFO_INIT;
    out.rank = world.rank();
    out.world_size = world.size();
    out.local_rank = self.local_rank;
    out.local_size = world.local_size();
    out.node = self.node;
    out.node_count = world.node_count();
    out.replica = world.settings().replica;
    out.replica_count = world.settings().replica_count;
    out.device_index = -1;
    out.failure = failure ? failure->code() : PS_OK;
    out.failed_global_rank = failure ? failure->culprit() : PS_NO_RANK;
    out.failure_text = failure ? failure->what() : "";
    const auto layout = object->model_parallel();
    out.layout_spec = layout ? object->keep(layout->layout().spec()) : nullptr;
    out.worker_suffix = layout ? object->keep(layout->worker_suffix()) : "";
    write_info(info, out);
  });
}

psResult psGetRankInfo(psContext context, int32_t global_rank, psRankInfo* info) {
  return guard("psGetRankInfo", [&] {
    const auto object = open(context);
    require(info, "info");
    check_size(info, "psRankInfo");
    const ps::World& world = object->world();
    if (global_rank < 0 || global_rank >= world.size()) {
      ps::fail(PS_ERR_ARGUMENT, "global_rank {} is not in the world of {} ranks", global_rank, world.size());
    }
    const ps::Member member = world.member(global_rank);
    psRankInfo out = PS_RANK_INFO_INIT;
    out.state = world.state(global_rank);
    out.node = member.node;
    out.local_rank = member.local_rank;
    out.pid = member.pid;
    out.device_index = -1;
    // Not the roster's, which lies in memory that the child of a fork does not have.
    out.hostname = object->keep(member.hostname);
    out.address = object->keep(member.address);
    out.silent_ms = world.silent_ms(global_rank);
    write_info(info, out);
  });
}

psResult psDescribe(psContext context, psBytes* json) {
  return guard("psDescribe", [&] {
    const auto object = open(context);
    require(json, "json");
    *json = json_bytes(object->describe());
  });
}
