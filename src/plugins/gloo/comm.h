// One rank's connections of one communicator. A pair of ranks connects when both have posted for each other: each leaves
// the other the address at which it listens and a random word; a connection counts when the other side has said the word
// that only a member of the job could read. What was posted before goes out then, in order.
#pragma once

#include <deque>
#include <unordered_set>
#include <vector>

#include "pair.h"
#include "parallelstate_plugin.h"

struct psPluginTicketImpl {
  std::unique_ptr<ps::gloo_transport::Buffer> buffer;
  int peer = 0;
  bool is_send = false;
  std::unique_ptr<char[]> own;  // instead of the library's memory, once it is released
  uint64_t slot = 0;
  std::atomic<bool> started{false};
};

struct psPluginCommImpl {
 public:
  psPluginCommImpl(const psPluginHost& host, psPluginPeers peers, int rank, int size);
  ~psPluginCommImpl();

  psResult post(int peer, uint64_t channel, void* data, size_t bytes, bool is_send, psPluginTicket* ticket);
  psResult test(psPluginTicket ticket);
  psResult poll(psPluginTicket ticket);
  void release(psPluginTicket ticket);
  void rest() { context_->loop().note_rest(); }
  psResult wait_any(int64_t timeout_ms);
  void abort();

  // Says the error to the library and is its result.
  psResult fail(psResult result, int rank, const std::string& text) const;

 private:
  enum class Stage { kIdle, kWanted, kListening, kConnecting, kGreeting, kUp, kDown };
  struct Peer {
    std::atomic<Stage> stage{Stage::kIdle};
    ps::gloo_transport::Pair* pair = nullptr;
    std::deque<psPluginTicket> early;  // posted before it was up
    ps::gloo_transport::Word heard_word{};
    ps::gloo_transport::Word peer_word{};
    std::unique_ptr<ps::gloo_transport::Buffer> greeting_out;
    std::unique_ptr<ps::gloo_transport::Buffer> greeting_in;
    std::string why;  // it is down
  };

  // Waits until what was sent has arrived, as long as it goes on arriving.
  void see_off() const;
  void start(psPluginTicketImpl& ticket);
  // Takes every connection as far as it goes now.
  void drive();
  void drive(int rank, Peer& peer);
  void listen(int rank, Peer& peer);
  void connect(int rank, Peer& peer);
  void greet(int rank, Peer& peer);
  void hear(Peer& peer);
  void take_down(Peer& peer, const std::string& why);

  const psPluginHost& host_;
  const psPluginPeers peers_;
  std::shared_ptr<ps::gloo_transport::Signal> signal_ = std::make_shared<ps::gloo_transport::Signal>();
  std::shared_ptr<ps::gloo_transport::Context> context_;
  std::atomic<bool> aborted_{false};
  std::atomic<int64_t> polled_ns_{0};
  std::mutex mutex_;
  std::vector<Peer> peer_states_;
  std::unordered_set<psPluginTicket> tickets_;
};
