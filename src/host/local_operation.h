// A collective in a group of one: what its definition says, which is a copy.
#pragma once

#include <cstring>

#include "host/call.h"
#include "host/operation.h"

namespace ps {

class LocalOperation final : public Operation {
 public:
  explicit LocalOperation(Call&& call) : call_(std::move(call)) {}

  bool step() override {
    const std::byte* from = call_.input.at(0);
    std::byte* to = call_.output.at(0);
    const size_t bytes = call_.output.size(0);
    if (bytes == 0) return true;
    if (call_.kernel != nullptr) {
      const void* source = from;
      call_.kernel(to, &source, 1, bytes / call_.element, &call_.scale);
    } else if (to != from) {
      std::memcpy(to, from, bytes);
    }
    return true;
  }
  std::vector<int> awaited() const override { return {}; }

 private:
  Call call_;
};

}  // namespace ps
