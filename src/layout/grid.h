// A grid of named axes over consecutive ranks. Every rank of the grid has one coordinate on each axis.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "layout/rule.h"

namespace ps::layout {

struct Axis {
  std::string name;  // "" for one that nobody may ask for
  int64_t size = 1;
  int64_t stride = 1;  // between ranks that differ by one on this axis
};

class Grid {
 public:
  struct Size {
    std::string name;
    int64_t size;
  };

  // The first axis varies fastest.
  static Grid leftmost_fastest(std::string name, int64_t offset, const std::vector<Size>& sizes);
  // The last axis varies fastest, as in a row-major array.
  static Grid rightmost_fastest(std::string name, int64_t offset, const std::vector<Size>& sizes);

  const std::string& name() const { return name_; }       // "" for the base grid
  int64_t offset() const { return offset_; }               // its first rank
  int64_t size() const { return size_; }                   // how many ranks it has
  const std::vector<Axis>& axes() const { return axes_; }  // in the order in which they were given
  const Axis* find(std::string_view axis) const;

  // The coordinate of a rank, which must be in the grid.
  int64_t coordinate(const Axis& axis, int64_t rank) const { return (rank - offset_) / axis.stride % axis.size; }
  bool contains(int64_t rank) const { return rank >= offset_ && rank < offset_ + size_; }

  // Members vary over the named axes, in the grid's own order whatever the order of the names, fastest first; the
  // groups are enumerated over the other axes in the same way.
  Rule merged(const std::vector<std::string_view>& names) const;
  // Members and groups in the orders given, fastest first. The axes that are not named must have size 1.
  Rule ordered(const std::vector<std::string_view>& members, const std::vector<std::string_view>& groups) const;

 private:
  Grid(std::string name, int64_t offset) : name_(std::move(name)), offset_(offset) {}
  Dimension dimension(std::string_view axis) const;

  std::string name_;
  int64_t offset_;
  int64_t size_ = 1;
  std::vector<Axis> axes_;
};

}  // namespace ps::layout
