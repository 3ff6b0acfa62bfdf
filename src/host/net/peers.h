// What a plugin is given of a communicator: a name for its bootstrap data in the world's store, the rank's address, its
// log. The functions of psPluginHost end here.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "control/store/store.h"
#include "control/world.h"
#include "parallelstate_plugin.h"

struct psPluginPeersImpl {
 public:
  // `serial`: of the communicator, the same on all members and on no other one of the world.
  psPluginPeersImpl(const ps::World& world, uint64_t serial, std::vector<int32_t> global_ranks);
  ~psPluginPeersImpl() { stop_listening(); }

  const ps::World& world() const { return world_; }
  const std::vector<int32_t>& global_ranks() const { return global_ranks_; }
  const std::string& address() const { return address_; }

  // A key of the store that belongs to this communicator.
  std::string key(const std::string& what) const { return prefix_ + what; }
  // A store whose process is stopped says nothing for as long: calls wait until then (TIMEOUT), or until stop_waiting()
  // (ABORTED).
  ps::StopCheck patience(ps::Deadline deadline = ps::Deadline::never()) const;
  void stop_waiting() { is_over_.store(true); }
  // nullopt: not there (yet), or no store any more.
  std::optional<std::string> look_up(const std::string& what, const ps::StopCheck& patience) const;

  // Leaves something that member `to` may be waiting for. Errors: those of the store.
  void leave(const std::string& what, const std::string& data, int32_t to, const ps::StopCheck& patience) const;
  // Tells a member that what it may wait for is there.
  void ring(int32_t member, const ps::StopCheck& patience) const {
    world_.store_bell().ring(global_ranks_.at(static_cast<size_t>(member)), patience);
  }

  // From now on `on_news` is called, on another thread, when a member has rung; it must be quick.
  void listen(std::function<void()> on_news);
  void stop_listening();
  // Grows with each ring, and with listening. Who has looked since it read this number need not look again while it stands.
  uint64_t news() const { return news_.load(); }
  // Whether what a member left may be there now, unseen: nullopt if not, else the number to tell when it was not.
  std::optional<uint64_t> news_of(int32_t member) const;
  void set_looked(int32_t member, uint64_t news) { looked_[static_cast<size_t>(member)].store(news); }

 private:
  const ps::World& world_;
  std::vector<int32_t> global_ranks_;
  std::string prefix_;
  std::string address_;
  std::atomic<bool> is_over_{false};
  std::atomic<uint64_t> news_{1};
  std::vector<std::atomic<uint64_t>> looked_;  // by member: at what number nothing was there
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
