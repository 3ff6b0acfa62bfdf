// A group as its members use it: a name, options, and the communicator on which its operations run.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "group/communicator.h"
#include "group/group_memory.h"

namespace ps {

// A group's counterpart of psGroupOptions, with the context's defaults filled in.
struct GroupSettings {
  std::string name;
  uint32_t flags = 0;
  int64_t timeout_ms = 0;
  uint64_t max_object_bytes = 0;
  uint64_t host_buffer_bytes = 0;
  std::string backend = "auto";  // of host memory
};

// An operation in flight: its request, and the communicator that steps it.
struct Work {
  explicit Work(std::shared_ptr<Communicator> where) : communicator(std::move(where)) {}
  // Waits until the library touches no buffer of it any more; bounded by the operation's deadline.
  ~Work() {
    if (request) communicator->wait(*request, Deadline::never());
  }

  std::shared_ptr<Communicator> communicator;
  std::unique_ptr<Request> request;  // once it is submitted
};

class Context;

class Group {
 public:
  // `attempts`: the members' own counts of their attempts to make it.
  Group(std::shared_ptr<Communicator> communicator, GroupSettings settings, uint16_t tag, AttemptNumbers attempts);
  // Waits for this rank's unfinished operations, bounded by their deadlines, and tells peers that the group is freed.
  ~Group();

  Communicator& communicator() const { return *communicator_; }
  // The context that made it. STATE once that is gone.
  std::shared_ptr<Context> context() const;
  void set_context(std::weak_ptr<Context> context) { context_ = std::move(context); }
  World& world() const { return communicator_->world(); }
  const GroupSettings& settings() const { return settings_; }
  // As messages call it; settings().name is what the caller gave.
  const std::string& name() const { return label_.name; }
  uint16_t tag() const { return label_.tag; }
  const GroupLabel& label() const { return label_; }
  int rank() const { return communicator_->rank(); }
  int size() const { return communicator_->size(); }
  const std::vector<int32_t>& global_ranks() const { return communicator_->global_ranks(); }
  uint8_t signature_flags() const { return static_cast<uint8_t>(settings_.flags & PS_DETERMINISTIC); }

  int64_t timeout_ms() const { return timeout_ms_.load(); }
  void set_timeout(int64_t timeout_ms) { timeout_ms_.store(timeout_ms); }

  // Runs a collective: returns when it is complete, or at once with a work where `asynchronous`. Throws its failure.
  std::unique_ptr<Work> run(Call&& call, bool asynchronous);
  // Blocking, and to another rank.
  void run(const Message& message);
  std::unique_ptr<Work> run(std::span<const Message> messages, const Signature& what, bool asynchronous);

  GroupMemory& memory() { return memory_; }
  // Waits for this rank's asynchronous operations.
  void wait_until_idle(Deadline deadline) { communicator_->wait_until_idle(label_, deadline); }

  // PREMUL_SUM operators.
  struct Scaling {
    psDataType dtype;
    double scale;
  };
  psReduceOp add_scaling(const Scaling& scaling);
  Scaling scaling(psReduceOp op) const;  // ARGUMENT: no such operator
  void remove_scaling(psReduceOp op);

 private:
  // Of what is in flight, so it cannot fail.
  std::unique_ptr<Work> watch(std::unique_ptr<Work> work, std::unique_ptr<Request> request) noexcept;
  Deadline deadline() const { return Deadline::in_ms(timeout_ms_.load()); }

  std::shared_ptr<Communicator> communicator_;
  std::weak_ptr<Context> context_;
  GroupSettings settings_;
  GroupLabel label_;
  std::atomic<int64_t> timeout_ms_;
  mutable std::mutex scalings_mutex_;
  std::map<psReduceOp, Scaling> scalings_;
  psReduceOp next_scaling_ = 65536;
  GroupMemory memory_{*this};
};

}  // namespace ps
