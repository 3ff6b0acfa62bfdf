// How the data of one communicator moves: what its members share or how they are connected, the algorithms over that, and
// what they tell each other beside their data. A communicator has one plane; groups of equal members share both.
//
// Not thread-safe by itself: the communicator steps collectives under one lock and messages under another, and the two
// never touch the same state. What is marked "any thread" may be called beside both.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/error.h"
#include "host/call.h"
#include "host/dispatch.h"
#include "host/message.h"
#include "host/operation_slot.h"
#include "host/path_counts.h"
#include "host/region.h"

namespace ps {

class Plane {
 public:
  virtual ~Plane() = default;

  // As psConfig.backend names it: "local", "shm", "gloo".
  virtual const char* name() const = 0;
  // Whether moving data enters the kernel. False: where it must all the same, it disables cancellation itself.
  virtual bool enters_kernel() const { return true; }
  // Of memory that the members share, 0 none.
  virtual size_t memory_bytes() const { return 0; }
  // The nested blocks of members that share something of a host, "" where none are known to the plane.
  virtual std::string domains() const { return ""; }
  // What the dispatch table comes to here, an operation's rows in order: cut to what algorithms can, and without what
  // never comes into play.
  virtual std::vector<DispatchRow> in_force() const { return {}; }
  // How its operations went. Any thread.
  const PathCounts& paths() const { return paths_; }

  // Connects to all members now, which the first operation would do otherwise, and whether that is done: also where a
  // member is gone, or the group has failed. Any thread.
  virtual void connect() {}
  virtual bool is_connected() { return true; }

  // What the next collective writes first, nullptr: not known. A hint, which may be old. Any thread.
  const void* next_line() const { return next_line_.load(std::memory_order_relaxed); }
  // The same of the next message to the peer that the last one went to.
  const void* next_message_line() const { return next_message_line_.load(std::memory_order_relaxed); }

  // Collectives, in the group's order. Chooses the algorithm, the same on every member, and makes it in `slot`.
  virtual void start(Call&& call, uint64_t sequence, OperationSlot& slot) = 0;
  // A collective that goes in one shot, without an operation of its own. begin_small() begins it, or returns false where start()
  // must. end_small() says whether it is complete; what else there may be to say of it, an error too, is said by the
  // operation that resume_small() makes, and that goes on with it.
  virtual bool begin_small(const Call&, uint64_t /*sequence*/) { return false; }
  virtual AtOnce end_small(const Call&, uint64_t /*sequence*/) { return AtOnce::kNo; }
  virtual void resume_small(Call&&, uint64_t /*sequence*/, OperationSlot&) {}
  // Whether `member` is known to have begun collective `sequence`.
  virtual bool reached(int member, uint64_t sequence) = 0;

  // Memory that every member reaches, so that collectives may use buffers in it where they are; whether this plane's do.
  virtual bool uses_regions() const { return false; }
  virtual void add_region(std::shared_ptr<const Region>) {}
  virtual void remove_region(uint64_t) {}

  // Messages. `step_messages` moves what can be moved. Both throw MismatchFound where a receive meets a send of another
  // count or type.
  virtual void post(Message& message) = 0;
  // A message that can be sent or received now, without keeping it. Unless it is done nothing has happened; false: post() must.
  virtual bool send_at_once(const Message&) { return false; }
  virtual AtOnce receive_at_once(const Message&) { return AtOnce::kNo; }
  virtual void step_messages() = 0;
  // After the group has failed: takes back the buffers of messages that were lent, and says which members touch them at
  // this moment. From then on none begins to.
  virtual std::vector<int> retract_messages() { return {}; }
  // Forgets every message, as their group has failed; no buffer is touched afterwards.
  virtual void drop_messages() = 0;
  // How many receives from this rank itself are posted for a tag.
  virtual int self_receives(int32_t tag, uint16_t group) const = 0;

  // The shared failure: the first one wins, and everybody is woken. Any thread.
  virtual void record_failure(const Error& error) = 0;
  virtual std::optional<Error> recorded_failure() = 0;
  // False: there is none. Cheaper to ask, and asked in every call.
  bool may_have_failed() const { return failure_word_ == nullptr || failure_word_->load(std::memory_order_seq_cst) != 0; }
  // This rank has freed the group with that tag; whether `member` has. Any thread.
  virtual void mark_freed(uint16_t tag) = 0;
  virtual bool has_freed(int member, uint16_t tag) = 0;

  // A call has waited for long: from now on what members say is heard also where it does not come by the paths that the
  // call uses. Any thread.
  virtual void note_long_wait() {}
  // Who has stepped operations and messages is about to sleep. Any thread.
  virtual void rest() {}
  // Whether all that a member which has left had sent is here. Any thread.
  virtual bool has_heard_out(int) { return true; }
  // Why nothing can come from a member any more, "" where it can. A hint: it is given after a while in which better ones
  // may come. Any thread.
  virtual std::string loss(int) { return ""; }
  // This rank leaves: what it has sent is still delivered, if that is possible by the deadline. Any thread.
  virtual void leave(Deadline) {}

 protected:
  PathCounts paths_;
  std::atomic<const void*> next_line_{nullptr};
  std::atomic<const void*> next_message_line_{nullptr};
  const std::atomic<uint32_t>* failure_word_ = nullptr;  // 0 while no failure is recorded; nullptr where no word tells
};

}  // namespace ps
