// Memory that ranks of one host share: a sealed memfd between processes (no name, no /dev/shm limit, nothing to leave
// behind), plain anonymous memory between the threads of one process.
#pragma once

#include <cstddef>
#include <memory>

#include "base/descriptor.h"

namespace ps {

// Takes the pages of a mapping without touching them: the kernel reads a byte of each for us. False where there is none to
// take, or no descriptor left. What prefault() does where the kernel cannot populate (before 5.14).
bool take_pages_by_reading(const std::byte* begin, const std::byte* end);

class SharedMemory {
 public:
  // Both are zeroed. Pages are taken at first touch; see prefault. Errors: NO_MEMORY, SYSTEM with the bytes wanted.
  static std::shared_ptr<SharedMemory> create_for_processes(const char* name, size_t size);
  static std::shared_ptr<SharedMemory> create_in_process(size_t size);
  // The one or the other.
  static std::shared_ptr<SharedMemory> create(bool in_process, const char* name, size_t size) {
    return in_process ? create_in_process(size) : create_for_processes(name, size);
  }
  // Maps what another process sent. Errors: SYSTEM unless it is a memfd of this size, sealed against resizing.
  static std::shared_ptr<SharedMemory> adopt(Descriptor memfd, size_t size);

  // A part of `whole`, which it keeps. Offset and size lie within it, at multiples of a page.
  static std::shared_ptr<SharedMemory> part(std::shared_ptr<SharedMemory> whole, size_t offset, size_t size);

  ~SharedMemory();
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;

  std::byte* data() const { return data_; }
  size_t size() const { return size_; }
  // -1 in one process, and once dropped.
  int descriptor() const { return descriptor_.get(); }
  // The mapping stays; a descriptor that everyone has received is only a number less for the host program.
  void drop_descriptor() { descriptor_.reset(); }

  // Takes the pages now, those that are not taken yet: the first touch of a page costs many times what copying it does,
  // and only here can it fail. A touch for which the kernel has no page is a SIGBUS, so whatever will be touched comes
  // here first, in the process that touches it first. Errors: NO_MEMORY; `what` begins the text.
  void prefault(size_t offset, size_t size, const char* what) const;

 private:
  SharedMemory(Descriptor descriptor, size_t size);
  SharedMemory(std::shared_ptr<SharedMemory> whole, size_t offset, size_t size);

  std::shared_ptr<SharedMemory> whole_;  // of a part
  Descriptor descriptor_;
  std::byte* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace ps
