// Where a request keeps its operation: built in place, so that a small collective costs no allocation.
#pragma once

#include <cstddef>
#include <new>
#include <utility>

#include "host/operation.h"

namespace ps {

class OperationSlot {
 public:
  OperationSlot() = default;
  ~OperationSlot() {
    if (operation_ != nullptr) operation_->~Operation();
  }
  OperationSlot(const OperationSlot&) = delete;
  OperationSlot& operator=(const OperationSlot&) = delete;

  // Once.
  template <class T, class... Arguments>
  T& emplace(Arguments&&... arguments) {
    static_assert(sizeof(T) <= kBytes && alignof(T) <= alignof(std::max_align_t));
    T* const made = new (storage_) T(std::forward<Arguments>(arguments)...);
    operation_ = made;
    return *made;
  }
  Operation* get() const { return operation_; }

 private:
  static constexpr size_t kBytes = 512;
  alignas(std::max_align_t) std::byte storage_[kBytes];
  Operation* operation_ = nullptr;
};

}  // namespace ps
