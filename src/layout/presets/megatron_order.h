// Megatron's order string: "tp-cp-ep-dp-pp", leftmost axis fastest, in any case.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "layout/grid.h"
#include "layout/sizes.h"

namespace ps::layout {

// The sizes of one factorisation: the dense one (ep is 1) or the experts' (cp is 1).
struct MegatronSizes {
  int64_t tp, cp, ep, dp, pp, gtp;
};

class MegatronOrder {
 public:
  static constexpr char kDefault[] = "tp-cp-ep-dp-pp";

  // Refuses unknown and repeated axes, and an order that lacks an axis whose size is not 1.
  MegatronOrder(const Sizes& sizes, const MegatronSizes& dense, const MegatronSizes& experts);

  // Without the axes of size 1.
  std::string text() const;
  bool is_default() const { return is_default_; }
  size_t position() const { return position_; }
  bool pp_is_last() const { return axes_.empty() || axes_.back() == "pp" || !has("pp"); }
  // gtp stands just right of tp in the dense grid, just right of ep in the experts'. The dense grid has no ep, the
  // experts' no cp.
  Grid grid(std::string name, int64_t offset, const MegatronSizes& sizes, bool experts) const;

 private:
  void normalise(const MegatronSizes& dense, const MegatronSizes& experts);
  bool has(std::string_view axis) const { return std::find(axes_.begin(), axes_.end(), axis) != axes_.end(); }

  std::vector<std::string> axes_;
  bool is_default_ = true;
  size_t position_;
};

}  // namespace ps::layout
