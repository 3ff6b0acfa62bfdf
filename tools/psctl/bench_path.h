// Which algorithm would run an operation, read from the dispatch table that the library reports about a world.
#pragma once

#include <parallelstate.h>

#include <nlohmann/json.hpp>
#include <string>

#include "measure/shape.h"

namespace psctl {

class DispatchTable {
 public:
  explicit DispatchTable(psContext context);
  // "" when the table does not say: it has no rows that fit, or columns that this program does not know.
  std::string path(const measure::Shape& shape) const;

 private:
  nlohmann::json rows_;
  bool is_crowded_ = false;
};

}  // namespace psctl
