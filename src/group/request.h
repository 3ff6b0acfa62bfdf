// One operation from its call to its end, as its group keeps it. Owned by the caller: on the stack of a blocking call,
// in the work handle of an asynchronous one; in both cases until it has finished.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "base/deadline.h"
#include "base/error.h"
#include "host/call.h"
#include "host/message.h"
#include "host/operation_slot.h"

namespace ps {

// What an operation needs to know of the group it was called on. Outlives the operations.
struct GroupLabel {
  std::string name;
  uint16_t tag = 0;
  std::vector<uint64_t> attempts;  // at making this group, of each member by its own count
  std::atomic<int64_t> unfinished{0};  // asynchronous operations
};

struct Request {
  enum class State : uint32_t { kPending, kDone, kFailed };

  Request(GroupLabel& group_label, const Signature& what, Deadline by, bool async)
      : label(group_label), signature(what), deadline(by), asynchronous(async) {}
  virtual ~Request() = default;

  bool finished() const { return state.load(std::memory_order_acquire) != State::kPending; }

  GroupLabel& label;
  const Signature signature;
  const Deadline deadline;
  const bool asynchronous;
  uint64_t number = 0;  // a collective's place in the order
  std::atomic<State> state{State::kPending};
  std::shared_ptr<const Error> error;  // written before kFailed
};

struct CollectiveRequest final : Request {
  CollectiveRequest(GroupLabel& label, Call what, Deadline by, bool async)
      : Request(label, what.signature, by, async), call(std::move(what)) {}

  Call call;  // until the algorithm takes it over
  OperationSlot slot;
  bool started = false;
};

struct MessageRequest final : Request {
  MessageRequest(GroupLabel& label, std::vector<Message> list, const Signature& what, Deadline by, bool async)
      : Request(label, what, by, async), messages(std::move(list)) {}

  std::vector<Message> messages;
};

}  // namespace ps
