// The groups of one name as a rule: which rank stands where is computed, never looked up, so that one group of a layout
// of a million ranks costs no more than one of eight.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace ps::layout {

// A digit of a rank: the rank grows by `stride` when it grows by one.
struct Dimension {
  int64_t size;
  int64_t stride;
};

struct Place {
  int64_t group;  // its number in the list of groups
  int64_t index;  // the rank's place among the members
};

class Rule {
 public:
  // Members vary over `members`, the list of groups over `groups`, each fastest first. Together they are all digits of
  // the ranks offset .. offset + product of the sizes - 1.
  Rule(int64_t offset, std::vector<Dimension> members, std::vector<Dimension> groups);

  // Every group cut in consecutive parts of size * distance members; in each part the members at this distance from one
  // another form a group of `size`. size * distance must divide the group's size; a distance other than 1 is for groups
  // along one axis.
  Rule subdivided(int64_t size, int64_t distance = 1) const;
  // Every `count` consecutive groups one after another in one, for groups that are listed along one axis, whose size
  // count must divide.
  Rule joined(int64_t count) const;
  // Only the members at these places, which ascend.
  Rule picked(std::vector<int64_t> places) const;

  int64_t group_count() const { return base_count_ * (base_size_ / cut_size_); }
  int64_t group_size() const { return places_.empty() ? cut_size_ : static_cast<int64_t>(places_.size()); }
  int64_t rank(int64_t group, int64_t index) const;
  // Nothing when the rank is in no group of this name.
  std::optional<Place> find(int64_t rank) const;

  // The groups of the list are the same ones in the same order.
  bool same_groups(const Rule& other) const;

 private:
  int64_t offset_;
  std::vector<Dimension> members_;  // in their only shortest form
  std::vector<Dimension> groups_;
  int64_t base_size_ = 1;
  int64_t base_count_ = 1;
  int64_t cut_size_;             // less than base_size_: parts of the base groups that no digits describe
  std::vector<int64_t> places_;  // empty: all
};

}  // namespace ps::layout
