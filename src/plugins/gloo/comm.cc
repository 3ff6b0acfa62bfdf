#include "comm.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <stdexcept>
#include <thread>

#include "device.h"

using ps::gloo_transport::Buffer;
using ps::gloo_transport::Pair;

namespace {

using std::chrono::milliseconds;

constexpr uint64_t kGreetingSlot = ~uint64_t{0};
// Who waits polls all that it waits for in turn, and each look costs a third of this.
constexpr int64_t kPollNs = 1000;
// Of a connection on which nothing moves, and of one that is slow.
constexpr auto kFarewell = milliseconds(2000);
constexpr auto kLongestFarewell = milliseconds(10000);

}  // namespace

psPluginCommImpl::psPluginCommImpl(const psPluginHost& host, psPluginPeers peers, int rank, int size)
    : host_(host), peers_(peers), peer_states_(static_cast<size_t>(size)) {
  const char* address = nullptr;
  if (host_.network_address(peers_, &address) != PS_OK) throw std::runtime_error("this rank has no network address");
  context_ = std::make_shared<ps::gloo_transport::Context>(ps::gloo_transport::event_loop_at(address), rank, size, signal_);
}

psPluginCommImpl::~psPluginCommImpl() {
  if (!aborted_.load()) see_off();
  for (Peer& peer : peer_states_) {
    if (peer.pair != nullptr) peer.pair->close();
  }
  for (psPluginTicket ticket : tickets_) delete ticket;
}

void psPluginCommImpl::see_off() const {
  const auto unsent = [](size_t sum, const Peer& peer) { return sum + (peer.pair != nullptr ? peer.pair->unsent() : 0); };
  const auto begin = std::chrono::steady_clock::now();
  auto last_change = begin;
  for (size_t before = 0, left; (left = std::accumulate(peer_states_.begin(), peer_states_.end(), size_t{0}, unsent)) > 0;) {
    const auto now = std::chrono::steady_clock::now();
    if (left != before) last_change = now;
    if (now - last_change > kFarewell || now - begin > kLongestFarewell) return;
    before = left;
    std::this_thread::sleep_for(milliseconds(1));
  }
}

psResult psPluginCommImpl::fail(psResult result, int rank, const std::string& text) const {
  host_.set_error(peers_, rank, text.c_str());
  return result;
}

psResult psPluginCommImpl::post(int rank, uint64_t channel, void* data, size_t bytes, bool is_send, psPluginTicket* out) {
  auto ticket = std::make_unique<psPluginTicketImpl>();
  ticket->buffer = std::make_unique<Buffer>(context_, data, bytes);
  ticket->peer = rank;
  ticket->is_send = is_send;
  ticket->slot = channel;
  const std::lock_guard lock(mutex_);
  if (aborted_.load()) return fail(PS_ERR_ABORTED, PS_NO_RANK, "aborted");
  Peer& peer = peer_states_[static_cast<size_t>(rank)];
  switch (peer.stage.load()) {
    case Stage::kDown: return fail(PS_ERR_PEER_FAILED, rank, peer.why);
    case Stage::kUp:
      try {
        start(*ticket);
      } catch (const std::exception& error) {
        return fail(PS_ERR_PEER_FAILED, rank, error.what());
      }
      break;
    case Stage::kIdle:
      peer.stage.store(Stage::kWanted);
      signal_->raise();
      [[fallthrough]];
    default: peer.early.push_back(ticket.get());
  }
  tickets_.insert(ticket.get());
  *out = ticket.release();
  return PS_OK;
}

void psPluginCommImpl::start(psPluginTicketImpl& ticket) {
  if (ticket.is_send) {
    ticket.buffer->send(ticket.peer, ticket.slot, 0, ticket.buffer->size);
  } else {
    ticket.buffer->recv(ticket.peer, ticket.slot, 0, ticket.buffer->size);
  }
  ticket.started.store(true);
}

psResult psPluginCommImpl::test(psPluginTicket ticket) {
  // Kept until the end: the connections may still hold it.
  if (aborted_.load()) return fail(PS_ERR_ABORTED, PS_NO_RANK, "aborted");
  psResult result = PS_OK;
  if (!ticket->started.load()) {
    const std::lock_guard lock(mutex_);
    const Peer& peer = peer_states_[static_cast<size_t>(ticket->peer)];
    if (peer.stage.load() != Stage::kDown) return PS_IN_PROGRESS;
    result = fail(PS_ERR_PEER_FAILED, ticket->peer, peer.why);
  } else {
    try {
      if (!(ticket->is_send ? ticket->buffer->sent() : ticket->buffer->received())) return PS_IN_PROGRESS;
    } catch (const std::exception& error) {
      result = fail(PS_ERR_PEER_FAILED, ticket->peer, error.what());
    }
  }
  {
    const std::lock_guard lock(mutex_);
    tickets_.erase(ticket);
  }
  delete ticket;
  return result;
}

psResult psPluginCommImpl::poll(psPluginTicket ticket) {
  const int64_t now = std::chrono::steady_clock::now().time_since_epoch().count();
  if (!ticket->is_send && ticket->started.load() && now - polled_ns_.load(std::memory_order_relaxed) >= kPollNs) {
    polled_ns_.store(now, std::memory_order_relaxed);
    context_->loop().note_poll(now);
    peer_states_[static_cast<size_t>(ticket->peer)].pair->poll(*ticket->buffer);
  }
  return test(ticket);
}

