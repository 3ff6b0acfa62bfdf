#include "control/shared_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/error.h"
#include "base/pages.h"
#include "control/memory_room.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

namespace ps {
namespace {

constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

[[noreturn]] void fail_mapping(size_t size) {
  if (errno == ENOMEM || errno == ENOSPC) fail_no_memory(size, "a mapping");
  fail_errno("cannot map {} bytes of shared memory", size);
}

}  // namespace

bool take_pages_by_reading(const std::byte* begin, const std::byte* end) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return false;
  const Descriptor out(ends[0]);
  const Descriptor in(ends[1]);
  for (const std::byte* page = begin; page < end; page += kPage) {
    std::byte byte{};
    if (::write(in.get(), page, 1) != 1 || ::read(out.get(), &byte, 1) != 1) return false;
  }
  return true;
}

SharedMemory::SharedMemory(Descriptor descriptor, size_t size) : descriptor_(std::move(descriptor)), size_(size) {
  const int flags = MAP_SHARED | (descriptor_ ? 0 : MAP_ANONYMOUS) | MAP_NORESERVE;
  void* address = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, flags, descriptor_.get(), 0);
  if (address == MAP_FAILED) fail_mapping(size);
  data_ = static_cast<std::byte*>(address);
  // A forked child may not use the library, so it should not hold the memory either.
  ::madvise(address, size, MADV_DONTFORK);
}

SharedMemory::SharedMemory(std::shared_ptr<SharedMemory> whole, size_t offset, size_t size)
    : whole_(std::move(whole)), data_(whole_->data_ + offset), size_(size) {}

SharedMemory::~SharedMemory() {
  if (!whole_) ::munmap(data_, size_);
}

std::shared_ptr<SharedMemory> SharedMemory::part(std::shared_ptr<SharedMemory> whole, size_t offset, size_t size) {
  return std::shared_ptr<SharedMemory>(new SharedMemory(std::move(whole), offset, size));
}

std::shared_ptr<SharedMemory> SharedMemory::create_for_processes(const char* name, size_t size) {
  Descriptor memfd(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL));
  if (!memfd && errno == EINVAL) memfd = Descriptor(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!memfd) fail_errno("memfd_create failed for {} bytes of shared memory", size);
  if (::ftruncate(memfd.get(), static_cast<off_t>(size)) != 0) fail_errno("cannot size shared memory to {} bytes", size);
  if (::fcntl(memfd.get(), F_ADD_SEALS, kSeals) != 0) fail_errno("cannot seal shared memory of {} bytes", size);
  return std::shared_ptr<SharedMemory>(new SharedMemory(std::move(memfd), size));
}

std::shared_ptr<SharedMemory> SharedMemory::create_in_process(size_t size) {
  return std::shared_ptr<SharedMemory>(new SharedMemory(Descriptor(), size));
}

std::shared_ptr<SharedMemory> SharedMemory::adopt(Descriptor memfd, size_t size) {
  struct stat status;
  if (::fstat(memfd.get(), &status) != 0) fail_errno("cannot inspect the shared memory received from a peer");
  const int seals = ::fcntl(memfd.get(), F_GET_SEALS);
  if (seals < 0 || (seals & kSeals) != kSeals || static_cast<size_t>(status.st_size) != size) {
    fail(PS_ERR_SYSTEM, "a peer sent shared memory of {} bytes with seals {:#x}; expected {} bytes, seals {:#x}",
         status.st_size, seals, size, kSeals);
  }
  return std::shared_ptr<SharedMemory>(new SharedMemory(std::move(memfd), size));
}

void SharedMemory::prefault(size_t offset, size_t size, const char* what) const {
  const size_t begin = offset / kPage * kPage;
  const size_t end = whole_pages(std::min(offset + size, size_));
  if (end <= begin) return;
  while (::madvise(data_ + begin, end - begin, MADV_POPULATE_WRITE) != 0) {
    if (errno == EINTR || errno == EAGAIN) continue;
    // Kernels before 5.14 lack it.
    if (errno == EINVAL && take_pages_by_reading(data_ + begin, data_ + end)) return;
    fail_no_memory(end - begin, what);
  }
}

}  // namespace ps
