// Which of its latest attempts to make groups a rank has abandoned. Making a group is collective and may fail on one
// member after it has succeeded on others; by this they learn that it will never come.
//
// Each rank numbers its own attempts from 1 and tells the number in the agreement. Two bits an attempt, for the latest
// kRemembered; older ones count as not abandoned. The second tells who abandoned it only because another member had,
// so that the first is named. Written by their rank, read by all.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace ps {

class alignas(128) Attempts {
 public:
  static constexpr uint64_t kWords = 7;
  static constexpr uint64_t kRemembered = kWords * 64;

  uint64_t begin() {
    const uint64_t attempt = latest_.fetch_add(1, std::memory_order_seq_cst) + 1;
    word(attempt).fetch_and(~bit(attempt), std::memory_order_seq_cst);
    followed_[attempt / 64 % kWords].fetch_and(~bit(attempt), std::memory_order_seq_cst);
    return attempt;
  }
  void abandon(uint64_t attempt, bool follows) {
    if (follows) followed_[attempt / 64 % kWords].fetch_or(bit(attempt), std::memory_order_seq_cst);
    word(attempt).fetch_or(bit(attempt), std::memory_order_seq_cst);
  }
  // Of an abandoned one.
  bool follows(uint64_t attempt) {
    return (followed_[attempt / 64 % kWords].load(std::memory_order_seq_cst) & bit(attempt)) != 0;
  }
  bool abandoned(uint64_t attempt) {
    const bool set = (word(attempt).load(std::memory_order_seq_cst) & bit(attempt)) != 0;
    // Read last: a bit set by a later attempt in the same place comes with a later number.
    return set && latest_.load(std::memory_order_seq_cst) - attempt < kRemembered;
  }

 private:
  std::atomic<uint64_t>& word(uint64_t attempt) { return bits_[attempt / 64 % kWords]; }
  static uint64_t bit(uint64_t attempt) { return uint64_t{1} << attempt % 64; }

  std::atomic<uint64_t> latest_{0};
  std::array<std::atomic<uint64_t>, kWords> bits_{};
  std::array<std::atomic<uint64_t>, kWords> followed_{};
};

// The numbers that the members of one group gave their attempts at it. Where all have made the same groups before, they
// are alike, and one is kept.
class AttemptNumbers {
 public:
  AttemptNumbers() = default;
  explicit AttemptNumbers(std::span<const uint64_t> of_members) {
    const bool are_alike =
        std::adjacent_find(of_members.begin(), of_members.end(), std::not_equal_to<>()) == of_members.end();
    if (are_alike) of_members = of_members.first(std::min<size_t>(of_members.size(), 1));
    numbers_.assign(of_members.begin(), of_members.end());
  }

  uint64_t operator[](size_t member) const { return numbers_.size() == 1 ? numbers_.front() : numbers_[member]; }

 private:
  std::vector<uint64_t> numbers_;
};

}  // namespace ps
