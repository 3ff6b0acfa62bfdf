// What a plugin is given of a communicator: a name for its bootstrap data in the world's store, the rank's address, its
// log. The functions of psPluginHost end here.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "control/world.h"
#include "parallelstate_plugin.h"

struct psPluginPeersImpl {
 public:
  // `serial`: of the communicator, the same on all members and on no other one of the world.
  psPluginPeersImpl(const ps::World& world, uint64_t serial, std::vector<int32_t> global_ranks);

  const ps::World& world() const { return world_; }
  const std::vector<int32_t>& global_ranks() const { return global_ranks_; }
  const std::string& address() const { return address_; }

  // A key of the store that belongs to this communicator.
  std::string key(const std::string& what) const { return prefix_ + what; }
  // nullopt: not there (yet), or no store any more.
  std::optional<std::string> look_up(const std::string& what) const;

 private:
  const ps::World& world_;
  std::vector<int32_t> global_ranks_;
  std::string prefix_;
  std::string address_;
};

namespace ps {

const psPluginHost& plugin_host();

// The text and rank that a plugin last set on this thread; taken once.
struct PluginError {
  int32_t rank = PS_NO_RANK;
  std::string text;
};
PluginError take_plugin_error();

}  // namespace ps
