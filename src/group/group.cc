#include "group/group.h"

#include <algorithm>

#include "base/no_cancellation.h"
#include "group/failure_text.h"
#include "group/progress.h"

namespace ps {
namespace {

// What messages call a group without a name: "of ranks 0, 2".
std::string unnamed(const std::vector<int32_t>& global_ranks) {
  constexpr size_t kMost = 8;
  std::string text = "of ranks";
  for (size_t i = 0; i < std::min(global_ranks.size(), kMost); ++i) text += fmt::format("{} {}", i > 0 ? "," : "", global_ranks[i]);
  return global_ranks.size() > kMost ? text + ", ..." : text;
}

}  // namespace

Group::Group(std::shared_ptr<Communicator> communicator, GroupSettings settings, uint16_t tag,
             AttemptNumbers attempts)
    : communicator_(std::move(communicator)), settings_(std::move(settings)), timeout_ms_(settings_.timeout_ms) {
  label_.name = settings_.name.empty() ? unnamed(communicator_->global_ranks()) : settings_.name;
  label_.record_name = record_name(label_.name);
  label_.tag = tag;
  label_.attempts = std::move(attempts);
}

Group::~Group() {
  // Works still hold the label until they have finished, which their own deadlines see to.
  communicator_->wait_until_idle(label_, Deadline::never());
  communicator_->mark_freed(label_.tag);
}

std::shared_ptr<Context> Group::context() const {
  auto context = context_.lock();
  if (!context) fail(PS_ERR_STATE, "the context of group '{}' is finalized", label_.name);
  return context;
}

std::unique_ptr<Work> Group::run(Call&& call, bool asynchronous) {
  if (asynchronous) {
    auto request = std::make_unique<CollectiveRequest>(label_, call.signature, timeout_ms(), true);
    auto work = std::make_unique<Work>(communicator_);
    communicator_->submit(*request, std::move(call));
    return watch(std::move(work), std::move(request));
  }
  communicator_->run(label_, std::move(call), timeout_ms());
  return nullptr;
}

void Group::run(const Message& message) { communicator_->run(label_, message, timeout_ms()); }

std::unique_ptr<Work> Group::run(std::span<const Message> messages, const Signature& what, bool asynchronous) {
  if (asynchronous) {
    auto request = std::make_unique<MessageRequest>(label_, messages, what, timeout_ms(), true);
    auto work = std::make_unique<Work>(communicator_);
    communicator_->submit(*request);
    return watch(std::move(work), std::move(request));
  }
  MessageRequest request(label_, messages, what, timeout_ms(), false);
  communicator_->submit(request);
  communicator_->wait(request, Deadline::never());
  if (request.error) throw *request.error;
  return nullptr;
}

std::unique_ptr<Work> Group::watch(std::unique_ptr<Work> work, std::unique_ptr<Request> request) noexcept {
  const NoCancellation no_cancellation;
  work->request = std::move(request);
  communicator_->watch();
  return work;
}

psReduceOp Group::add_scaling(const Scaling& scaling) {
  const std::lock_guard lock(scalings_mutex_);
  scalings_[next_scaling_] = scaling;
  return next_scaling_++;
}

Group::Scaling Group::scaling(psReduceOp op) const {
  const std::lock_guard lock(scalings_mutex_);
  const auto found = scalings_.find(op);
  if (found == scalings_.end()) fail(PS_ERR_ARGUMENT, "{} is no reduction of this group; psReduceOpCreate makes them", op);
  return found->second;
}

void Group::remove_scaling(psReduceOp op) {
  const std::lock_guard lock(scalings_mutex_);
  if (scalings_.erase(op) == 0) fail(PS_ERR_ARGUMENT, "{} is no reduction of this group, or was freed before", op);
}

}  // namespace ps
