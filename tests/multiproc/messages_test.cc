// Point-to-point: matched by peer and tag in order, and waiting for nothing else.
#include <gtest/gtest.h>

#include <numeric>
#include <utility>
#include <vector>

#include "world.h"

namespace ps_test {
namespace {

constexpr size_t kLarge = 3 << 20;

std::vector<uint32_t> content(size_t count, uint32_t seed) {
  std::vector<uint32_t> data(count);
  for (size_t i = 0; i < count; ++i) data[i] = seed * 2654435761u + static_cast<uint32_t>(i) * 7;
  return data;
}

class InFlight {
 public:
  static InFlight send(const Member& member, size_t count, int peer, int tag, uint32_t seed) {
    InFlight message(content(count, seed), seed);
    require_ok(psSend(member.world, message.data_.data(), count, PS_UINT32, peer, tag, nullptr, &message.work_));
    return message;
  }
  static InFlight receive(const Member& member, size_t count, int peer, int tag, uint32_t seed) {
    InFlight message(std::vector<uint32_t>(count), seed);
    require_ok(psRecv(member.world, message.data_.data(), count, PS_UINT32, peer, tag, nullptr, &message.work_));
    return message;
  }
  InFlight(InFlight&& other) noexcept
      : data_(std::move(other.data_)), seed_(other.seed_), work_(std::exchange(other.work_, nullptr)) {}
  ~InFlight() { psWorkFree(work_); }

  void finish() {
    require_ok(psWorkWait(work_, -1));
    require(data_ == content(data_.size(), seed_), "a message has a wrong content");
  }

 private:
  InFlight(std::vector<uint32_t> data, uint32_t seed) : data_(std::move(data)), seed_(seed) {}

