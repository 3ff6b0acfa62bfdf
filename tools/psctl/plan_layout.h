// A layout as the public interface tells it, with the library's own words for what it refuses.
#pragma once

#include <parallelstate.h>

#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace psctl {

// Something the user asked for that cannot be: exit code 2.
struct Refusal : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// All groups of one name, which have one size.
struct Groups {
  std::string name;
  size_t count = 0;
  size_t size = 0;
  std::vector<int32_t> ranks;  // group after group

  std::span<const int32_t> at(size_t group) const { return std::span(ranks).subspan(group * size, size); }
};

class PlannedLayout {
 public:
  struct Name {
    std::string name;
    std::string alias_of;  // "" for a name of its own
  };
  struct Axis {
    std::string name;
    int32_t size;
  };
  struct Place {
    size_t group;
    int32_t index;
  };

  PlannedLayout(const std::string& spec, int32_t world);
  PlannedLayout(const PlannedLayout&) = delete;
  ~PlannedLayout() { psLayoutFree(handle_); }

  const std::string& spec() const { return spec_; }  // canonical
  int32_t world() const { return world_; }
  const std::string& hash() const { return hash_; }  // hexadecimal
  const std::vector<Name>& names() const { return names_; }
  const std::vector<Axis>& axes() const { return axes_; }

  bool is_listed(const std::string& name) const { return find_name(name) != nullptr; }
  // An alias may be one of another alias: the name at the end.
  const std::string& own_name(const Name& name) const;

  // Of a listed or merged name; refuses others with the list of names.
  Groups groups(const std::string& name) const;
  size_t group_count(const std::string& name) const;
  size_t group_size(const std::string& name) const;
  std::vector<int32_t> members(const std::string& name, size_t group) const;
  // False when the rank is in no group of the name.
  bool find(const std::string& name, int32_t rank, Place& place) const;
  // Nothing (-1) for a rank that is on no axis.
  int32_t coordinate(const std::string& axis, int32_t rank) const;

  std::string describe() const;
  std::string difference(const PlannedLayout& other) const;

 private:
  const Name* find_name(const std::string& name) const;

  psLayout handle_ = nullptr;
  std::string spec_;
  int32_t world_;
  std::string hash_;
  std::vector<Name> names_;
  std::vector<Axis> axes_;
};

}  // namespace psctl
