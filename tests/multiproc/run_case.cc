#include "run_case.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <utility>

#include "world.h"

namespace ps_test {
namespace {

constexpr size_t kGuard = 64;
constexpr size_t kMostInFlight = 3;
constexpr size_t kPatternsKept = 6;
constexpr size_t kCasesBetweenHashes = 200;
constexpr std::byte kFill{0xA5};

uint64_t hash_bytes(uint64_t hash, const std::byte* data, size_t bytes) {
  uint64_t word = 0;
  for (; bytes >= sizeof word; data += sizeof word, bytes -= sizeof word) {
    std::memcpy(&word, data, sizeof word);
    hash = (hash ^ word) * 0x9e3779b97f4a7c15;
    hash ^= hash >> 29;
  }
  for (; bytes > 0; ++data, --bytes) hash = (hash ^ static_cast<uint64_t>(*data)) * 0x100000001b3;
  return hash;
}

bool equal_everywhere(Operation operation) {
  switch (operation) {
    case Operation::kAllReduce:
    case Operation::kBroadcast:
    case Operation::kAllGather:
    case Operation::kAllGatherV: return true;
    default: return false;
  }
}

}  // namespace

class Sweep::Region {
 public:
  Region(std::shared_ptr<const Pattern> pattern, size_t elements, bool unaligned, Arena* arena)
      : pattern_(std::move(pattern)),
        element_(size_of(pattern_->dtype())),
        begin_(kGuard + (unaligned ? 1 : 0)),
        arena_(arena) {
    const size_t bytes = begin_ + elements * element_ + kGuard;
    std::byte* const lent = arena_ == nullptr ? nullptr : arena_->take(bytes);
    if (lent == nullptr) {
      arena_ = nullptr;
      own_.resize(bytes);
    }
    memory_ = {lent == nullptr ? own_.data() : lent, bytes};
    std::ranges::fill(memory_, kFill);
  }
  ~Region() {
    if (arena_ != nullptr) arena_->give_back(memory_.data(), memory_.size());
  }

  std::byte* at(size_t element) { return memory_.data() + begin_ + element * element_; }
  void write(const Block& block, size_t seed) { write(memory_, block, seed); }

  // From now on `blocks` are expected and everything else as it is.
  void expect(const std::vector<Block>& blocks, size_t seed) {
    expected_.assign(memory_.begin(), memory_.end());
    blocks_ = blocks;
    for (const Block& block : blocks) write(expected_, block, seed);
  }

  // "" or where the first difference is.
  std::string difference() const {
    if (std::ranges::equal(memory_, expected_)) return "";
    for (size_t i = 0; i < memory_.size(); ++i) {
      if (memory_[i] == expected_[i]) continue;
      const auto block = std::find_if(blocks_.begin(), blocks_.end(), [&](const Block& b) {
        return i >= begin_ + b.at * element_ && i < begin_ + (b.at + b.count) * element_;
      });
      if (block == blocks_.end()) return "byte " + std::to_string(static_cast<long>(i - begin_)) + " was overwritten";
      const size_t element = (i - begin_) / element_;
      const size_t from = begin_ + element * element_;
      if (!pattern_->equal(memory_.data() + from, expected_.data() + from, 1)) {
        return "element " + std::to_string(element - block->at) + " of the block from " + std::to_string(block->from) +
               " is wrong";
      }
      i = from + element_ - 1;
    }
    return "";
  }

  uint64_t hash(uint64_t hash) const {
    for (const Block& b : blocks_)
      hash = hash_bytes(hash, memory_.data() + begin_ + b.at * element_, b.count * element_);
    return hash;
  }

 private:
  void write(std::span<std::byte> to, const Block& block, size_t seed) const {
    pattern_->write(to.data() + begin_ + block.at * element_, block.from, seed + block.begin, block.count);
  }

