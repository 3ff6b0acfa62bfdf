// Memory that ranks of one host share: a sealed memfd between processes (no name, no /dev/shm limit, nothing to leave
// behind), plain anonymous memory between the threads of one process.
#pragma once

#include <cstddef>
#include <memory>

#include "base/descriptor.h"

namespace ps {

class SharedMemory {
 public:
  // Both are zeroed. Pages are taken at first touch. Errors: SYSTEM with the bytes wanted.
  static std::shared_ptr<SharedMemory> create_for_processes(const char* name, size_t size);
  static std::shared_ptr<SharedMemory> create_in_process(size_t size);
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

  // Takes the pages now: the first touch of a page costs many times what copying it does.
  void prefault(size_t offset, size_t size) const;

 private:
  SharedMemory(Descriptor descriptor, size_t size);
  SharedMemory(std::shared_ptr<SharedMemory> whole, size_t offset, size_t size);

  std::shared_ptr<SharedMemory> whole_;  // of a part
  Descriptor descriptor_;
  std::byte* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace ps
