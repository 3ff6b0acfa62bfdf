// The plane of a group whose members share a host: everything goes through one piece of shared memory.
#pragma once

#include <array>
#include <vector>

#include "host/choices.h"
#include "host/mailbox.h"
#include "host/plane.h"
#include "host/shm/board.h"
#include "host/shm/small_call.h"

namespace ps {

class ShmPlane final : public Plane {
 public:
  // `memory` is shared by all members and laid out as `geometry` says; the rest as for Board.
  ShmPlane(const HostSegment& host, std::shared_ptr<SharedMemory> memory, const Geometry& geometry, int rank,
           std::vector<LocalIndex> members, bool crowded, std::optional<PeerMemory::Reach> reach, const Dispatch& dispatch);

  const char* name() const override { return "shm"; }
  bool enters_kernel() const override { return false; }
  size_t memory_bytes() const override { return board_.bytes(); }
  std::string domains() const override { return board_.domains().describe(); }
  std::vector<DispatchRow> in_force() const override { return choices_.rows(); }

  void start(Call&& call, uint64_t sequence, OperationSlot& slot) override;
  bool begin_small(const Call& call, uint64_t sequence) override;
  AtOnce end_small(const Call& call, uint64_t sequence) override { return small_call_.end(call, sequence); }
  void resume_small(Call&& call, uint64_t sequence, OperationSlot& slot) override;
  bool reached(int member, uint64_t sequence) override { return board_.reached(member, sequence); }

  bool uses_regions() const override { return true; }
  void add_region(std::shared_ptr<const Region> region) override { board_.regions().add(std::move(region)); }
  void remove_region(uint64_t id) override { board_.regions().remove(id); }

  void post(Message& message) override { mailbox_.post(message); }
  bool send_at_once(const Message& message) override { return mailbox_.send_at_once(message); }
  AtOnce receive_at_once(const Message& message) override { return mailbox_.receive_at_once(message); }
  void step_messages() override { mailbox_.step(); }
  std::vector<int> retract_messages() override;
  void drop_messages() override { mailbox_.drop_all(); }
  int self_receives(int32_t tag, uint16_t group) const override { return mailbox_.self_receives(tag, group); }

  void record_failure(const Error& error) override { board_.record_failure(error); }
  std::optional<Error> recorded_failure() override { return board_.recorded_failure(); }
  void mark_freed(uint16_t tag) override;
  bool has_freed(int member, uint16_t tag) override;

  std::unique_ptr<MessagePath> open_path(int peer);

 private:
  void expect_line(uint64_t sequence) {
    next_line_.store(&board_.header(board_.rank(), sequence), std::memory_order_relaxed);
  }

  const Choices choices_;
  Board board_;
  SmallCall small_call_{board_};
  Mailbox mailbox_;
};

}  // namespace ps
