#include "layout/rule.h"

#include <algorithm>

namespace ps::layout {
namespace {

int64_t product(const std::vector<Dimension>& dimensions) {
  int64_t result = 1;
  for (const Dimension& each : dimensions) result *= each.size;
  return result;
}

// What the digits of `number` add to a rank.
int64_t displacement(const std::vector<Dimension>& dimensions, int64_t number) {
  int64_t result = 0;
  for (const Dimension& each : dimensions) {
    result += number % each.size * each.stride;
    number /= each.size;
  }
  return result;
}

// The inverse: the number whose digits these are.
int64_t number_of(const std::vector<Dimension>& dimensions, int64_t rank) {
  int64_t number = 0;
  int64_t unit = 1;
  for (const Dimension& each : dimensions) {
    number += rank / each.stride % each.size * unit;
    unit *= each.size;
  }
  return number;
}

// Without digits of size 1, neighbours that count on from one another as one digit: the only such form of a sequence of
// ranks.
std::vector<Dimension> normalised(const std::vector<Dimension>& dimensions) {
  std::vector<Dimension> result;
  for (const Dimension& each : dimensions) {
    if (each.size == 1) continue;
    if (!result.empty() && result.back().stride * result.back().size == each.stride) {
      result.back().size *= each.size;
    } else {
      result.push_back(each);
    }
  }
  return result;
}

bool equal(const std::vector<Dimension>& a, const std::vector<Dimension>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Dimension& one, const Dimension& other) {
    return one.size == other.size && one.stride == other.stride;
  });
}

struct Halves {
  std::vector<Dimension> low;
  std::vector<Dimension> high;
};

// The digits that count to `size`, and those above. Nothing when the boundary is inside a digit that it does not
// divide.
std::optional<Halves> split(const std::vector<Dimension>& dimensions, int64_t size) {
  Halves halves;
  for (const Dimension& each : dimensions) {
    if (size % each.size == 0) {
      halves.low.push_back(each);
      size /= each.size;
    } else if (each.size % size == 0) {
      halves.low.push_back({size, each.stride});
      halves.high.push_back({each.size / size, each.stride * size});
      size = 1;
    } else {
      return std::nullopt;
    }
  }
  return halves;
}

std::vector<Dimension> concatenated(std::vector<Dimension> low, const std::vector<Dimension>& high) {
  low.insert(low.end(), high.begin(), high.end());
  return low;
}

}  // namespace

Rule::Rule(int64_t offset, std::vector<Dimension> members, std::vector<Dimension> groups)
    : offset_(offset), members_(normalised(members)), groups_(normalised(groups)) {
  base_size_ = product(members_);
  base_count_ = product(groups_);
  cut_size_ = base_size_;
}

Rule Rule::subdivided(int64_t size, int64_t distance) const {
  const Halves phase_first = split(members_, distance).value();
  const std::optional<Halves> parts = split(phase_first.high, size);
  if (parts) {
    return Rule(offset_, parts->low, concatenated(concatenated(phase_first.low, parts->high), groups_));
  }
  Rule result = *this;
  result.cut_size_ = size;
  return result;
}

Rule Rule::joined(int64_t count) const {
  const Halves halves = split(groups_, count).value();
  return Rule(offset_, concatenated(members_, halves.low), halves.high);
}

Rule Rule::picked(std::vector<int64_t> places) const {
  Rule result = *this;
  result.places_ = std::move(places);
  return result;
}

int64_t Rule::rank(int64_t group, int64_t index) const {
  if (!places_.empty()) index = places_[static_cast<size_t>(index)];
  if (cut_size_ != base_size_) {
    const int64_t cuts = base_size_ / cut_size_;
    index += group % cuts * cut_size_;
    group /= cuts;
  }
  return offset_ + displacement(members_, index) + displacement(groups_, group);
}

std::optional<Place> Rule::find(int64_t rank) const {
  const int64_t place = rank - offset_;
  if (place < 0 || place >= base_size_ * base_count_) return std::nullopt;
  const int64_t member = number_of(members_, place);
  const int64_t group = number_of(groups_, place) * (base_size_ / cut_size_) + member / cut_size_;
  int64_t index = member % cut_size_;
  if (!places_.empty()) {
    const auto found = std::lower_bound(places_.begin(), places_.end(), index);
    if (found == places_.end() || *found != index) return std::nullopt;
    index = found - places_.begin();
  }
  return Place{group, index};
}

bool Rule::same_groups(const Rule& other) const {
  if (group_count() != other.group_count() || group_size() != other.group_size()) return false;
  const bool same_parts = cut_size_ == other.cut_size_ && base_size_ == other.base_size_ && places_ == other.places_;
  if (same_parts && offset_ == other.offset_ && equal(members_, other.members_) && equal(groups_, other.groups_)) {
    return true;
  }
  const bool whole = cut_size_ == base_size_ && other.cut_size_ == other.base_size_ && places_.empty() &&
                     other.places_.empty();
  if (whole) return false;
  for (int64_t group = 0; group < group_count(); ++group) {
    for (int64_t index = 0; index < group_size(); ++index) {
      if (rank(group, index) != other.rank(group, index)) return false;
    }
  }
  return true;
}

}  // namespace ps::layout
