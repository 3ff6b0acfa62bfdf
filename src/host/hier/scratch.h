// Where a rank keeps what its host's ranks came to until it goes on between hosts: two chunks, so that one can be made while
// the other is on its way, and one for inputs that are combined in a wider type. Taken at first use.
#pragma once

#include <cstddef>
#include <memory>

namespace ps {

class Scratch {
 public:
  explicit Scratch(size_t chunk_bytes) : chunk_bytes_(chunk_bytes) {}

  size_t chunk_bytes() const { return chunk_bytes_; }
  std::byte* partial(int parity) { return memory() + static_cast<size_t>(parity) * chunk_bytes_; }
  std::byte* widened() { return memory() + 2 * chunk_bytes_; }

 private:
  std::byte* memory() {
    if (!memory_) memory_.reset(new std::byte[3 * chunk_bytes_]);  // not zeroed: pages come when they are written
    return memory_.get();
  }

  const size_t chunk_bytes_;
  std::unique_ptr<std::byte[]> memory_;
};

}  // namespace ps
