// The plane of a group of one: collectives are copies, and messages go from this rank to itself.
#pragma once

#include "host/local_operation.h"
#include "host/plane.h"
#include "host/self_messages.h"

namespace ps {

class LocalPlane final : public Plane {
 public:
  const char* name() const override { return "local"; }
  bool enters_kernel() const override { return false; }
  void start(Call&& call, uint64_t, OperationSlot& slot) override {
    paths_.add(call.kind(), Path::kCopy);
    slot.emplace<LocalOperation>(std::move(call));
  }
  bool reached(int, uint64_t) override { return true; }

  void post(Message& message) override {
    if (message.is_send()) paths_.add(Kind::kSend, Path::kCopy);
    messages_.post(message, 0);
  }
  void step_messages() override {}
  void drop_messages() override { messages_.drop_all(); }
  int self_receives(int32_t tag, uint16_t group) const override { return messages_.receives(tag, group); }

  void record_failure(const Error&) override {}
  std::optional<Error> recorded_failure() override { return std::nullopt; }
  void mark_freed(uint16_t) override {}
  bool has_freed(int, uint16_t) override { return false; }

 private:
  SelfMessages messages_;
};

}  // namespace ps
