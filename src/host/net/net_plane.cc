#include "host/net/net_plane.h"

#include <algorithm>

#include "base/thread.h"
#include "host/net/direct.h"
#include "host/net/net_two_shot.h"

namespace ps {
namespace {

constexpr size_t kLeastPayload = 4096;
constexpr size_t kMostPiece = 512 << 10;
// Above this a contribution goes in pieces, which costs the beginning's way there and back first.
constexpr size_t kMostSmall = 64 << 10;
constexpr size_t kMostMessage = 256 << 10;
// What comes wakes the watcher; it looks at notices no more often than this, also while data comes all the time.
constexpr int64_t kLookMs = 50;
constexpr int64_t kWatchMs = 1000;
// How long the end of a connection waits for the reason: that its rank left, or died.
constexpr int64_t kReasonNs = 500'000'000;
// How long nothing at all may come of what a rank that left had sent: longer than its own waits for others.
constexpr int64_t kSilenceNs = 10'000'000'000;
constexpr int64_t kSendOffMs = 5000;
constexpr int64_t kSendOffFailedMs = 500;

// So that both lanes of data, in both directions, and the pieces that are reduced keep the budget.
Links::Sizes sizes_of(size_t members, uint64_t budget) {
  const uint64_t of_peer = budget / std::max<size_t>(members - 1, 1);
  const auto part = [](uint64_t bytes, size_t least, size_t most) {
    return std::clamp<size_t>(bytes, least, std::max(least, most)) / 64 * 64;
  };
  // The sizes of an uneven call, in whole lines.
  const size_t begin_least = std::max(kLeastPayload, (2 * members * sizeof(uint64_t) + 63) / 64 * 64);
  Links::Sizes sizes;
  sizes.begin = part(of_peer / 4 / (2 * Lane::kDepth), begin_least, kMostSmall);
  sizes.message = part(of_peer / 4 / (2 * Lane::kDepth), kLeastPayload, kMostMessage);
  sizes.piece = part(of_peer / 2 / PieceStream::kWindow, kLeastPayload, kMostPiece);
  return sizes;
}

// How many blocks each member contributes: one for each member, or one.
size_t blocks_of(Kind kind, int members) {
  const bool columns = kind == Kind::kScatter || kind == Kind::kReduceScatter || kind == Kind::kReduceScatterV ||
                       kind == Kind::kAllToAll;
  return columns ? static_cast<size_t>(members) : 1;
}

class LanePath final : public MessagePath {
 public:
  explicit LanePath(Lane& lane) : lane_(lane) {}

  size_t most_payload() const override { return lane_.payload_bytes(); }
  bool write(const Entry& entry) override {
    LaneHeader header;
    header.type = LaneFrame::kEntry;
    header.sequence = entry.message;
    header.signature = entry.signature;
    header.words[0] = static_cast<uint64_t>(entry.type);
    header.words[1] = static_cast<uint32_t>(entry.tag);
    return lane_.send(header, entry.payload.size(),
                      [&](std::byte* to) { std::memcpy(to, entry.payload.data(), entry.payload.size()); });
  }
  std::optional<Entry> front() override {
    const Lane::Frame* frame = lane_.front();
    if (frame == nullptr) return std::nullopt;
    const LaneHeader& header = frame->header;
    return Entry{static_cast<EntryType>(header.words[0]), static_cast<int32_t>(header.words[1]), header.sequence,
                 header.signature, {frame->payload, header.bytes}};
  }
  bool pop() override {
    lane_.pop();
    return true;
  }
  void ring() override {}  // what arrives rings