  std::vector<uint32_t> data_;
  uint32_t seed_;
  psWork work_ = nullptr;
};

void send(const Member& member, size_t count, int peer, int tag, uint32_t seed) {
  const auto data = content(count, seed);
  require_ok(psSend(member.world, data.data(), count, PS_UINT32, peer, tag, nullptr, nullptr));
}

void receive(const Member& member, size_t count, int peer, int tag, uint32_t seed) {
  std::vector<uint32_t> data(count);
  require_ok(psRecv(member.world, data.data(), count, PS_UINT32, peer, tag, nullptr, nullptr));
  require(data == content(count, seed), "a message has a wrong content");
}

const Body receives_first("receives_first", [](Member& member) {
  const int peer = 1 - member.rank;
  for (const size_t count : {size_t{1}, size_t{3000}, kLarge}) {
    auto incoming = InFlight::receive(member, count, peer, 4, 1);
    send(member, count, peer, 4, 1);
    incoming.finish();
    // And with sends that are not waited for first.
    auto outgoing = InFlight::send(member, count, peer, 5, 2);
    receive(member, count, peer, 5, 2);
    outgoing.finish();
  }
});

size_t mixed_size(uint32_t i) {
  constexpr size_t kSizes[] = {1, 200'000, 0, 2048, 2047, 2049, 17, 500'000};
  return kSizes[i % 8];
}

const Body tags_out_of_order("tags_out_of_order", [](Member& member) {
  constexpr uint32_t kMessages = 24;
  if (member.rank == 0) {
    std::vector<InFlight> sends;
    for (uint32_t i = 0; i < kMessages; ++i)
      sends.push_back(InFlight::send(member, mixed_size(i), 1, static_cast<int>(i), i));
    for (InFlight& message : sends) message.finish();
  } else {
    for (uint32_t i = kMessages; i-- > 0;) receive(member, mixed_size(i), 0, static_cast<int>(i), i);
  }
});

const Body one_tag_in_order("one_tag_in_order", [](Member& member) {
  constexpr uint32_t kMessages = 200;
  if (member.rank == 0) {
    for (uint32_t i = 0; i < kMessages; ++i) send(member, mixed_size(i), 1, 0, i);
    return;
  }
  std::vector<InFlight> posted;
  for (uint32_t i = 0; i < kMessages; ++i) {
    if (i % 3 == 0) {
      posted.push_back(InFlight::receive(member, mixed_size(i), 0, 0, i));
    } else {
      receive(member, mixed_size(i), 0, 0, i);
    }
  }
  for (InFlight& message : posted) message.finish();
});

// Rank 1 takes the large message last of all, when everything that came after it has been delivered.
const Body large_delays_nothing("large_delays_nothing", [](Member& member) {
  if (member.rank == 0) {
    auto large = InFlight::send(member, kLarge, 1, 1, 1);
    for (uint32_t i = 0; i < 50; ++i) send(member, 100, 1, 2, i);
    auto second = InFlight::send(member, kLarge, 1, 3, 3);
    send(member, kLarge, 2, 1, 4);
    receive(member, 1, 2, 9, 9);
    second.finish();
    large.finish();
  } else if (member.rank == 1) {
    for (uint32_t i = 0; i < 50; ++i) receive(member, 100, 0, 2, i);
    receive(member, kLarge, 0, 3, 3);
    receive(member, 1, 2, 9, 9);
    receive(member, kLarge, 0, 1, 1);
  } else {
    receive(member, kLarge, 0, 1, 4);
    send(member, 1, 0, 9, 9);
    send(member, 1, 1, 9, 9);
  }
});

const Body beside_collectives("beside_collectives", [](Member& member) {
  const auto reduce = [&](psWork* work, int64_t* value) {
    require_ok(psAllReduce(member.world, value, value, 1, PS_INT64, PS_SUM, nullptr, work));
  };
  int64_t value = 1;
  if (member.rank == 0) {
    // The collective waits for rank 1, which first wants this message.
    psWork work = nullptr;
    reduce(&work, &value);
    send(member, kLarge, 1, 1, 1);
    require_ok(psWorkWait(work, -1));
    require_ok(psWorkFree(work));
    // A receive that is posted and not yet met does not hold collectives up.
    auto posted = InFlight::receive(member, kLarge, 1, 2, 2);
    reduce(nullptr, &value);
    posted.finish();
  } else {
    receive(member, kLarge, 0, 1, 1);
    reduce(nullptr, &value);
    reduce(nullptr, &value);
    send(member, kLarge, 0, 2, 2);
  }
  require(value == 4, "a sum is wrong");
});

const Body to_oneself("to_oneself", [](Member& member) {
  const int self = member.rank;
  for (const size_t count : {size_t{0}, size_t{1}, size_t{100'000}}) {
    auto incoming = InFlight::receive(member, count, self, 1, 1);
    send(member, count, self, 1, 1);
    incoming.finish();
    auto outgoing = InFlight::send(member, count, self, 2, 2);
    receive(member, count, self, 2, 2);
    outgoing.finish();
    const auto data = content(count, 3);
    std::vector<uint32_t> found(count);
    require_ok(
        psSendRecv(member.world, data.data(), count, self, found.data(), count, self, PS_UINT32, 3, nullptr, nullptr));
    require(found == data, "send_recv to oneself");
    const uint32_t one = 1;
    require_error(psSend(member.world, &one, 1, PS_UINT32, self, 1, nullptr, nullptr), PS_ERR_STATE, "tag 1");
  }
  // One receive serves one send; the second is refused and neither harmed the group.
  auto incoming = InFlight::receive(member, 1, self, 7, 7);
  send(member, 1, self, 7, 7);
  const uint32_t one = 1;
  require_error(psSend(member.world, &one, 1, PS_UINT32, self, 7, nullptr, nullptr), PS_ERR_STATE);
  incoming.finish();
  require_ok(psBarrier(member.world, nullptr));
});

const Body around_the_ring("around_the_ring", [](Member& member) {
  const auto rank = static_cast<uint32_t>(member.rank);
  const auto size = static_cast<uint32_t>(member.size);
  auto from_prev = InFlight::receive(member, 5000, PS_PREV, 1, (rank + size - 1) % size);
  auto from_next = InFlight::receive(member, 5000, PS_NEXT, 2, (rank + 1) % size);
  send(member, 5000, PS_NEXT, 1, rank);
  send(member, 5000, PS_PREV, 2, rank);
  from_prev.finish();
  from_next.finish();
  require_ok(psSendRecv(member.world, nullptr, 0, PS_NEXT, nullptr, 0, PS_PREV, PS_FLOAT64, 3, nullptr, nullptr));
  require_ok(psBatch(member.world, nullptr, 0, nullptr, nullptr));
});

class Messages : public testing::TestWithParam<Ranks> {};

TEST_P(Messages, ReceivesPostedBeforeSendsOnBothSides) { run_world(receives_first, GetParam(), 2); }
TEST_P(Messages, TagsOutOfOrder) { run_world(tags_out_of_order, GetParam(), 2); }
TEST_P(Messages, OneTagInOrder) { run_world(one_tag_in_order, GetParam(), 2); }
TEST_P(Messages, ALargeOneDelaysNoOther) { run_world(large_delays_nothing, GetParam(), 3); }
TEST_P(Messages, BesideCollectives) { run_world(beside_collectives, GetParam(), 2); }
TEST_P(Messages, ToOneself) { run_world(to_oneself, GetParam(), 3); }
TEST_P(Messages, ToOneselfAlone) { run_world(to_oneself, GetParam(), 1); }
TEST_P(Messages, AroundTheRing) {
  for (const int size : {1, 2, 9}) run_world(around_the_ring, GetParam(), size);
}

INSTANTIATE_TEST_SUITE_P(Over, Messages, testing::Values(Ranks::kThreads, Ranks::kProcesses),
                         [](const auto& info) { return describe(info.param); });

}  // namespace
}  // namespace ps_test
