#include "host/copy/copy.h"

#include <gtest/gtest.h>

#include <vector>

namespace ps {
namespace {

constexpr size_t kGuard = 192;

std::byte pattern(size_t i) { return static_cast<std::byte>(i * 31 + 7); }

// Copies between all kinds of addresses; nothing before, after or in the source changes.
void expect_exact(size_t bytes, size_t to_offset, size_t from_offset, auto&& run) {
  std::vector<std::byte> source(bytes + 2 * kGuard);
  for (size_t i = 0; i < source.size(); ++i) source[i] = pattern(i);
  std::vector<std::byte> target(bytes + 2 * kGuard, std::byte{0xa5});
  run(target.data() + to_offset, source.data() + from_offset, bytes);
  for (size_t i = 0; i < target.size(); ++i) {
    const bool inside = i >= to_offset && i < to_offset + bytes;
    ASSERT_EQ(target[i], inside ? pattern(i - to_offset + from_offset) : std::byte{0xa5})
        << bytes << " bytes from +" << from_offset << " to +" << to_offset << ", at " << i;
    ASSERT_EQ(source[i], pattern(i));
  }
}

TEST(Copy, EveryMethodCopiesExactlyAtEveryAlignment) {
  for (const CopyMethod method : supported_copy_methods()) {
    SCOPED_TRACE(copy_method_name(method));
    const auto run = [&](std::byte* to, const std::byte* from, size_t bytes) { copy_by(method, to, from, bytes); };
    for (const size_t bytes : {0, 1, 15, 63, 64, 65, 127, 128, 200, 1000}) {
      for (size_t to = 0; to < 64; ++to) {
        for (const size_t from : {size_t{0}, size_t{1}, size_t{33}, to}) expect_exact(bytes, to, from, run);
      }
    }
    for (const size_t bytes : {4096, 65536, 300'001}) expect_exact(bytes, 17, 5, run);
  }
}

TEST(Copy, EveryTargetCopiesExactlyWhileTheMethodIsChosen) {
  for (const CopyTarget target : {CopyTarget::kShared, CopyTarget::kOutput, CopyTarget::kLargeOutput}) {
    const auto run = [&](std::byte* to, const std::byte* from, size_t bytes) { copy(target, to, from, bytes); };
    for (int turn = 0; turn < 40; ++turn) {
      for (const size_t bytes : {100, 4095, 5000, 70'000}) expect_exact(bytes, 1 + turn % 7, turn % 3, run);
    }
    EXPECT_EQ(chosen_copy(target).find("auto"), std::string::npos);
  }
}

}  // namespace
}  // namespace ps
