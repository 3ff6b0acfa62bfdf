// A layout: which ranks of a world form which named groups. Immutable, made from a spec and a world size alone.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "layout/plan.h"

namespace ps::layout {

class Layout {
 public:
  // PS_ERR_ARGUMENT with the axis, the arithmetic, what would work and the position in the text.
  Layout(std::string_view spec, int64_t world);
  Layout(const Layout&) = delete;
  Layout& operator=(const Layout&) = delete;

  const std::string& spec() const { return plan_.spec; }  // canonical
  int64_t world() const { return world_; }
  // Of the canonical spec and the world's size; the same in every build and language.
  uint64_t hash() const { return hash_; }
  const std::vector<Name>& names() const { return plan_.names; }
  const std::vector<Grid>& grids() const { return plan_.grids; }

  // A listed name, or axes of one grid merged with '-' ("tp-cp"). PS_ERR_NOT_FOUND lists the names.
  Rule rule(std::string_view name) const;
  // "tp", or "view.axis"; the view may be left out where the name is unique. PS_ERR_NOT_FOUND lists the axes.
  int64_t coordinate(std::string_view axis, int64_t rank) const;

  struct NamedAxis {
    std::string name;  // "tp", "expert.ep"
    const Grid* grid;
    const Axis* axis;
  };
  const std::vector<NamedAxis>& axes() const { return axes_; }

 private:
  Plan plan_;
  std::vector<NamedAxis> axes_;  // pointing into the plan
  int64_t world_;
  uint64_t hash_;
};

}  // namespace ps::layout
