// One operation from its call to its end, as its group keeps it. Owned by the caller: on the stack of a blocking call,
// in the work handle of an asynchronous one; in both cases until it has finished.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <span>
#include <vector>

#include "base/deadline.h"
#include "base/error.h"
#include "control/host_segment.h"
#include "host/call.h"
#include "host/message.h"
#include "host/operation_slot.h"

namespace ps {

// What an operation needs to know of the group it was called on. Outlives the operations.
struct GroupLabel {
  std::string name;
  CallRecord::Name record_name{};  // see record_call
  uint16_t tag = 0;
  AttemptNumbers attempts;  // at making this group
  std::atomic<int64_t> unfinished{0};  // asynchronous operations
};

struct Request {
  enum class State : uint32_t { kPending, kDone, kFailed };

  Request(GroupLabel& group_label, const Signature& what, int64_t timeout, bool async)
      : label(group_label), signature(what), timeout_ms(timeout), asynchronous(async) {}
  virtual ~Request() = default;

  bool finished() const { return state.load(std::memory_order_acquire) != State::kPending; }

  GroupLabel& label;
  const Signature signature;
  const int64_t timeout_ms;
  const bool asynchronous;
  Deadline deadline = Deadline::never();  // set where it starts; where it blocks, if it does not finish there
  int64_t looked_ns = 0;  // since when those on other hosts that it needs are looked at; 0: not yet
  uint64_t number = 0;  // a collective's place in the order
  std::atomic<State> state{State::kPending};
  std::shared_ptr<const Error> error;  // written before kFailed
};

struct CollectiveRequest final : Request {
  using Request::Request;

  OperationSlot slot;
  bool started = false;
  CollectiveRequest* next = nullptr;  // in the queue
};

// Room for the one or two messages of all calls but psBatch is in the request.
struct MessageRequest final : Request {
  MessageRequest(GroupLabel& label, std::span<const Message> list, const Signature& what, int64_t timeout, bool async)
      : Request(label, what, timeout, async) {
    if (list.size() > few_.size()) {
      many_.assign(list.begin(), list.end());
      messages = many_;
    } else {
      std::copy(list.begin(), list.end(), few_.begin());
      messages = std::span(few_).first(list.size());
    }
  }

  bool messages_done() const {
    return std::all_of(messages.begin(), messages.end(), [](const Message& message) { return message.done; });
  }

  std::span<Message> messages;

 private:
  std::array<Message, 2> few_;
  std::vector<Message> many_;
};

}  // namespace ps
