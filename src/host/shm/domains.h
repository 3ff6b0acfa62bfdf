// The members of a group in nested blocks: those that share a third-level cache, the caches of a NUMA node, the nodes of
// the host. A block of more than kMostUnits units, or of members of which nothing is known, is cut into several, so that
// nobody has to look at many lines. Within a block the units talk to one of them, its leader, and with the rest of the
// host the leader alone does. (The hierarchy of Open MPI's xhc.)
//
// In the order of the domains every block is a range. Every rank keeps them for all members of each group, so kept is on
// each level where its blocks begin, an eighth as many as a level below, and all else is found from that.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "control/cpu_place.h"

namespace ps {

class Domains {
 public:
  static constexpr int kMostUnits = 8;

  // Of each member in the group's order.
  explicit Domains(std::span<const CpuPlace> places);

  struct Range {
    int begin;
    int end;
    int size() const { return end - begin; }
    bool contains(int position) const { return begin <= position && position < end; }
    bool operator==(const Range&) const = default;
  };
  struct Child {
    int member;
    Range range;  // the members it stands for, itself among them
  };
  // A member's place in the tree of leaders in which `root` leads every block it is in, and elsewhere the first member.
  struct Family {
    int parent = -1;              // -1: it is the root
    Range range{0, 0};            // the members it stands for
    std::vector<Child> children;  // the nearest first
  };
  Family family(int member, int root) const;
  int parent(int member, int root) const { return family(member, root).parent; }

  int member_at(int position) const { return order_.empty() ? position : order_[static_cast<size_t>(position)]; }
  int position_of(int member) const { return position_of_.empty() ? member : position_of_[static_cast<size_t>(member)]; }

  // "((0 1) (2 3)) (4 5)": blocks in brackets.
  std::string describe() const;

 private:
  // Of each unit the first position, and behind them the number of members.
  using Bounds = std::vector<int>;

  // Adds levels until each of `domains`, whose bounds are among those of the last level, is one block.
  void join(const Bounds& domains);
  // Level 0 are the members themselves.
  int levels() const { return static_cast<int>(bounds_.size()); }
  Range unit_at(int level, int position) const;
  // Calls visit(unit) for the units of a level in a range.
  template <class Visit>
  void visit_units(int level, Range within, Visit&& visit) const {
    for (Range unit{within.begin, within.begin}; unit.end < within.end;) visit(unit = unit_at(level, unit.end));
  }
  int leader(Range block, int root) const;
  std::string describe(int level, Range block) const;

  int size_;
  // None where it is the group's.
  std::vector<int> order_;
  std::vector<int> position_of_;
  std::vector<Bounds> bounds_;  // of each level from the first on; a level's are among those of the one below
};

}  // namespace ps
