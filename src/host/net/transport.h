// A plugin's transport for one communicator, in our terms: what fails is noted for the peer whose path it was, and shows
// as that peer's loss, not as an error of the call that happened to see it.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "host/net/module.h"
#include "host/net/peers.h"

namespace ps {

class Transport {
 public:
  Transport(const TransportModule& module, const World& world, uint64_t serial, const std::vector<int32_t>& global_ranks,
            int rank);
  ~Transport();

  psPluginPeersImpl& peers() { return *peers_; }

  // nullptr: the path to the peer is lost.
  psPluginTicket post_send(int peer, uint64_t channel, const std::byte* data, size_t size);
  psPluginTicket post_recv(int peer, uint64_t channel, std::byte* data, size_t size);
  enum class State { kPending, kDone, kLost };
  State test(int peer, psPluginTicket ticket);
  // As test, for who waits for the receive without sleeping: takes in what has come from the peer. Nobody is woken for this
  // ticket, so it is to be acted upon.
  State poll(int peer, psPluginTicket ticket);
  // Grows with every ticket that has completed.
  uint64_t taken() const { return taken_.load(std::memory_order_relaxed); }
  // Gives the ticket up, with its memory: the message goes its way without it.
  void release(int peer, psPluginTicket ticket);
  // False when the time has passed.
  bool wait_any(int64_t timeout_ms);
  // Who may have polled is about to sleep.
  void rest();
  // Makes a wait in another thread return.
  void wake() { wait_any(0); }

  bool is_lost(int peer) const { return lost_[static_cast<size_t>(peer)].is.load(std::memory_order_acquire); }
  // The peer has left in order: it wants nothing more, so what is sent to it goes nowhere, and that is no loss.
  bool has_departed(int peer) const;
  void note_departed(int peer) { lost_[static_cast<size_t>(peer)].departed.store(true, std::memory_order_release); }
  // The path is lost, to a peer that may still wait for something.
  bool is_cut(int peer) const { return is_lost(peer) && !has_departed(peer); }
  // What the transport said, and when on the monotonic clock.
  std::string loss(int peer) const;
  int64_t lost_ns(int peer) const;
  // Grows with what has been sent to the peer and received from it.
  uint64_t moved(int peer) const { return moved_[static_cast<size_t>(peer)].load(std::memory_order_relaxed); }

 private:
  struct Lost {
    std::atomic<bool> is{false};
    std::atomic<bool> departed{false};
    std::string text;
    int64_t ns = 0;
  };
  bool has(size_t end_of_function) const { return table_.struct_size >= end_of_function; }
  State state(int peer, psResult result);
  void lose(int peer, psResult result);

  const psPluginTransport& table_;
  std::unique_ptr<psPluginPeersImpl> peers_;
  mutable std::mutex mutex_;
  std::vector<Lost> lost_;
  std::atomic<uint64_t> taken_{0};
  std::vector<std::atomic<uint64_t>> moved_;  // not exact: threads may count at once
  psPluginComm comm_ = nullptr;
};

}  // namespace ps
