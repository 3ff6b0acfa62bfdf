#include "control/shared_memory.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

#include "base/error.h"

namespace ps {
namespace {

constexpr size_t kSize = 12'288;

Descriptor copy_of(const SharedMemory& memory) { return Descriptor(::fcntl(memory.descriptor(), F_DUPFD_CLOEXEC, 0)); }

template <class Call>
std::string refusal(Call&& call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), PS_ERR_SYSTEM);
    return error.text();
  }
  ADD_FAILURE() << "not refused";
  return "";
}

TEST(SharedMemory, IsZeroedAndSharedThroughItsDescriptor) {
  const auto mine = SharedMemory::create_for_processes("test", kSize);
  EXPECT_TRUE(std::all_of(mine->data(), mine->data() + kSize, [](std::byte b) { return b == std::byte{0}; }));
  const auto theirs = SharedMemory::adopt(copy_of(*mine), kSize);
  EXPECT_NE(mine->data(), theirs->data());
  mine->data()[kSize - 1] = std::byte{7};
  EXPECT_EQ(theirs->data()[kSize - 1], std::byte{7});
}

TEST(SharedMemory, CannotBeResizedByAPeer) {
  const auto memory = SharedMemory::create_for_processes("test", kSize);
  EXPECT_EQ(::ftruncate(memory->descriptor(), 0), -1);
  EXPECT_EQ(::ftruncate(memory->descriptor(), 2 * kSize), -1);
  EXPECT_EQ(::fcntl(memory->descriptor(), F_ADD_SEALS, F_SEAL_WRITE), -1);
  EXPECT_NE(::fcntl(memory->descriptor(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST(SharedMemory, LivesOnWithoutItsDescriptor) {
  const auto memory = SharedMemory::create_for_processes("test", kSize);
  const auto other = SharedMemory::adopt(copy_of(*memory), kSize);
  memory->drop_descriptor();
  EXPECT_EQ(memory->descriptor(), -1);
  memory->prefault(100, 5000, "a test");
  memory->data()[0] = std::byte{3};
  EXPECT_EQ(other->data()[0], std::byte{3});
}

bool resident(const std::byte* page) {
  unsigned char state = 0;
  return ::mincore(const_cast<std::byte*>(page), 1, &state) == 0 && (state & 1) != 0;
}

TEST(SharedMemory, PrefaultingTakesTheWholePagesOfARange) {
  const auto memory = SharedMemory::create_for_processes("test", kSize);
  memory->prefault(4095, 2, "a test");
  EXPECT_TRUE(resident(memory->data()));
  EXPECT_TRUE(resident(memory->data() + 4096));
  EXPECT_FALSE(resident(memory->data() + 8192));
}

// The other way, for old kernels: the pages are there, what they hold stays, and where none can be had nothing crashes.
TEST(SharedMemory, PagesCanBeTakenByReading) {
  const auto memory = SharedMemory::create_for_processes("test", kSize);
  memory->data()[0] = std::byte{5};
  EXPECT_TRUE(take_pages_by_reading(memory->data(), memory->data() + kSize));
  EXPECT_TRUE(resident(memory->data() + 8192));
  EXPECT_EQ(memory->data()[0], std::byte{5});

  const Descriptor file(::memfd_create("short", MFD_CLOEXEC));
  ASSERT_EQ(::ftruncate(file.get(), 4096), 0);
  void* const map = ::mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  ASSERT_NE(map, MAP_FAILED);
  const auto* begin = static_cast<const std::byte*>(map);
  EXPECT_TRUE(take_pages_by_reading(begin, begin + 4096));
  EXPECT_FALSE(take_pages_by_reading(begin, begin + 8192));
  ::munmap(map, 8192);
}

TEST(SharedMemory, RefusesWhatIsNotSealedOrOfAnotherSize) {
  Descriptor open(::memfd_create("open", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  ASSERT_EQ(::ftruncate(open.get(), kSize), 0);
  EXPECT_NE(refusal([&] { SharedMemory::adopt(std::move(open), kSize); }).find("seals"), std::string::npos);

  const auto memory = SharedMemory::create_for_processes("test", kSize);
  const std::string text = refusal([&] { SharedMemory::adopt(copy_of(*memory), 2 * kSize); });
  EXPECT_NE(text.find("12288 bytes"), std::string::npos) << text;
  EXPECT_NE(text.find("expected 24576 bytes"), std::string::npos) << text;

  Descriptor file(::open("/dev/null", O_RDWR | O_CLOEXEC));
  refusal([&] { SharedMemory::adopt(std::move(file), kSize); });
}

TEST(SharedMemory, InOneProcessNeedsNoDescriptor) {
  const auto memory = SharedMemory::create_in_process(kSize);
  EXPECT_EQ(memory->descriptor(), -1);
  EXPECT_EQ(memory->data()[kSize / 2], std::byte{0});
}

}  // namespace
}  // namespace ps
