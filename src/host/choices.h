// What the dispatch table comes to on one plane: for each operation the rows that its algorithms can run, cut to what they
// can, and without what never comes into play.
#pragma once

#include <array>
#include <functional>
#include <string_view>
#include <vector>

#include "host/dispatch.h"

namespace ps {

class Choices {
 public:
  // The most bytes of a member with which the algorithm of a row can run an operation; none: it cannot, or should not.
  using Limit = std::function<std::optional<size_t>(const DispatchRow&, Kind)>;
  // `plane`: as dispatch rules name it, a name that lasts. `size`: of the group. `crowded`: as all its members see it.
  Choices(const Dispatch& dispatch, std::string_view plane, int size, bool crowded, const Limit& limit);

  // For a call in which no member contributes more; SIZE_MAX where no other could know.
  std::optional<Algorithm> find(Kind kind, size_t bytes) const {
    for (const Choice& choice : choices_[static_cast<size_t>(kind)]) {
      if (bytes <= choice.most_bytes) return choice.algorithm;
    }
    return std::nullopt;
  }
  // See Plane::in_force.
  std::vector<DispatchRow> rows() const;

 private:
  struct Choice {
    size_t most_bytes;
    Algorithm algorithm;
  };

  std::string_view plane_;
  int size_;
  std::array<std::vector<Choice>, static_cast<size_t>(Kind::kBarrier) + 1> choices_;  // by kind
};

}  // namespace ps
