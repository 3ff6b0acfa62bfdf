#include "host/net/notices.h"

#include <cstring>
#include <utility>

#include "base/wire.h"

namespace ps {
namespace {

enum Notice : uint64_t {
  kHello = 0,
  kFailure = 1,
  kFreed = 2,
  kGoodbye = 3,
  kFailureToPassOn = 4,  // who said it first does not reach everybody
};

constexpr size_t kLongestText = 1900;
// How long a store is waited for that says nothing: by who has failed, under its group's locks, and by who leaves.
constexpr int64_t kFailingMs = 250;
constexpr int64_t kLeavingMs = 1000;

LaneHeader header_of(Notice notice, uint64_t first = 0, uint64_t second = 0) {
  LaneHeader header;
  header.type = LaneFrame::kNotice;
  header.words[0] = notice;
  header.words[1] = first;
  header.words[2] = second;
  return header;
}

std::string freed_key(int by, int reader) { return fmt::format("freed {} {}", by, reader); }

}  // namespace

Notices::Notices(Links& links)
    : links_(links),
      told_(static_cast<size_t>(links.size())),
      freed_(static_cast<size_t>(links.size())),
      goodbyes_(static_cast<size_t>(links.size())),
      heard_(static_cast<size_t>(links.size())) {}

void Notices::tell(int peer) {
  Told& told = told_[static_cast<size_t>(peer)];
  const auto send = [&](const LaneHeader& header, std::string_view text) {
    return links_.notices(peer).send(header, text.size(),
                                     [&](std::byte* to) { std::memcpy(to, text.data(), text.size()); });
  };
  if (!told.hello) told.hello = send(header_of(kHello), "");
  const bool has_more = told.freed != own_freed_ || leaving_ != told.goodbye;
  // Also one that it heard of, before it goes because of that: it may be ahead of what the peer hears from others.
  if (failure_ && (failure_is_own_ || failure_is_to_pass_on_ || has_more) && !told.failure) {
    const Notice notice = failure_is_to_pass_on_ ? kFailureToPassOn : kFailure;
    told.failure = send(header_of(notice, static_cast<uint64_t>(static_cast<int64_t>(failure_->code())),
                                  static_cast<uint64_t>(static_cast<int64_t>(failure_->culprit()))),
                        std::string_view(failure_->text()).substr(0, kLongestText));
    if (!told.failure) return;
  }
  // These say that nothing more will come, so what was sent must be on its way.
  if (!has_more || !links_.data_is_sent(peer)) return;
  if (told.freed != own_freed_ && send(header_of(kFreed, own_freed_), "")) told.freed = own_freed_;
  if (leaving_ && !told.goodbye) told.goodbye = send(header_of(kGoodbye), "");
}

void Notices::tell_all() {
  for (int peer = 0; peer < links_.size(); ++peer) {
    if (peer != links_.rank() && links_.is_used(peer)) tell(peer);
  }
}

bool Notices::is_reached(int member) const {
  Transport& transport = links_.transport();
  if (!transport.is_lost(member)) return is_heard(member);
  const psPluginPeersImpl& peers = transport.peers();
  return goodbyes_[static_cast<size_t>(member)] ||
         peers.world().first_dead({peers.global_ranks()[static_cast<size_t>(member)]}) != PS_NO_RANK;
}

bool Notices::are_all_reached() const {
  for (int peer = 0; peer < links_.size(); ++peer) {
    if (peer != links_.rank() && !is_reached(peer)) return false;
  }
  return true;
}

void Notices::greet(int peer) {
  const std::lock_guard lock(mutex_);
  tell(peer);
}

void Notices::record_failure(const Error& error) {
  {
    const std::lock_guard lock(mutex_);
    take_in();
    if (failure_) return;
    failure_ = error;
    failure_is_own_ = true;
    failure_is_to_pass_on_ = !are_all_reached();
    tell_all();
  }
  leave_failure(patience_ms(kFailingMs));
}

std::vector<int> Notices::to_be_told_by_store() const {
  std::vector<int> members;
  for (int peer = 0; peer < links_.size(); ++peer) {
    if (peer == links_.rank() || told_[static_cast<size_t>(peer)].failure_by_store || is_reached(peer)) continue;
    members.push_back(peer);
  }
  return members;
}

void Notices::leave_failure(const StopCheck& patience) {
  std::string note;
  std::vector<int> members;
  {
    const std::lock_guard lock(mutex_);
    if (!failure_ || (failure_is_at_store_ && !failure_is_own_)) return;
    members = to_be_told_by_store();
    if (members.empty()) return;
    note = WireWriter().number(failure_->code()).number(failure_->culprit()).text(failure_->text().substr(0, kLongestText)).take();
  }
  try {
    const psPluginPeersImpl& peers = links_.transport().peers();
    peers.world().store()->compare_and_set(peers.key("failure"), std::nullopt, note, -1, patience);
    // Also if another one was first: it did not ring those that it has heard, who may not hear it any more.
    for (const int peer : members) peers.ring(peer, patience);
  } catch (const Error& error) {
    // Without a store those that are connected know it, and nobody else can. One that was silent may speak again, and there
    // may be descriptors again.
    const psResult code = error.code();
    if (code != PS_ERR_CLOSED && code != PS_ERR_PEER_FAILED && code != PS_ERR_STATE) return;
  }
  const std::lock_guard lock(mutex_);
  failure_is_at_store_ = true;
  for (const int peer : members) told_[static_cast<size_t>(peer)].failure_by_store = true;
}

bool Notices::is_failure_untold() {
  const std::lock_guard lock(mutex_);
  return failure_is_own_ && !to_be_told_by_store().empty();
}

void Notices::leave_untold() {
  if (is_failure_untold()) leave_failure(links_.transport().peers().patience());
}

std::optional<Error> Notices::failure() {
  {
    const std::lock_guard lock(mutex_);
    take_in();
    if (failure_ || std::exchange(looked_for_failure_, true)) return failure_;
  }
  // Those that failed before this rank had anything to do with them could not tell it.
  look_for_failure();
  const std::lock_guard lock(mutex_);
  return failure_;
}

void Notices::look_for_failure() {
  {
    const std::lock_guard lock(mutex_);
    take_in();
    if (failure_) return;
  }
  auto found = failure_at_store(patience_ms(kFailingMs));
  const std::lock_guard lock(mutex_);
  take_failure_of_store(std::move(found));
}

std::optional<Error> Notices::failure_at_store(const StopCheck& patience) const {
  const auto note = links_.transport().peers().look_up("failure", patience);
  if (!note) return std::nullopt;
  WireReader reader(*note, "a group's failure");
  const auto code = reader.number<int32_t>();
  const auto culprit = reader.number<int32_t>();
  return Error(code, reader.text(), culprit);
}

void Notices::take_failure_of_store(std::optional<Error> found) {
  if (!found || failure_) return;
  failure_ = std::move(found);
  failure_is_at_store_ = true;
}

void Notices::mark_freed(uint16_t tag) {
  uint64_t freed = 0;
  std::vector<int> strangers;
  {
    const std::lock_guard lock(mutex_);
    freed = own_freed_ |= uint64_t{1} << tag;
    tell_all();
    for (int peer = 0; peer < links_.size(); ++peer) {
      if (peer != links_.rank() && !links_.is_used(peer)) strangers.push_back(peer);
    }
  }
  if (strangers.empty()) return;
  const StopCheck patience = patience_ms(kLeavingMs);
  leave_failure(patience);
  leave_freed(strangers, freed, patience);
}

void Notices::leave_at_store() {
  uint64_t freed = 0;
  std::vector<int> unheard;
  {
    const std::lock_guard lock(mutex_);
    take_in();
    freed = own_freed_;
    unheard = this->unheard();
  }
  const StopCheck patience = patience_ms(kLeavingMs);
  if (!unheard.empty()) leave_failure(patience);
  if (freed != 0) leave_freed(unheard, freed, patience);
}

void Notices::leave_freed(const std::vector<int>& peers, uint64_t freed, const StopCheck& patience) const {
  const psPluginPeersImpl& known = links_.transport().peers();
  try {
    for (const int peer : peers) {
      known.leave(freed_key(links_.rank(), peer), WireWriter().number(freed).take(), peer, patience);
    }
  } catch (const Error&) {
    // The world has ended: nobody will ask. Or its store says nothing: who waits for this rank does so to its deadline.
  }
}

bool Notices::has_freed(int member, uint16_t tag) {
  const std::lock_guard lock(mutex_);
  take_in();
  return (freed_[static_cast<size_t>(member)] >> tag & 1) != 0;
}

void Notices::say_goodbye() {
  const std::lock_guard lock(mutex_);
  leaving_ = true;
  tell_all();
}

bool Notices::has_said_goodbye(int member) {
  const std::lock_guard lock(mutex_);
  take_in();
  return goodbyes_[static_cast<size_t>(member)];
}

void Notices::take_in() {
  const bool had_failed = failure_.has_value();
  for (int peer = 0; peer < links_.size(); ++peer) {
    if (peer == links_.rank() || !links_.is_used(peer)) continue;
    Lane& lane = links_.notices(peer);
    while (const Lane::Frame* frame = lane.front()) {
      take_in(peer, frame->header, frame->payload);
      lane.pop();
    }
    tell(peer);
  }
  // Also those that were looked at before whoever said it.
  if (!had_failed && failure_is_to_pass_on_) tell_all();
}

void Notices::take_in(int peer, const LaneHeader& header, const std::byte* payload) {
  heard_[static_cast<size_t>(peer)].store(true);
  switch (header.words[0]) {
    case kFailure:
    case kFailureToPassOn:
      told_[static_cast<size_t>(peer)].failure = true;
      if (!failure_) {
        failure_is_to_pass_on_ = header.words[0] == kFailureToPassOn;
        failure_ = Error(static_cast<psResult>(header.words[1]), std::string(reinterpret_cast<const char*>(payload), header.bytes),
                         static_cast<int32_t>(header.words[2]));
      }
      return;
    case kFreed: freed_[static_cast<size_t>(peer)] |= header.words[1]; return;
    case kGoodbye:
      goodbyes_[static_cast<size_t>(peer)] = true;
      links_.transport().note_departed(peer);
      return;
    default: return;
  }
}

void Notices::look() {
  const std::lock_guard lock(mutex_);
  take_in();
}

std::vector<int> Notices::unheard() const {
  std::vector<int> peers;
  for (int peer = 0; peer < links_.size(); ++peer) {
    if (peer != links_.rank() && links_.is_used(peer) && !is_heard(peer)) peers.push_back(peer);
  }
  return peers;
}

bool Notices::needs_store() {
  const std::lock_guard lock(mutex_);
  return !failure_ && !are_all_reached();
}

bool Notices::look_at_store() {
  if (!needs_store()) return false;
  std::vector<int> unheard;
  {
    const std::lock_guard lock(mutex_);
    take_in();
    if (failure_) return false;
    unheard = this->unheard();
  }
  const psPluginPeersImpl& peers = links_.transport().peers();
  const StopCheck patience = peers.patience();
  std::vector<std::pair<int, uint64_t>> freed;
  for (const int peer : unheard) {
    const auto note = peers.look_up(freed_key(peer, links_.rank()), patience);
    if (note) freed.emplace_back(peer, WireReader(*note, "the mark of a freed group").number<uint64_t>());
  }
  // A group that failed is freed because of it, so whoever learns the one learns the other first.
  auto found = failure_at_store(patience);
  const std::lock_guard lock(mutex_);
  take_failure_of_store(std::move(found));
  bool is_new = failure_.has_value();
  for (const auto& [peer, tags] : freed) {
    is_new |= (tags & ~freed_[static_cast<size_t>(peer)]) != 0;
    freed_[static_cast<size_t>(peer)] |= tags;
  }
  return is_new;
}

}  // namespace ps
