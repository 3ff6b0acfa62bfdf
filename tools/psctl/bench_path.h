// Which way the library moved the data of a measurement, from what it counts itself (psDescribe).
#pragma once

#include <parallelstate.h>

#include <map>
#include <set>
#include <string>

#include "measure/shape.h"

namespace psctl {

class PathsTaken {
 public:
  // `group` of `context`, on this rank.
  PathsTaken(psContext context, psGroup group);
  // Notes the ways that this rank's operations of a point went since the last call.
  void note(const measure::Shape& shape, std::set<std::string>& paths);

 private:
  using Counts = std::map<std::string, uint64_t>;  // by path
  std::map<std::string, Counts> read() const;      // by operation

  psContext context_;
  std::string group_;
  std::map<std::string, Counts> seen_;
};

// "" for none, as of a rank that has no partner; several where points went both ways.
std::string paths_text(const std::set<std::string>& paths);

}  // namespace psctl
