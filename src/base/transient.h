// Memory for what is large for a moment, as everything that the ranks of a world say of themselves while it forms. It
// has pages of its own, which go back to the system when it is freed: in the heap it would stay a hole under what was
// allocated after it, in every process for as long as that runs.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <new>
#include <string>
#include <vector>

#include "base/pages.h"

namespace ps {

template <class T>
class TransientAllocator {
 public:
  using value_type = T;

  TransientAllocator() = default;
  template <class Other>
  TransientAllocator(const TransientAllocator<Other>&) {}

  T* allocate(size_t count) {
    if (count > kMost) throw std::bad_alloc();
    const size_t bytes = count * sizeof(T);
    if (!is_large(bytes)) return static_cast<T*>(::operator new(bytes));
    void* const pages = ::mmap(nullptr, whole_pages(bytes), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) throw std::bad_alloc();
    return static_cast<T*>(pages);
  }
  void deallocate(T* memory, size_t count) {
    const size_t bytes = count * sizeof(T);
    if (is_large(bytes)) {
      ::munmap(memory, whole_pages(bytes));
    } else {
      ::operator delete(memory);
    }
  }

  bool operator==(const TransientAllocator&) const { return true; }

 private:
  static constexpr size_t kMost = (SIZE_MAX - kPage) / sizeof(T);
  static constexpr bool is_large(size_t bytes) { return bytes >= kPage; }
  static_assert(alignof(T) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__);
};

using TransientBytes = std::basic_string<char, std::char_traits<char>, TransientAllocator<char>>;
template <class T>
using TransientVector = std::vector<T, TransientAllocator<T>>;

}  // namespace ps
