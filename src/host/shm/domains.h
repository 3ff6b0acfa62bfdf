// The members of a group in nested blocks: those that share a third-level cache, the caches of a NUMA node, the nodes of
// the host. A block of more than kMostUnits units, or of members of which nothing is known, is cut into several, so that
// nobody has to look at many lines. Within a block the units talk to one of them, its leader, and with the rest of the
// host the leader alone does. (The hierarchy of Open MPI's xhc.)
//
// In the order of the domains every unit is a range, so a leader's members need no list.
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
  explicit Domains(const std::vector<CpuPlace>& places);

  struct Range {
    int begin;
    int end;
    int size() const { return end - begin; }
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

  int member_at(int position) const { return order_[static_cast<size_t>(position)]; }
  int position_of(int member) const { return position_of_[static_cast<size_t>(member)]; }

  // "((0 1) (2 3)) (4 5)": blocks in brackets.
  std::string describe() const;

 private:
  struct Unit {
    Range range;
    int parent = -1;
    Range parts{0, 0};  // in parts_; none of a member
  };

  int join(std::vector<int> units);
  std::span<const int> parts(const Unit& unit) const {
    return std::span(parts_).subspan(static_cast<size_t>(unit.parts.begin), static_cast<size_t>(unit.parts.size()));
  }
  int leader(const Unit& unit, int root) const;
  std::string describe(const Unit& unit) const;

  std::vector<int> order_;
  std::vector<int> position_of_;
  std::vector<Unit> units_;  // the members first, by position; each behind those it is made of, the whole last
  std::vector<int> parts_;   // the units that a unit is made of, unit by unit
};

}  // namespace ps
