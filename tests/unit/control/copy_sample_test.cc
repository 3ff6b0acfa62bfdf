#include "control/copy_sample.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "base/process_memory.h"
#include "control/cpus.h"
#include "control/shared_memory.h"

namespace ps {
namespace {

class CopySampleTest : public testing::Test {
 protected:
  std::shared_ptr<SharedMemory> memory_ = SharedMemory::create_for_processes("copy-sample-test", sizeof(CopySample));
  CopySample& sample_ = *reinterpret_cast<CopySample*>(memory_->data());
};

TEST_F(CopySampleTest, ComparesWhatLiesInAnotherMapping) {
  // As another process would have it: a mapping of its own.
  auto mapped = SharedMemory::adopt(Descriptor(::dup(memory_->descriptor())), memory_->size());
  write_sample(sample_);
  std::byte byte{};
  if (read_process(::getpid(), &byte, address_of(&sample_.parts), 1) != 0) GTEST_SKIP() << "no process may be read here";
  const CpuSet cpus = own_cpus();
  const double slowness = kernel_slowness(*reinterpret_cast<CopySample*>(mapped->data()), ::getpid());
  EXPECT_GT(slowness, 0);
  EXPECT_EQ(own_cpus(), cpus);
  for (const auto& part : sample_.parts) {
    EXPECT_TRUE(std::all_of(part.begin(), part.end(), [](std::byte byte) { return byte == std::byte{1}; }));
  }
}

TEST_F(CopySampleTest, IsNotMeasuredWhereTheOtherCannotBeRead) {
  write_sample(sample_);
  const pid_t gone = ::fork();
  if (gone == 0) ::_exit(0);
  ::waitpid(gone, nullptr, 0);
  EXPECT_EQ(kernel_slowness(sample_, gone), 0);
}

TEST_F(CopySampleTest, GivesItsPagesBack) {
  write_sample(sample_);
  forget_sample(sample_);
  EXPECT_EQ(sample_.parts.front().front(), std::byte{0});
  EXPECT_EQ(sample_.parts.back().back(), std::byte{0});
}

}  // namespace
}  // namespace ps
