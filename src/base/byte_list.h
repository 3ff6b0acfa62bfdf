// The object behind psBytes: an immutable list of byte strings with one content type.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "parallelstate.h"

namespace ps {

struct ByteList {
  ByteList(psContentType content_type, std::vector<std::string> strings)
      : type(content_type), parts(std::move(strings)) {}

  const psContentType type;
  const std::vector<std::string> parts;
};

}  // namespace ps