  std::shared_ptr<const Pattern> pattern_;
  size_t element_;
  size_t begin_;
  Arena* arena_;
  std::vector<std::byte> own_;  // where the arena has no room, or there is none
  std::span<std::byte> memory_;
  std::vector<std::byte> expected_;
  std::vector<Block> blocks_;
};

struct Sweep::Flight {
  Case c;
  Plan plan;
  std::unique_ptr<Region> send;  // in place: where both lie
  std::unique_ptr<Region> recv;  // empty in place
  std::byte* in = nullptr;
  std::byte* out = nullptr;
  psWork work = nullptr;
  psWork receive = nullptr;
};

Sweep::Sweep(psGroup group, int rank, int size, Arena* arena, std::string hosts)
    : group_(group), rank_(rank), size_(size), arena_(arena), hosts_(std::move(hosts)) {
  for (psDataType dtype = PS_FLOAT16; dtype <= PS_FLOAT8_E5M2; ++dtype) {
    const float scalar = scalar_of(rank);
    const double wide = scalar;
    const void* scale = dtype == PS_FLOAT64 ? static_cast<const void*>(&wide) : &scalar;
    require_ok(psReduceOpCreate(group, PS_PREMUL_SUM, dtype, scale, &scaled_[dtype]));
  }
}

Sweep::~Sweep() {
  for (const auto& flight : flights_) {
    psWorkFree(flight->work);
    psWorkFree(flight->receive);
  }
  for (const auto& [dtype, op] : scaled_) psReduceOpFree(group_, op);
}

void Sweep::run(const std::vector<Case>& cases) {
  const auto name_case = [](const Case& c, auto&& what) {
    try {
      what();
    } catch (const Failure& failure) {
      throw Failure(c.describe() + ": " + failure.what());
    }
  };
  const auto finish_first = [&] {
    name_case(flights_.front()->c, [&] { finish(*flights_.front()); });
    flights_.pop_front();
  };
  for (size_t i = 0; i < cases.size(); ++i) {
    name_case(cases[i], [&] {
      flights_.push_back(start(cases[i]));
      if (flights_.back()->work != nullptr) return;
      finish(*flights_.back());
      flights_.pop_back();
    });
    if (flights_.size() > kMostInFlight) finish_first();
    if (i % kCasesBetweenHashes == kCasesBetweenHashes - 1 || i + 1 == cases.size()) {
      while (!flights_.empty()) finish_first();
      compare_hashes();
    }
  }
}

std::shared_ptr<const Pattern> Sweep::pattern(psDataType dtype, psReduceOp op) {
  const auto same = [&](const auto& p) { return p->dtype() == dtype && p->op() == op; };
  auto found = std::find_if(patterns_.begin(), patterns_.end(), same);
  if (found != patterns_.end()) return *found;
  if (patterns_.size() > kPatternsKept) patterns_.pop_front();
  patterns_.push_back(std::make_shared<Pattern>(dtype, op, size_, hosts_));
  return patterns_.back();
}

psReduceOp Sweep::reduction(const Case& c) { return c.op == PS_PREMUL_SUM ? scaled_.at(c.dtype) : c.op; }

std::unique_ptr<Sweep::Flight> Sweep::start(const Case& c) {
  auto flight = std::make_unique<Flight>();
  flight->c = c;
  flight->plan = make_plan(c, rank_, size_);
  const Plan& plan = flight->plan;
  const auto data = pattern(c.dtype, c.op);
  if (c.in_place && plan.input > 0 && plan.output > 0) {
    auto& region = flight->send;
    region = std::make_unique<Region>(data, std::max(plan.input, plan.output), c.unaligned, arena_);
    const size_t in = plan.within_output ? plan.own_at : 0;
    const size_t out = plan.within_output ? 0 : plan.own_at;
    region->write({in, plan.input, rank_, 0}, c.seed);
    std::vector<Block> blocks = plan.blocks;
    for (Block& block : blocks) block.at += out;
    region->expect(blocks, c.seed);
    flight->in = region->at(in);
    flight->out = region->at(out);
  } else {
    flight->send = std::make_unique<Region>(data, plan.input, c.unaligned, arena_);
    flight->send->write({0, plan.input, rank_, 0}, c.seed);
    flight->send->expect({}, c.seed);
    flight->recv = std::make_unique<Region>(data, plan.output, c.unaligned && c.seed % 2 == 0, arena_);
    flight->recv->expect(plan.blocks, c.seed);
    // Where a rank gives or takes nothing, NULL is as good as any pointer.
    flight->in = plan.input == 0 && c.seed % 2 == 0 ? nullptr : flight->send->at(0);
    flight->out = plan.output == 0 && c.seed % 2 == 0 ? nullptr : flight->recv->at(0);
  }
  if (c.operation >= Operation::kSendAndRecv) {
    call_message(*flight);
  } else {
    call(*flight);
  }
  return flight;
}

void Sweep::call(Flight& f) {
  const Case& c = f.c;
  Plan& p = f.plan;
  const auto rank = static_cast<size_t>(rank_);
  psWork* work = c.asynchronous ? &f.work : nullptr;
  const psReduceOp op = c.op == 0 ? 0 : reduction(c);
  // NULL offsets are packed ones.
  const size_t* send_offsets = c.gaps || c.seed % 2 == 0 ? p.send_offsets.data() : nullptr;
  const size_t* recv_offsets = c.gaps || c.seed % 2 == 0 ? p.recv_offsets.data() : nullptr;
  const auto call = [&] {
    switch (c.operation) {
      case Operation::kAllReduce: return psAllReduce(group_, f.in, f.out, c.count, c.dtype, op, nullptr, work);
      case Operation::kReduce: return psReduce(group_, f.in, f.out, c.count, c.dtype, op, c.root, nullptr, work);
      case Operation::kReduceScatter: return psReduceScatter(group_, f.in, f.out, c.count, c.dtype, op, nullptr, work);
      case Operation::kReduceScatterV:
        return psReduceScatterV(group_, f.in, f.out, p.send_counts.data(), c.dtype, op, nullptr, work);
      case Operation::kBroadcast: return psBroadcast(group_, f.in, f.out, c.count, c.dtype, c.root, nullptr, work);
      case Operation::kAllGather: return psAllGather(group_, f.in, f.out, c.count, c.dtype, nullptr, work);
      case Operation::kAllGatherV:
        return psAllGatherV(group_, f.in, p.input, f.out, p.recv_counts.data(), recv_offsets, c.dtype, nullptr, work);
      case Operation::kGather: return psGather(group_, f.in, f.out, c.count, c.dtype, c.root, nullptr, work);
      case Operation::kGatherV:
        return psGatherV(group_, f.in, p.input, f.out, p.recv_counts.data(), recv_offsets, c.dtype, c.root, nullptr,
                         work);
      case Operation::kScatter: return psScatter(group_, f.in, f.out, c.count, c.dtype, c.root, nullptr, work);
      case Operation::kScatterV:
        return psScatterV(group_, f.in, p.send_counts.data(), send_offsets, f.out, p.send_counts[rank], c.dtype, c.root,
                          nullptr, work);
      case Operation::kAllToAll: return psAllToAll(group_, f.in, f.out, c.count, c.dtype, nullptr, work);
      case Operation::kAllToAllV:
        return psAllToAllV(group_, f.in, p.send_counts.data(), send_offsets, f.out, p.recv_counts.data(), recv_offsets,
                           c.dtype, nullptr, work);
      default: return psBarrier(group_, work);
    }
  };
  require_ok(call());
  // What was passed is read during the call alone.
  std::ranges::fill(p.send_counts, SIZE_MAX);
  std::ranges::fill(p.recv_counts, SIZE_MAX);
}

void Sweep::call_message(Flight& f) {
  const Case& c = f.c;
  const Plan& p = f.plan;
  psWork* work = c.asynchronous ? &f.work : nullptr;
  const auto tag = static_cast<int32_t>(c.seed);
  if (c.operation == Operation::kSendRecv) {
    require_ok(psSendRecv(group_, f.in, c.count, PS_NEXT, f.out, c.count, PS_PREV, c.dtype, tag, nullptr, work));
  } else if (c.operation == Operation::kSendAndRecv) {
    const int source = p.blocks[0].from;
    const int destination = (2 * rank_ - source + size_) % size_;
    require_ok(psRecv(group_, f.out, c.count, c.dtype, source, tag, nullptr, &f.receive));
    require_ok(psSend(group_, f.in, c.count, c.dtype, destination, tag, nullptr, work));
  } else {
    const size_t element = size_of(c.dtype);
    std::vector<psMessage> messages;
    for (int peer = 0; peer < size_; ++peer) {
      const auto i = static_cast<size_t>(peer);
      psMessage message = PS_MESSAGE_INIT;
      message.dtype = c.dtype;
      message.peer = peer;
      message.tag = tag;
      message.direction = PS_RECV;
      message.count = p.recv_counts[i];
      message.buffer = message.count == 0 ? nullptr : f.out + p.recv_offsets[i] * element;
      messages.push_back(message);
      message.direction = PS_SEND;
      message.count = p.send_counts[i];
      message.buffer = message.count == 0 ? nullptr : f.in + p.send_offsets[i] * element;
      messages.push_back(message);
    }
    require_ok(psBatch(group_, messages.data(), messages.size(), nullptr, work));
  }
}

void Sweep::finish(Flight& f) {
  for (psWork* work : {&f.work, &f.receive}) {
    if (*work == nullptr) continue;
    require_ok(psWorkWait(*work, -1));
    require_ok(psWorkFree(*work));
    *work = nullptr;
  }
  for (Region* region : {f.send.get(), f.recv.get()}) {
    const std::string difference = region == nullptr ? "" : region->difference();
    if (difference.empty()) continue;
    throw Failure((region == f.recv.get() || f.recv == nullptr ? "output: " : "input: ") + difference);
  }
  if (equal_everywhere(f.c.operation)) hash_ = (f.recv ? f.recv : f.send)->hash(hash_);
}

void Sweep::compare_hashes() {
  std::vector<uint64_t> hashes(static_cast<size_t>(size_));
  require_ok(psAllGather(group_, &hash_, hashes.data(), 1, PS_UINT64, nullptr, nullptr));
  for (int rank = 0; rank < size_; ++rank) {
    require(hashes[static_cast<size_t>(rank)] == hash_,
            "rank " + std::to_string(rank) + " has other bits than rank " + std::to_string(rank_));
  }
}

}  // namespace ps_test