void psPluginCommImpl::release(psPluginTicket ticket) {
  Buffer& buffer = *ticket->buffer;
  ticket->own.reset(new (std::nothrow) char[buffer.size]);
  if (ticket->own && ticket->is_send) std::memcpy(ticket->own.get(), buffer.ptr, buffer.size);
  const std::lock_guard lock(mutex_);
  Pair* const pair = peer_states_[static_cast<size_t>(ticket->peer)].pair;
  if (pair != nullptr && !ticket->own) pair->close();
  if (pair != nullptr) return pair->move(buffer, ticket->own.get());
  buffer.move(ticket->own.get());
}

psResult psPluginCommImpl::wait_any(int64_t timeout_ms) {
  if (timeout_ms == 0) {
    signal_->raise();
    return PS_IN_PROGRESS;
  }
  const auto until = std::chrono::steady_clock::now() + milliseconds(timeout_ms);
  for (;;) {
    if (aborted_.load()) return fail(PS_ERR_ABORTED, PS_NO_RANK, "aborted");
    drive();
    const auto left = std::chrono::duration_cast<milliseconds>(until - std::chrono::steady_clock::now());
    if (left.count() <= 0) return PS_IN_PROGRESS;
    if (signal_->wait(left)) return PS_OK;
  }
}

void psPluginCommImpl::abort() {
  aborted_.store(true);
  signal_->raise();
}

void psPluginCommImpl::drive() {
  for (size_t i = 0; i < peer_states_.size(); ++i) {
    Peer& peer = peer_states_[i];
    const Stage stage = peer.stage.load();
    if (stage == Stage::kIdle || stage == Stage::kUp || stage == Stage::kDown) continue;
    try {
      drive(static_cast<int>(i), peer);
    } catch (const std::exception& error) {
      take_down(peer, error.what());
    }
  }
}

void psPluginCommImpl::drive(int rank, Peer& peer) {
  if (peer.stage.load() == Stage::kWanted) listen(rank, peer);
  if (peer.stage.load() == Stage::kListening) connect(rank, peer);
  if (peer.stage.load() == Stage::kConnecting) {
    std::string why;
    const Pair::Stage stage = peer.pair->stage(why);
    if (stage == Pair::Stage::kDown) return take_down(peer, why);
    if (stage == Pair::Stage::kUp) greet(rank, peer);
  }
  if (peer.stage.load() == Stage::kGreeting) hear(peer);
}

void psPluginCommImpl::listen(int rank, Peer& peer) {
  Pair* const pair = static_cast<Pair*>(context_->createPair(rank).get());
  {
    const std::lock_guard lock(mutex_);
    peer.pair = pair;
  }
  const std::vector<char> address = pair->address().bytes();
  std::string note(pair->word().data(), pair->word().size());
  note.append(address.data(), address.size());
  if (host_.leave_for(peers_, rank, note.data(), note.size()) != PS_OK) {
    throw std::runtime_error("connecting needs the world's store, which cannot be reached; PS_WARM_UP connects a group when "
                             "it is made");
  }
  peer.stage.store(Stage::kListening);
}

void psPluginCommImpl::connect(int rank, Peer& peer) {
  char note[1024];
  size_t size = 0;
  const psResult result = host_.read_from(peers_, rank, note, sizeof note, &size);
  if (result == PS_IN_PROGRESS) return;
  if (result != PS_OK || size <= peer.peer_word.size()) throw std::runtime_error("the peer's address at the world's store cannot be read");
  std::memcpy(peer.peer_word.data(), note, peer.peer_word.size());
  peer.pair->connect(std::vector<char>(note + peer.peer_word.size(), note + size), peer.peer_word);
  peer.stage.store(Stage::kConnecting);
}

void psPluginCommImpl::greet(int rank, Peer& peer) {
  peer.greeting_in = std::make_unique<Buffer>(context_, peer.heard_word.data(), peer.heard_word.size());
  peer.greeting_out = std::make_unique<Buffer>(context_, peer.peer_word.data(), peer.peer_word.size());
  peer.greeting_in->recv(rank, kGreetingSlot, 0, peer.heard_word.size());
  peer.greeting_out->send(rank, kGreetingSlot, 0, peer.peer_word.size());
  peer.stage.store(Stage::kGreeting);
}

void psPluginCommImpl::hear(Peer& peer) {
  if (!peer.greeting_in->received() || !peer.greeting_out->sent()) return;
  if (peer.heard_word != peer.pair->word()) throw std::runtime_error("who connected does not belong to the job");
  const std::lock_guard lock(mutex_);
  for (psPluginTicket ticket : peer.early) start(*ticket);
  peer.early.clear();
  peer.stage.store(Stage::kUp);
  signal_->raise();
}

void psPluginCommImpl::take_down(Peer& peer, const std::string& why) {
  const std::lock_guard lock(mutex_);
  if (peer.pair != nullptr) peer.pair->close();
  peer.why = why;
  peer.early.clear();
  peer.stage.store(Stage::kDown);
  signal_->raise();
}
