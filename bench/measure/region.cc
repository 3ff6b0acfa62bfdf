#include "measure/region.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <stdexcept>
#include <utility>

#include "measure/clock.h"

namespace measure {
namespace {

constexpr uint32_t kReady = 0x70734d31;

[[noreturn]] void fail(const std::string& what) {
  throw std::runtime_error(what + ": " + ::strerror(errno));
}

size_t bytes_of(int ranks, int most_iterations) {
  const auto n = static_cast<size_t>(ranks);
  return sizeof(RegionHead) + 2 * n * sizeof(Padded) + n * static_cast<size_t>(most_iterations) * sizeof(Span);
}

void pause_ms() {
  const timespec pause{0, 1'000'000};
  ::nanosleep(&pause, nullptr);
}

}  // namespace

Region::Region(int fd, size_t bytes) : fd_(fd), bytes_(bytes) {
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) {
    ::close(fd);
    fail("cannot map the memory of a measurement");
  }
  head_ = static_cast<RegionHead*>(memory);
}

Region::Region(Region&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), bytes_(other.bytes_), head_(std::exchange(other.head_, nullptr)) {}

Region::~Region() {
  if (head_ != nullptr) ::munmap(head_, bytes_);
  if (fd_ >= 0) ::close(fd_);
}

Region Region::made(int fd, int ranks, int most_iterations) {
  const size_t bytes = bytes_of(ranks, most_iterations);
  // Allocated, not only sized: too little room is an error here instead of a SIGBUS later.
  if (const int error = ::posix_fallocate(fd, 0, static_cast<off_t>(bytes)); error != 0) {
    ::close(fd);
    errno = error;
    fail("cannot get " + std::to_string(bytes) + " bytes of shared memory");
  }
  Region region(fd, bytes);
  region.head_->ranks = static_cast<uint32_t>(ranks);
  region.head_->most_iterations = static_cast<uint32_t>(most_iterations);
  region.head_->ready.store(kReady, std::memory_order_release);
  return region;
}

Region Region::create(int ranks, int most_iterations) {
  const int fd = ::memfd_create("measure", MFD_CLOEXEC);
  if (fd < 0) fail("cannot make shared memory");
  return made(fd, ranks, most_iterations);
}

std::optional<Region> Region::open_if_made(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) {
    if (errno == ENOENT) return std::nullopt;
    fail("cannot open " + path);
  }
  struct stat status {};
  if (::fstat(fd, &status) != 0 || static_cast<size_t>(status.st_size) < sizeof(RegionHead)) {
    ::close(fd);
    return std::nullopt;
  }
  Region region(fd, static_cast<size_t>(status.st_size));
  if (region.head_->ready.load(std::memory_order_acquire) != kReady) return std::nullopt;
  return region;
}

Region Region::open(const std::string& path) {
  std::optional<Region> region = open_if_made(path);
  if (!region) throw std::runtime_error(path + " is not the memory of a measurement");
  return std::move(*region);
}

Region Region::join(const std::string& path, int rank, int ranks, int most_iterations) {
  if (rank != 0) {
    for (const int64_t until = now_ns() + kPatienceNs; now_ns() < until; pause_ms()) {
      std::optional<Region> region = open_if_made(path);
      if (!region) continue;
      region->head_->joined.fetch_add(1);
      return std::move(*region);
    }
    throw std::runtime_error("rank 0 did not make " + path);
  }
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) fail("cannot make " + path);
  Region region = made(fd, ranks, most_iterations);
  const auto others = static_cast<uint32_t>(ranks - 1);
  const int64_t until = now_ns() + kPatienceNs;
  while (region.head_->joined.load() < others && now_ns() < until) pause_ms();
  ::unlink(path.c_str());
  if (region.head_->joined.load() < others) throw std::runtime_error("not all ranks came to " + path);
  return region;
}

std::string Region::path() const {
  return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(fd_);
}

Span* Region::spans(int rank) const {
  return reinterpret_cast<Span*>(seats() + 2 * ranks()) + static_cast<ptrdiff_t>(rank) * most_iterations();
}

}  // namespace measure
