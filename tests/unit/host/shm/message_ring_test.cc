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

// Many laps of entries whose payload is a number that a position may have, or 0 as fresh memory; between any two of them
// the ring is empty.
TEST(MessageRing, APayloadIsNoEntry) {
  Pair pair;
  pair.writer.open();
  for (uint64_t round = 0; round < 1000; ++round) {
    for (const uint64_t word : {uint64_t{0}, round, round * 9 + 10, round * 18 + 19}) {
      const auto payload = repeated(word, 512);
      ASSERT_TRUE(pair.writer.write(entry(payload, static_cast<int32_t>(round))));
      const auto got = pair.reader.front();
      ASSERT_TRUE(got);
      EXPECT_EQ(got->tag, static_cast<int32_t>(round));
      EXPECT_TRUE(std::equal(payload.begin(), payload.end(), got->payload.begin(), got->payload.end()));
      pair.reader.pop();
      ASSERT_FALSE(pair.reader.front()) << "round " << round << ", word " << word;
    }
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
