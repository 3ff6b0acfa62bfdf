#include "faults_mix.h"

#include <string>
#include <vector>

#include "faults_rank.h"

namespace faults {
namespace {

constexpr size_t kLarge = 150'000;

// splitmix64: one multiplication and shift after another spread every bit.
uint64_t random_bits(uint64_t state) {
  state += 0x9e3779b97f4a7c15;
  state = (state ^ (state >> 30)) * 0xbf58476d1ce4e5b9;
  state = (state ^ (state >> 27)) * 0x94d049bb133111eb;
  return state ^ (state >> 31);
}

struct Place {
  psGroup group;
  int rank;
  int size;
  uint64_t step;
};

int64_t value(const Place& at, int rank, size_t i) {
  return static_cast<int64_t>((at.step % 1000 + 1) * 1000 + i % 97) * (rank + 1);
}

std::vector<int64_t> values(const Place& at, int rank, size_t count) {
  std::vector<int64_t> list(count);
  for (size_t i = 0; i < count; ++i) list[i] = value(at, rank, i);
  return list;
}

int64_t sum(const Place& at, size_t i) { return value(at, 0, i) * at.size * (at.size + 1) / 2; }

void check(const Place& at, const std::vector<int64_t>& got, size_t begin, int from, size_t count, const char* what) {
  for (size_t i = 0; i < count; ++i) {
    const int64_t due = from < 0 ? sum(at, i) : value(at, from, i);
    if (got[begin + i] == due) continue;
    die(std::string(what) + ", step " + std::to_string(at.step) + ": element " + std::to_string(i) + " is " +
            std::to_string(got[begin + i]) + ", expected " + std::to_string(due),
        std::source_location::current());
  }
}

psResult all_reduce(const Place& at, size_t count, bool asynchronous) {
  const std::vector<int64_t> send = values(at, at.rank, count);
  std::vector<int64_t> recv(count);
  psWork work = nullptr;
  psResult result =
      psAllReduce(at.group, send.data(), recv.data(), count, PS_INT64, PS_SUM, nullptr, asynchronous ? &work : nullptr);
  if (result == PS_OK && asynchronous) {
    result = psWorkWait(work, -1);
    ok(psWorkFree(work));
  }
  if (result == PS_OK) check(at, recv, 0, -1, count, "all_reduce");
  return result;
}

psResult broadcast(const Place& at, size_t count, int root) {
  const std::vector<int64_t> send = values(at, root, at.rank == root ? count : 0);
  std::vector<int64_t> recv(count);
  const psResult result = psBroadcast(at.group, at.rank == root ? send.data() : nullptr, recv.data(), count, PS_INT64,
                                      root, nullptr, nullptr);
  if (result == PS_OK) check(at, recv, 0, root, count, "broadcast");
  return result;
}

psResult gather(const Place& at, size_t count, int root) {
  const std::vector<int64_t> send = values(at, at.rank, count);
  std::vector<int64_t> recv(at.rank == root ? count * static_cast<size_t>(at.size) : 0);
  const psResult result =
      psGather(at.group, send.data(), at.rank == root ? recv.data() : nullptr, count, PS_INT64, root, nullptr, nullptr);
  if (result != PS_OK || at.rank != root) return result;
  for (int from = 0; from < at.size; ++from) check(at, recv, count * static_cast<size_t>(from), from, count, "gather");
  return result;
}

psResult all_to_all(const Place& at, size_t count) {
  const auto size = static_cast<size_t>(at.size);
  std::vector<int64_t> send;
  for (size_t to = 0; to < size; ++to) {
    const std::vector<int64_t> block = values(at, at.rank, count);
    send.insert(send.end(), block.begin(), block.end());
  }
  std::vector<int64_t> recv(count * size);
  const psResult result = psAllToAll(at.group, send.data(), recv.data(), count, PS_INT64, nullptr, nullptr);
  if (result != PS_OK) return result;
  for (int from = 0; from < at.size; ++from)
    check(at, recv, count * static_cast<size_t>(from), from, count, "all_to_all");
  return result;
}

psResult send_recv(const Place& at, size_t count) {
  const std::vector<int64_t> send = values(at, at.rank, count);
  std::vector<int64_t> recv(count);
  const psResult result =
      psSendRecv(at.group, send.data(), count, PS_NEXT, recv.data(), count, PS_PREV, PS_INT64, 1, nullptr, nullptr);
  if (result == PS_OK) check(at, recv, 0, (at.rank + at.size - 1) % at.size, count, "send_recv");
  return result;
}

// Even ranks send first, so that somebody always receives.
psResult send_then_recv(const Place& at, size_t count) {
  const std::vector<int64_t> send = values(at, at.rank, count);
  std::vector<int64_t> recv(count);
  for (const bool sending : {at.rank % 2 == 0, at.rank % 2 != 0}) {
    const psResult result = sending ? psSend(at.group, send.data(), count, PS_INT64, PS_NEXT, 2, nullptr, nullptr)
                                    : psRecv(at.group, recv.data(), count, PS_INT64, PS_PREV, 2, nullptr, nullptr);
    if (result != PS_OK) return result;
  }
  check(at, recv, 0, (at.rank + at.size - 1) % at.size, count, "send and recv");
  return PS_OK;
}

}  // namespace

psResult run_mixed(psGroup group, uint64_t seed, uint64_t step) {
  psGroupInfo info = PS_GROUP_INFO_INIT;
  ok(psGetGroupInfo(group, &info));
  const Place at{group, info.rank, info.size, step};
  const uint64_t dice = random_bits(seed ^ random_bits(step));
  const size_t small = 1 + dice % 200;
  const size_t large = kLarge + dice % 5000;
  const int root = static_cast<int>((dice >> 20) % static_cast<uint64_t>(info.size));
  switch ((dice >> 40) % 14) {
    case 0:
      return all_reduce(at, large, false);
    case 1:
      return all_reduce(at, small, true);
    case 2:
      return all_reduce(at, large, true);
    case 3:
      return psBarrier(group, nullptr);
    case 4:
      return broadcast(at, small, root);
    case 5:
      return broadcast(at, large, root);
    case 6:
      return gather(at, small, root);
    case 7:
      return all_to_all(at, small);
    case 8:
      return all_to_all(at, large / static_cast<size_t>(at.size));
    case 9:
      return send_recv(at, small);
    case 10:
      return send_recv(at, large);
    // A blocking send to oneself is refused.
    case 11:
      return info.size > 1 ? send_then_recv(at, small) : send_recv(at, small);
    case 12:
      return info.size > 1 ? send_then_recv(at, large) : send_recv(at, large);
    default:
      return all_reduce(at, small, false);
  }
}

}  // namespace faults
