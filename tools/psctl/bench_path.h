// Which algorithm would run an operation, read from the dispatch table that the library reports about itself.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "measure/shape.h"

namespace psctl {

class DispatchTable {
 public:
  // Of this library.
  DispatchTable();
  // "" when the table does not say: it has no rows that fit, or columns that this program does not know.
  std::string path(const measure::Shape& shape) const;

 private:
  nlohmann::json rows_;
};

}  // namespace psctl
