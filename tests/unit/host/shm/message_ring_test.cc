// The ring of messages of a pair: what a payload leaves behind is never taken for an entry.
#include "host/shm/message_ring.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <vector>

namespace ps {
namespace {

constexpr size_t kBytes = 4096;

struct Pair {
  alignas(128) std::array<std::byte, kBytes> memory{};
  MessageRing writer{memory.data(), kBytes};
  MessageRing reader{memory.data(), kBytes};
};

std::vector<std::byte> repeated(uint64_t word, size_t bytes) {
  std::vector<std::byte> content(bytes);
  for (size_t at = 0; at < bytes; at += sizeof word) std::memcpy(content.data() + at, &word, sizeof word);
  return content;
}

Entry entry(std::span<const std::byte> payload, int32_t tag) { return {EntryType::kEager, tag, 0, {}, payload}; }

TEST(MessageRing, NothingComesBeforeTheFirstEntry) {
  Pair pair;
  EXPECT_FALSE(pair.reader.front());
  pair.writer.open();
  EXPECT_FALSE(pair.reader.front());
}

// Every line of every payload begins as the stamp of the place it lies at would one lap later, if that were no more than a
// position. Entries are of all lengths, so that any line comes to be the next entry's; between two the ring is empty.
TEST(MessageRing, APayloadIsNoEntry) {
  constexpr uint64_t kLine = 64;
  constexpr uint64_t kLines = (kBytes - 2 * kLine) / kLine;
  Pair pair;
  pair.writer.open();
  uint64_t position = 0;  // in lines
  for (int32_t round = 0; round < 4000; ++round) {
    const uint64_t payload_lines = static_cast<uint64_t>(round) * 7 % 12;
    const uint64_t lines = 1 + payload_lines;
    const uint64_t to_end = kLines - position % kLines;
    if (lines > to_end) position += to_end;
    std::vector<std::byte> payload(payload_lines * kLine);
    for (uint64_t line = 0; line < payload_lines; ++line) {
      const uint64_t fake = position + 1 + line + kLines + static_cast<uint64_t>(round % 3) - 1;
      std::memcpy(payload.data() + line * kLine, &fake, sizeof fake);
    }
    ASSERT_TRUE(pair.writer.write(entry(payload, round)));
    position += lines;
    const auto got = pair.reader.front();
    ASSERT_TRUE(got);
    EXPECT_EQ(got->tag, round);
    ASSERT_EQ(got->payload.size(), payload.size());
    EXPECT_TRUE(std::equal(payload.begin(), payload.end(), got->payload.begin()));
    pair.reader.pop();
    ASSERT_FALSE(pair.reader.front()) << "round " << round;
  }
}

TEST(MessageRing, AFullRingIsReadInOrder) {
  Pair pair;
  pair.writer.open();
  int32_t written = 0;
  int32_t read = 0;
  for (int lap = 0; lap < 50; ++lap) {
    const auto payload = repeated(static_cast<uint64_t>(lap), static_cast<size_t>(lap % 7) * 32);
    while (pair.writer.write(entry(payload, written))) ++written;
    ASSERT_GT(written, read);
    while (const auto got = pair.reader.front()) {
      ASSERT_EQ(got->tag, read++);
      pair.reader.pop();
    }
    ASSERT_EQ(read, written);
  }
}

}  // namespace
}  // namespace ps
