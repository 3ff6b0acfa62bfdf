#include "measure/subject.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include <algorithm>
#include <stdexcept>
#include <string>

namespace measure {
namespace {

constexpr int kSpoilt = 0x5a;

}  // namespace

void Patterned::prepare(const Shape& shape) {
  shape_ = shape;
  if (const size_t bytes = shape.recv_bytes(rank_); bytes > 0) ::memset(recv_, kSpoilt, bytes);
}

PlainMemory::PlainMemory(size_t bytes) : bytes_(std::max<size_t>(bytes, 1)) {
  data_ = ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (data_ == MAP_FAILED) {
    throw std::runtime_error("cannot get " + std::to_string(bytes_) + " bytes for a buffer: " + ::strerror(errno));
  }
}

PlainMemory::~PlainMemory() { ::munmap(data_, bytes_); }

}  // namespace measure
