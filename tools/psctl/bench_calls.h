// The operations of the C API as subjects of a measurement.
#pragma once

#include <parallelstate.h>

#include "measure/subject.h"

namespace psctl {

class BenchCalls final : public measure::Patterned {
 public:
  BenchCalls(psGroup group, int rank, void* send, void* recv) : Patterned(rank, send, recv), group_(group) {}
  void prepare(const measure::Shape& shape) override;
  void run() override;

 private:
  psResult call();

  psGroup group_;
  psDataType dtype_ = PS_FLOAT32;
};

}  // namespace psctl
