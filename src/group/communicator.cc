#include "group/communicator.h"

#include <algorithm>
#include <set>

#include "base/no_cancellation.h"
#include "group/failure_text.h"
#include "group/progress.h"

namespace ps {
namespace {

// Steps, of about 10 ns where nothing can be done.
constexpr int kBurst = 200;
// How many looks at a small collective take as long as a step.
constexpr int kLooks = 4;
// How long a rank that leaves sees off what it has sent.
constexpr int64_t kSendOffMs = 5000;
constexpr int64_t kSendOffBusyMs = 200;
// How long a failed call waits for a peer that is in its memory, which takes a peer that runs no longer than some MiB of
// the operation.
constexpr int64_t kGiveBackMs = 5000;
// And for one that is dead: its threads end one after the other, and one may still be in a copy.
constexpr int64_t kDeathMs = 200;

// From then on it is asked whether those on other hosts that an operation needs can be reached.
constexpr int64_t kLongWaitNs = 500'000'000;

}  // namespace

Communicator::Communicator(std::shared_ptr<World> world, std::shared_ptr<Progress> progress, uint64_t serial,
                           std::vector<int32_t> global_ranks, std::string asked_backend, MadePlane plane)
    : world_(std::move(world)),
      progress_(std::move(progress)),
      serial_(serial),
      global_ranks_(std::move(global_ranks)),
      asked_backend_(std::move(asked_backend)),
      rank_(static_cast<int>(std::find(global_ranks_.begin(), global_ranks_.end(), world_->rank()) - global_ranks_.begin())),
      plane_(std::move(plane.plane)),
      enters_kernel_(plane_ && plane_->enters_kernel()),
      why_no_plane_(std::move(plane.why_not)) {
  std::set<int32_t> nodes;
  for (const int32_t member : global_ranks_) nodes.insert(world_->member(member).node);
  host_count_ = static_cast<int>(nodes.size());
  no_memory_ = std::make_shared<const Error>(
      PS_ERR_NO_MEMORY, fmt::format("{} is out of memory", world_->who(world_->rank())), world_->rank());
}

Communicator::~Communicator() = default;

void Communicator::check_usable(const GroupLabel& label) {
  if (!plane_ || plane_->may_have_failed() || failed_.load(std::memory_order_acquire)) refuse_unusable(label);
}

void Communicator::refuse_unusable(const GroupLabel& label) {
  adopt_recorded_failure();
  if (failed_.load(std::memory_order_acquire)) {
    const auto cause = known_failure();
    throw Error(cause->code(), fmt::format("group '{}' (rank {} of {}) has failed: {}", label.name, rank_, size(), cause->text()),
                cause->culprit());
  }
  if (!plane_) {
    ps::fail(PS_ERR_UNSUPPORTED, "group '{}' (rank {} of {}): {}", label.name, rank_, size(), why_no_plane_);
  }
}

template <class Step>
void Communicator::step_in_burst(Request& request, Step&& step) {
  step();
  // Only now: a peer may be waiting for what the first step publishes.
  record(request);
  if (request.asynchronous) return;
  for (int i = std::min(world_->wait_policy().pauses, kBurst); i > 0 && !request.finished(); --i) step();
  if (!request.finished()) request.deadline = Deadline::in_ms(request.timeout_ms);
}

void Communicator::run(GroupLabel& label, Call&& call, int64_t timeout_ms) try {
  std::optional<NoCancellation> no_cancellation;
  if (enters_kernel_) no_cancellation.emplace();
  std::unique_lock lock(queue_lock_);
  check_usable(label);
  const bool is_begun = queue_.empty() && begin_small(label, call);
  if (is_begun && end_small(call)) [[likely]] return;
  CollectiveRequest request(label, call.signature, timeout_ms, false);
  if (is_begun) {
    resume_small(request, std::move(call));
  } else {
    start(request, std::move(call));
  }
  lock.unlock();
  wait(request, Deadline::never());
  log_failure();
  if (request.error) throw *request.error;
} catch (...) {
  log_failure();
  throw;
}

bool Communicator::begin_small(const GroupLabel& label, const Call& call) {
  if (!plane_->begin_small(call, sequence_ + 1)) return false;
  ++sequence_;
  record_call(*world_, call.signature, sequence_, label.record_name, true);
  return true;
}

bool Communicator::end_small(const Call& call) {
  int looks = kLooks * std::min(world_->wait_policy().pauses, kBurst);
  for (AtOnce end; (end = plane_->end_small(call, sequence_)) != AtOnce::kDone;) {
    if (end == AtOnce::kNo || --looks < 0) return false;
  }
  record_return(*world_);
  return true;
}

void Communicator::resume_small(CollectiveRequest& request, Call&& call) {
  request.number = sequence_;
  plane_->resume_small(std::move(call), sequence_, request.slot);
  request.started = true;
  request.deadline = Deadline::in_ms(request.timeout_ms);
  queue_.push_back(request);
}

void Communicator::start(CollectiveRequest& request, Call&& call) {
  request.number = sequence_ + 1;
  plane_->start(std::move(call), request.number, request.slot);
  ++sequence_;
  if (request.asynchronous) started(request);
  queue_.push_back(request);
  step_in_burst(request, [this] { step_collectives(); });
}

void Communicator::submit(CollectiveRequest& request, Call&& call) {
  std::optional<NoCancellation> no_cancellation;
  if (enters_kernel_) no_cancellation.emplace();
  const LogAfter log_after(*this);
  const std::lock_guard lock(queue_lock_);
  check_usable(request.label);
  start(request, std::move(call));
}

void Communicator::run(GroupLabel& label, const Message& message, int64_t timeout_ms) try {
  std::optional<NoCancellation> no_cancellation;
  if (enters_kernel_) no_cancellation.emplace();
  std::unique_lock lock(message_lock_);
  check_usable(label);
  // Where others wait, who looks steps them too.
  if (exchanges_.empty() && run_at_once(label, message)) [[likely]] return;
  MessageRequest request(label, {&message, 1}, message.signature, timeout_ms, false);
  start(request);
  lock.unlock();
  wait(request, Deadline::never());
  log_failure();
  if (request.error) throw *request.error;
} catch (...) {
  log_failure();
  throw;
}

bool Communicator::run_at_once(const GroupLabel& label, const Message& message) {
  const auto note = [&](bool blocking) { record_call(*world_, message.signature, 0, label.record_name, blocking); };
  if (message.is_send()) {
    if (!plane_->send_at_once(message)) return false;
    note(false);
    return true;
  }
  AtOnce state = AtOnce::kNo;
  try {
    state = plane_->receive_at_once(message);
    if (state == AtOnce::kNo) return false;
    note(true);
    for (int looks = std::min(world_->wait_policy().pauses, kBurst); state == AtOnce::kNotYet && looks > 0; --looks) {
      // Without it, the processor has begun many more looks by the time of the one that finds the message, and must
      // undo them first.
      cpu_pause();
      state = plane_->receive_at_once(message);
    }
  } catch (const std::exception&) {
    // What posts the message meets it again, and fails the group.
  }
  record_return(*world_);
  return state == AtOnce::kDone;
}

void Communicator::submit(MessageRequest& request) {
  std::optional<NoCancellation> no_cancellation;
  if (enters_kernel_) no_cancellation.emplace();
  const LogAfter log_after(*this);
  const std::lock_guard lock(message_lock_);
  check_usable(request.label);
  start(request);
}

void Communicator::start(MessageRequest& request) {
  exchanges_.push_back(&request);  // first, as there may be no room
  bool is_under_way = false;
  try {
    for (Message& message : request.messages) {
      plane_->post(message);
      is_under_way = true;
    }
  } catch (const MismatchFound& found) {
    fail_with([&] { return mismatch(found, request.signature, 0); });
  } catch (const Error& error) {
    if (!is_under_way) {
      exchanges_.pop_back();
      throw;
    }
    take_failure(error, true);
  } catch (const std::exception& error) {
    fail_by(error);
  }
  if (request.asynchronous) started(request);
  // A small send is done by now.
  if (request.messages_done()) {
    exchanges_.pop_back();
    record(request);
    return finish(request);
  }
  step_in_burst(request, [this] { step_messages(); });
}

bool Communicator::wait(Request& request, Deadline deadline) {
  if (!request.finished()) wait_longer(request, deadline);
  if (!request.finished()) return false;
  if (!request.asynchronous) record_return(*world_);
  return true;
}

void Communicator::wait_longer(Request& request, Deadline deadline) {
  const NoCancellation no_cancellation;
  waiters_.fetch_add(1);
  const Deadline first = deadline.or_earlier(request.deadline);
  if (!wait_until(world_->doorbell(), world_->wait_policy(), first, [&](bool thorough) { return poll(request, thorough); })) {
    if (request.deadline.passed()) {
      expire(request);
      // What has failed ends as soon as it has its memory back.
      wait_until(world_->doorbell(), world_->wait_policy(), Deadline::never(),
                 [&](bool thorough) { return poll(request, thorough); });
    }
  }
  if (waiters_.fetch_sub(1) == 1 && unfinished_.load() > 0) progress_->nudge();
}

bool Communicator::test(Request& request) { return poll(request, true); }

void Communicator::expire(const Request& request) {
  const LogAfter log_after(*this);
  const std::scoped_lock lock(queue_lock_, message_lock_);
  if (!request.finished()) fail_with([&] { return timed_out(request); });
}

bool Communicator::poll(Request& request, bool thorough) {
  if (!request.finished()) step_all(thorough);
  return request.finished();
}

void Communicator::wait_until_idle(const GroupLabel& label, Deadline deadline) {
  if (label.unfinished.load() == 0) return;
  wait_until(world_->doorbell(), world_->wait_policy(), deadline, [&](bool thorough) {
    step_all(thorough);
    return label.unfinished.load() == 0;
  });
}

void Communicator::watch() noexcept {
  if (unfinished_.load() == 0) return;
  try {
    progress_->watch(shared_from_this());
  } catch (const std::exception& error) {
    // Nobody would step what its peers wait for.
    fail_by(error);
    log_failure();
  }
}

bool Communicator::progress(bool thorough) {
  if (!is_to_be_stepped()) return false;
  if (waiters_.load() == 0 || thorough) step_all(thorough);
  return is_to_be_stepped();
}

void Communicator::step_all(bool thorough) noexcept {
  const LogAfter log_after(*this);
  // Who holds a lock is stepping what it guards, so polling need not wait for it. Before sleeping it must: what the other
  // thread saw may be older than the last ring of the doorbell.
  const auto lock_for = [thorough](Lock& lock) {
    return thorough ? std::unique_lock(lock) : std::unique_lock(lock, std::try_to_lock);
  };
  if (const auto lock = lock_for(queue_lock_); lock.owns_lock()) step_collectives();
  if (const auto lock = lock_for(message_lock_); lock.owns_lock()) step_messages();
  if (!thorough) return;
  look_around();
  if (plane_) plane_->rest();
}

void Communicator::step_collectives() noexcept try {
  while (!queue_.empty()) {
    CollectiveRequest& head = *queue_.first();
    try {
      // What has begun may complete although the group failed meanwhile: its data may be there already.
      if ((head.started || !failed_.load()) && head.slot.get()->step()) {
        queue_.pop_front();
        finish(head);
        continue;
      }
      head.started = true;
    } catch (const MismatchFound& found) {
      fail_with([&] { return mismatch(found, head.signature, head.number); });
      head.started = false;  // never to be stepped again
    } catch (const std::exception& error) {
      fail_by(error);
      head.started = false;
    }
    if (!failed_.load() || !is_given_back(head.slot.get()->retract(), give_back_by_)) return;
    while (!queue_.empty()) finish_failed(queue_.pop_front());
  }
} catch (const std::exception& error) {
  fail_by(error);
}

void Communicator::step_messages() noexcept try {
  if (exchanges_.empty()) return;
  // What has been taken back is not moved any more.
  const bool is_ended = give_back_messages_by_.ns() != Deadline::never().ns();
  try {
    if (!is_ended) plane_->step_messages();
  } catch (const MismatchFound& found) {
    fail_with([&] { return mismatch(found, found.ours.value_or(found.theirs), 0); });
  } catch (const std::exception& error) {
    fail_by(error);
  }
  const bool failed = failed_.load();
  if (failed && !is_given_back(plane_->retract_messages(), give_back_messages_by_)) return;
  if (failed) plane_->drop_messages();
  std::erase_if(exchanges_, [&](MessageRequest* request) {
    const bool done = request->messages_done();
    if (done) finish(*request);
    if (!done && failed) finish_failed(*request);
    return done || failed;
  });
} catch (const std::exception& error) {
  fail_by(error);
}

// What changes rarely and rings the doorbell at most: the failures of others, deaths, departures, deadlines.
void Communicator::look_around() noexcept try {
  adopt_recorded_failure();
  adopt_deaths();
  if (!failed_.load()) look_for_departed();
  if (!failed_.load()) {
    const std::scoped_lock lock(queue_lock_, message_lock_);
    const int64_t now = monotonic_ns();
    for (const CollectiveRequest* request = queue_.first(); request != nullptr; request = request->next) {
      if (request->deadline.ns() <= now) return take_failure(timed_out(*request), true);
    }
    for (const MessageRequest* request : exchanges_) {
      if (request->deadline.ns() <= now) return take_failure(timed_out(*request), true);
    }
    return;
  }
  {
    const std::lock_guard lock(queue_lock_);
    step_collectives();
  }
  const std::lock_guard lock(message_lock_);
  step_messages();
} catch (const std::exception& error) {
  fail_by(error);
}

// A rank that left, or freed the group, has left behind what it had sent; only whoever needs more of it has failed.
void Communicator::look_for_departed() {
  // `pending` says whether the request is still in flight. Once it is not, its owner may have destroyed it, so after a
  // step nothing of it is touched before that is known.
  const auto check = [&](const Request& request, auto&& step, auto&& pending) {
    for (const int member : awaited(request)) {
      const std::string reason = gone(member, request.label);
      if (reason.empty()) continue;
      // Having seen that it is gone: what it sent before must be visible now, and so must a failure it left because of.
      step();
      if (failed_.load() || !pending()) return true;
      const std::vector<int> still = awaited(request);
      if (std::find(still.begin(), still.end(), member) == still.end()) return true;
      adopt_recorded_failure();
      adopt_deaths();
      const int32_t culprit = global_ranks_[static_cast<size_t>(member)];
      take_failure(Error(PS_ERR_PEER_FAILED, fmt::format("{} {}", world_->who(culprit), reason), culprit), true);
      return true;
    }
    return false;
  };
  {
    const std::lock_guard lock(queue_lock_);
    if (!queue_.empty()) {
      CollectiveRequest* head = queue_.first();
      note_wait(*head);
      const auto pending = [&] { return queue_.first() == head; };
      if (check(*head, [&] { step_collectives(); }, pending)) return;
      if (!queue_.empty() && look_for_cut_links()) return;
    }
  }
  const std::lock_guard lock(message_lock_);
  for (MessageRequest* request : std::vector(exchanges_)) {
    note_wait(*request);
    const auto pending = [&] { return std::find(exchanges_.begin(), exchanges_.end(), request) != exchanges_.end(); };
    if (check(*request, [&] { step_messages(); }, pending)) return;
  }
}

// What has waited for long may do so because of a link that is cut. A collective has to do with all members: whom it finds
// wanting first may itself wait for one that it cannot reach.
void Communicator::note_wait(Request& request) {
  if (host_count_ == 1) return;
  const int64_t now = monotonic_coarse_ns();
  if (request.looked_ns == 0) request.looked_ns = now;
  if (now - request.looked_ns < kLongWaitNs) return;
  plane_->note_long_wait();
  if (dynamic_cast<const CollectiveRequest*>(&request) == nullptr) {
    for (const int member : awaited(request)) world_->note_awaited(global_ranks_[static_cast<size_t>(member)]);
    return;
  }
  for (const int32_t rank : global_ranks_) world_->note_awaited(rank);
}

// A collective is compared between all members, whomever its data comes from.
bool Communicator::look_for_cut_links() {
  if (!world_->any_cut_off()) return false;
  const auto found = std::find_if(global_ranks_.begin(), global_ranks_.end(),
                                  [this](int32_t rank) { return world_->is_cut_off(rank); });
  if (found == global_ranks_.end()) return false;
  const std::string text = fmt::format("{} {}", world_->who(*found), world_->how_cut_off(*found));
  take_failure(Error(PS_ERR_PEER_FAILED, text, *found), true);
  return true;
}

void Communicator::close(const Error& error) {
  if (plane_ && !failed_.load()) {
    bool is_idle = false;
    {
      const std::scoped_lock lock(queue_lock_, message_lock_);
      is_idle = queue_.empty() && exchanges_.empty();
    }
    // What is in flight is about to be aborted, and what was completed before it has been on its way for as long.
    plane_->leave(Deadline::in_ms(is_idle ? kSendOffMs : kSendOffBusyMs));
  }
  fail(error, false);
  wait_until(world_->doorbell(), world_->wait_policy(), Deadline::never(), [this](bool) {
    const std::scoped_lock lock(queue_lock_, message_lock_);
    step_collectives();
    step_messages();
    return queue_.empty() && exchanges_.empty();
  });
}

bool Communicator::is_given_back(const std::vector<int>& touching, Deadline& by) const {
  bool any = false;
  bool any_alive = false;
  for (const int member : touching) {
    const psRankState state = world_->state(global_ranks_[static_cast<size_t>(member)]);
    any |= state != PS_RANK_LEFT;
    any_alive |= state != PS_RANK_LEFT && state != PS_RANK_DEAD;
  }
  if (!any) return true;
  if (by.ns() == Deadline::never().ns()) by = Deadline::in_ms(any_alive ? kGiveBackMs : kDeathMs);
  return by.passed();
}

int Communicator::self_receives(int32_t tag, uint16_t group) {
  const std::lock_guard lock(message_lock_);
  return plane_ ? plane_->self_receives(tag, group) : 0;
}

void Communicator::add_region(std::shared_ptr<const Region> region) {
  const std::lock_guard lock(queue_lock_);
  plane_->add_region(std::move(region));
}

void Communicator::remove_region(uint64_t id) {
  const std::lock_guard lock(queue_lock_);
  plane_->remove_region(id);
}

void Communicator::mark_freed(uint16_t tag) {
  if (plane_) plane_->mark_freed(tag);
}

void Communicator::finish(Request& request) { settle(request, Request::State::kDone); }

void Communicator::finish_failed(Request& request) {
  const auto cause = known_failure();
  try {
    const std::string text = fmt::format("{}, rank {} of {}: {}",
                                         describe_call(request.signature, request.number, request.label.name), rank_, size(),
                                         cause->text());
    request.error = std::make_shared<const Error>(cause->code(), text, cause->culprit());
  } catch (const std::bad_alloc&) {
    request.error = cause;
  }
  settle(request, Request::State::kFailed);
}

// Nothing of the request may be touched after its state is set: its owner may be gone.
void Communicator::settle(Request& request, Request::State state) {
  const bool asynchronous = request.asynchronous;
  GroupLabel& label = request.label;
  request.state.store(state, std::memory_order_release);
  if (asynchronous) {
    label.unfinished.fetch_sub(1);
    unfinished_.fetch_sub(1);
  }
  world_->doorbell().ring();
}

void Communicator::record(const Request& request) {
  record_call(*world_, request.signature, request.number, request.label.record_name, !request.asynchronous);
}

void Communicator::started(Request& request) {
  request.deadline = Deadline::in_ms(request.timeout_ms);
  request.label.unfinished.fetch_add(1);
  unfinished_.fetch_add(1);
}

std::vector<int> Communicator::awaited(const Request& request, std::vector<int> (Operation::*whom)() const) const {
  if (const auto* collective = dynamic_cast<const CollectiveRequest*>(&request)) {
    const CollectiveRequest* head = queue_.empty() ? collective : queue_.first();
    return head->slot.get() == nullptr ? std::vector<int>{} : (head->slot.get()->*whom)();
  }
  std::vector<int> members;
  for (const Message& message : static_cast<const MessageRequest&>(request).messages) {
    if (!message.done && std::find(members.begin(), members.end(), message.peer) == members.end()) {
      members.push_back(message.peer);
    }
  }
  return members;
}

}  // namespace ps
