#include "host/net/transport.h"

#include <cstddef>

#include "base/deadline.h"
#include "base/error.h"

namespace ps {
namespace {

// A plugin must not throw; one that does must not end the process.
template <class Function, class... Arguments>
psResult call(Function* function, Arguments... arguments) {
  try {
    return function(arguments...);
  } catch (const std::exception& error) {
    plugin_host().set_error(nullptr, PS_NO_RANK, error.what());
  } catch (...) {
    plugin_host().set_error(nullptr, PS_NO_RANK, "the plugin threw");
  }
  return PS_ERR_BACKEND;
}

}  // namespace

Transport::Transport(const TransportModule& module, const World& world, uint64_t serial,
                     const std::vector<int32_t>& global_ranks, int rank)
    : table_(*module.table),
      peers_(std::make_unique<psPluginPeersImpl>(world, serial, global_ranks)),
      lost_(global_ranks.size()),
      moved_(global_ranks.size()) {
  const char* const options = nullptr;
  const psResult result = call(table_.create, peers_.get(), static_cast<int32_t>(rank),
                               static_cast<int32_t>(global_ranks.size()), options, &comm_);
  if (result != PS_OK) {
    fail(PS_ERR_BACKEND, "{} at {}: {} ({})", table_.name, peers_->address(), take_plugin_error().text, result_name(result));
  }
}

Transport::~Transport() { call(table_.destroy, comm_); }

psPluginTicket Transport::post_send(int peer, uint64_t channel, const std::byte* data, size_t size) {
  psPluginTicket ticket = nullptr;
  const void* bytes = data;
  const psResult result = call(table_.post_send, comm_, static_cast<int32_t>(peer), channel, bytes, size, &ticket);
  if (result != PS_OK) lose(peer, result);
  return ticket;
}

psPluginTicket Transport::post_recv(int peer, uint64_t channel, std::byte* data, size_t size) {
  psPluginTicket ticket = nullptr;
  void* bytes = data;
  const psResult result = call(table_.post_recv, comm_, static_cast<int32_t>(peer), channel, bytes, size, &ticket);
  if (result != PS_OK) lose(peer, result);
  return ticket;
}

Transport::State Transport::test(int peer, psPluginTicket ticket) { return state(peer, call(table_.test, comm_, ticket)); }

Transport::State Transport::poll(int peer, psPluginTicket ticket) {
  const bool has_it = has(offsetof(psPluginTransport, poll) + sizeof(psPluginTransport::poll)) && table_.poll != nullptr;
  return state(peer, call(has_it ? table_.poll : table_.test, comm_, ticket));
}

Transport::State Transport::state(int peer, psResult result) {
  if (result != PS_IN_PROGRESS) taken_.fetch_add(1, std::memory_order_relaxed);
  if (result == PS_OK) {
    moved_[static_cast<size_t>(peer)].store(moved(peer) + 1, std::memory_order_relaxed);
    return State::kDone;
  }
  if (result == PS_IN_PROGRESS) return State::kPending;
  lose(peer, result);
  return State::kLost;
}

void Transport::release(int peer, psPluginTicket ticket) {
  const psResult result = call(table_.release, comm_, ticket);
  if (result != PS_OK) lose(peer, result);
}

bool Transport::wait_any(int64_t timeout_ms) { return call(table_.wait_any, comm_, timeout_ms) != PS_IN_PROGRESS; }

void Transport::rest() {
  const bool has_it = has(offsetof(psPluginTransport, rest) + sizeof(psPluginTransport::rest));
  if (has_it && table_.rest != nullptr) call(table_.rest, comm_);
}

void Transport::lose(int peer, psResult result) {
  const PluginError error = take_plugin_error();
  const std::lock_guard lock(mutex_);
  Lost& lost = lost_[static_cast<size_t>(peer)];
  if (lost.is.load()) return;
  lost.text = error.text.empty() ? result_name(result) : error.text;
  lost.ns = monotonic_ns();
  lost.is.store(true, std::memory_order_release);
}

// Who left with something unsent says no goodbye.
bool Transport::has_departed(int peer) const {
  const auto index = static_cast<size_t>(peer);
  return lost_[index].departed.load(std::memory_order_acquire) ||
         peers_->world().has_left(peers_->global_ranks()[index]);
}

std::string Transport::loss(int peer) const {
  const std::lock_guard lock(mutex_);
  return lost_[static_cast<size_t>(peer)].text;
}

int64_t Transport::lost_ns(int peer) const {
  const std::lock_guard lock(mutex_);
  return lost_[static_cast<size_t>(peer)].ns;
}

}  // namespace ps
