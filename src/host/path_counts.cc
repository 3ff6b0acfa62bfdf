#include "host/path_counts.h"

namespace ps {

const char* path_name(Path path) {
  switch (path) {
    case Path::kDirect: return "direct";
    case Path::kCopy: return "copy";
    case Path::kEager: return "eager";
    case Path::kPieces: return "pieces";
    case Path::kLent: return "lent";
    default: return algorithm_name(static_cast<Algorithm>(path));
  }
}

}  // namespace ps
