// psDescribe: one rank's view of its world, as JSON. Never a secret.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "group/context.h"
#include "group/dispatch_json.h"
#include "group/failure_text.h"

namespace ps {
namespace {

using nlohmann::json;

const char* state_name(psRankState state) {
  switch (state) {
    case PS_RANK_ALIVE: return "alive";
    case PS_RANK_SILENT: return "silent";
    case PS_RANK_LEFT: return "left";
    default: return "dead";
  }
}

json configuration(const LaunchSettings& settings) {
  return {{"rendezvous", settings.rendezvous},
          {"job", settings.job},
          {"secret", settings.secret.empty() ? "none" : "set"},
          {"network", settings.network},
          {"backend", settings.backend},
          {"named_by", settings.source},
          {"flags", settings.flags},
          {"timeout_ms", settings.timeout_ms},
          {"init_timeout_ms", settings.init_timeout_ms},
          {"max_object_bytes", settings.max_object_bytes},
          {"host_buffer_bytes", settings.host_buffer_bytes},
          {"dispatch", settings.dispatch}};
}

json ranks(const World& world) {
  json list = json::array();
  for (int32_t rank = 0; rank < world.size(); ++rank) {
    const Member member = world.member(rank);
    list.push_back({{"rank", rank},
                    {"host", member.hostname},
                    {"node", member.node},
                    {"local_rank", member.local_rank},
                    {"pid", member.pid},
                    {"place", describe(member.place)},
                    {"state", state_name(world.state(rank))},
                    {"silent_ms", world.silent_ms(rank)},
                    {"last_call", describe_last_call(world, rank)}});
  }
  return list;
}

}  // namespace

std::string Context::describe() {
  json self;
  self["rank"] = world_->rank();
  self["world_size"] = world_->size();
  self["hosts"] = world_->node_count();
  self["plane"] = world_->in_process() ? "threads of one process" : "shared memory between processes";
  const WaitPolicy& waiting = world_->wait_policy();
  self["waiting"] = {{"spin_us", waiting.spin_us},
                     {"pauses", waiting.pauses},
                     {"yields", waiting.yields},
                     {"more_ranks_than_cpus", waiting.crowded}};
  self["crowded"] = world_->is_crowded();
  self["configuration"] = configuration(world_->settings());
  self["ranks"] = ranks(*world_);
  const auto context_failure = failure();
  self["failure"] = context_failure ? json(context_failure->text()) : json(nullptr);

  self["dispatch"] = dispatch_json(constructor_->dispatch().rows());

  size_t memory = 0;
  json communicators = json::array();
  for (const auto& communicator : constructor_->communicators()) {
    memory += communicator->memory_bytes();
    communicators.push_back({{"serial", communicator->serial()},
                             {"ranks", communicator->global_ranks()},
                             {"backend", communicator->backend() ? json(communicator->backend()) : json(nullptr)},
                             {"shared_memory_bytes", communicator->memory_bytes()},
                             {"domains", communicator->domains()},
                             {"dispatch", in_force_json(communicator->in_force())},
                             {"paths", paths_json(communicator->paths())}});
  }
  self["communicators"] = communicators;
  self["shared_memory_bytes"] = memory;  // reserved; pages are taken at first use

  json groups = json::array();
  for (const auto& group : constructor_->groups()) {
    const auto cause = group->communicator().failure();
    groups.push_back({{"name", group->name()},
                      {"communicator", group->communicator().serial()},
                      {"ranks", group->global_ranks()},
                      {"rank", group->rank()},
                      {"timeout_ms", group->timeout_ms()},
                      {"failure", cause ? json(cause->text()) : json(nullptr)}});
  }
  self["groups"] = groups;
  if (const auto layout = model_parallel()) {
    self["model_parallel"] = {{"spec", layout->layout().spec()},
                              {"hash", fmt::format("{:016x}", layout->layout().hash())},
                              {"communicators", layout->communicator_count()},
                              {"shared_memory_bytes_of_host", layout->memory_bytes()},
                              {"agreement_us", layout->times().agreement_us},
                              {"memory_us", layout->times().memory_us},
                              {"groups_us", layout->times().groups_us}};
  } else {
    self["model_parallel"] = nullptr;
  }
  // Texts of peers may hold any bytes.
  return self.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace ps