 private:
  Lane& lane_;
};

}  // namespace

NetPlane::NetPlane(const TransportModule& module, World& world, uint64_t serial, const std::vector<int32_t>& global_ranks,
                   int rank, uint64_t budget, const Dispatch& dispatch)
    : name_(module.table->name),
      world_(world),
      global_ranks_(global_ranks),
      transport_(std::make_unique<Transport>(module, world, serial, global_ranks, rank)),
      links_(*transport_, rank, static_cast<int>(global_ranks.size()), sizes_of(global_ranks.size(), budget),
             [this](int peer) { begin_with(peer); }),
      choices_(dispatch, kDispatchName, links_.size(), true,
               [this](const DispatchRow& row, Kind kind) { return most_bytes(row.algorithm, kind); }),
      state_(links_),
      mailbox_(rank,
               [this](int peer) { return open_path(peer); }, paths_),
      notices_(links_),
      silences_(global_ranks.size()) {}

NetPlane::~NetPlane() {
  const bool failed = notices_.failure().has_value();
  leave(Deadline::in_ms(failed ? kSendOffFailedMs : kSendOffMs));
  notices_.leave_at_store();
  stopping_.store(true);
  transport_->peers().stop_waiting();
  if (watcher_.joinable()) {
    transport_->wake();
    watcher_.join();
  }
  stop_listening(true);
  // What it receives goes into the lanes, which end before it.
  transport_.reset();
}

void NetPlane::begin_with(int peer) {
  listen();
  begin_watching();
  notices_.greet(peer);
}

void NetPlane::begin_watching() {
  std::call_once(watching_, [this] { watcher_ = start_thread("ps-net", [this] { watch(); }); });
}

// Who has failed does not wait for a store that says nothing; the watcher does.
void NetPlane::record_failure(const Error& error) {
  notices_.record_failure(error);
  if (!notices_.is_failure_untold()) return;
  try {
    begin_watching();
    transport_->wake();
  } catch (const std::exception&) {
    // Without a thread it stays untold: this rank's own error is what counts now.
  }
}

// Members that this rank is not connected to reach it by the store alone, and ring when they have left something there.
void NetPlane::listen() {
  const std::lock_guard lock(listening_mutex_);
  if (listening_ || !notices_.needs_store()) return;
  transport_->peers().listen([this] { transport_->wake(); });
  listening_ = true;
  transport_->wake();
}

void NetPlane::stop_listening(bool at_end) {
  const std::lock_guard lock(listening_mutex_);
  if (!listening_ || (!at_end && notices_.needs_store())) return;
  transport_->peers().stop_listening();
  listening_ = false;
}

// Rings for whoever waits for what has come.
void NetPlane::watch() {
  Deadline next_look = Deadline::in_ms(0);
  bool is_behind = false;
  uint64_t news = 0;
  while (!stopping_.load()) {
    if (transport_->wait_any(is_behind ? kLookMs : kWatchMs)) world_.doorbell().ring();
    try {
      const uint64_t now = transport_->peers().news();
      if (now != news && notices_.look_at_store()) world_.doorbell().ring();
      news = now;
      is_behind = !next_look.passed();
      if (is_behind) continue;
      next_look = Deadline::in_ms(kLookMs);
      notices_.look();
      notices_.leave_untold();
      notices_.needs_store() ? listen() : stop_listening(false);
    } catch (const std::exception&) {
      // No memory, or no thread, now: it looks again.
      next_look = Deadline::in_ms(kLookMs);
      is_behind = true;
    }
  }
}

void NetPlane::connect() {
  for (int peer = 0; peer < links_.size(); ++peer) {
    if (peer != links_.rank()) links_.notices(peer);
  }
}

bool NetPlane::is_connected() {
  if (notices_.failure()) return true;
  for (int peer = 0; peer < links_.size(); ++peer) {
    if (peer == links_.rank() || notices_.is_heard(peer) || is_gone(peer)) continue;
    world_.note_awaited(global_ranks_[static_cast<size_t>(peer)]);
    return false;
  }
  return true;
}

// What a member contributes to a call with the frame that begins it, and in pieces.
std::optional<size_t> NetPlane::most_bytes(Algorithm algorithm, Kind kind) const {
  switch (algorithm) {
    case Algorithm::kOneShot:
      if (kind == Kind::kBarrier) return SIZE_MAX;
      if (is_uneven(kind)) return std::nullopt;  // that frame has the sizes
      return std::min(links_.sizes().begin, kMostSmall) * blocks_of(kind, links_.size());
    case Algorithm::kTwoShot: return kind == Kind::kAllReduce ? std::optional(SIZE_MAX) : std::nullopt;
    // An all_reduce in place would overwrite what it still has to send.
    case Algorithm::kPipeline:
      return kind == Kind::kAllReduce || kind == Kind::kBarrier ? std::nullopt : std::optional(SIZE_MAX);
    default: return std::nullopt;
  }
}

void NetPlane::start(Call&& call, uint64_t sequence, OperationSlot& slot) {
  const bool all_reduce = call.kind() == Kind::kAllReduce;
  const size_t bytes = NetOperation::block_bytes(call) * blocks_of(call.kind(), links_.size());
  const bool small = !call.uneven && choices_.find(call.kind(), bytes) == Algorithm::kOneShot;
  const bool is_two_shot = all_reduce && (!small || call.relay != nullptr);
  paths_.add(call.kind(), is_two_shot ? Path::kTwoShot : small ? Path::kOneShot : Path::kPipeline);
  if (is_two_shot) {
    slot.emplace<NetTwoShot>(state_, std::move(call), sequence);
  } else {
    slot.emplace<DirectExchange>(state_, std::move(call), sequence, small);
  }
}

std::unique_ptr<MessagePath> NetPlane::open_path(int peer) {
  links_.need(peer);
  return std::make_unique<LanePath>(links_.messages(peer));
}

void NetPlane::announce(uint64_t sequence, const Signature& own) {
  LaneHeader header;
  header.type = LaneFrame::kBegin;
  header.sequence = sequence;
  header.signature = own;
  for (int peer = 0; peer < links_.size(); ++peer) {
    if (peer != links_.rank()) links_.collectives(peer).send(header, 0, [](std::byte*) {}, false);
  }
}

void NetPlane::compare_begun(uint64_t sequence, const Signature& own) {
  state_.order.remember(sequence, own);
  for (int peer = 0; peer < links_.size(); ++peer) {
    if (peer != links_.rank()) state_.order.begun(peer, sequence);
  }
}

void NetPlane::note_long_wait() {
  try {
    listen();
    begin_watching();
  } catch (const std::exception&) {
    // No thread now: a wait that goes on asks again.
  }
}

// What it sent goes on arriving for as long as the network needs, and then its goodbye or the end of its connection. One
// that has not been heard may never have connected to this rank.
bool NetPlane::has_heard_out(int member) {
  if (notices_.has_said_goodbye(member)) return true;
  if (links_.is_used(member) && !transport_->is_lost(member)) {
    const int64_t most = notices_.is_heard(member) ? kSilenceNs : kReasonNs;
    if (silent_ns(member) < most) return false;
  }
  notices_.look_for_failure();
  return true;
}

int64_t NetPlane::silent_ns(int member) {
  Silence& silence = silences_[static_cast<size_t>(member)];
  const uint64_t moved = transport_->moved(member);
  const int64_t now = monotonic_ns();
  if (silence.moved.exchange(moved) != moved || silence.since_ns.load() == 0) silence.since_ns.store(now);
  return now - silence.since_ns.load();
}

std::string NetPlane::loss(int member) {
  // A link that never came to be is no loss to whoever did without it.
  if (!links_.is_needed(member) && !notices_.is_heard(member)) return "";
  if (!transport_->is_lost(member) || monotonic_ns() - transport_->lost_ns(member) < kReasonNs) return "";
  notices_.look_for_failure();
  return transport_->loss(member);
}

bool NetPlane::is_gone(int member) const {
  const int32_t global = global_ranks_[static_cast<size_t>(member)];
  return transport_->is_lost(member) || world_.has_left(global) || world_.is_cut_off(global) ||
         world_.first_dead({global}) != PS_NO_RANK;
}

bool NetPlane::is_sent_off() {
  const bool failed = notices_.failure().has_value();
  for (int peer = 0; peer < links_.size(); ++peer) {
    // Of a failure those that are not connected learn at the store.
    if (peer == links_.rank() || is_gone(peer) || (failed && !notices_.is_heard(peer))) continue;
    // Nor does one that is not connected need more than data: what else there is to say lies at the store.
    if (notices_.is_heard(peer) ? !links_.all_sent(peer) : !links_.data_is_sent(peer)) return false;
  }
  return true;
}

void NetPlane::leave(Deadline deadline) {
  const auto send_off = [&] {
    wait_until(world_.doorbell(), world_.wait_policy(), deadline, [&](bool) { return is_sent_off(); });
  };
  send_off();
  if (said_goodbye_.exchange(true)) return;
  notices_.say_goodbye();
  send_off();
}

}  // namespace ps
