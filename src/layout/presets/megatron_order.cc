#include "layout/presets/megatron_order.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

namespace ps::layout {
namespace {

constexpr std::array<const char*, 5> kAxes = {"tp", "cp", "ep", "dp", "pp"};

int64_t size_of(const MegatronSizes& sizes, std::string_view axis) {
  if (axis == "tp") return sizes.tp;
  if (axis == "cp") return sizes.cp;
  if (axis == "ep") return sizes.ep;
  if (axis == "dp") return sizes.dp;
  return sizes.pp;
}

std::string lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

}  // namespace

MegatronOrder::MegatronOrder(const Sizes& sizes, const MegatronSizes& dense, const MegatronSizes& experts) {
  const Entry* entry = sizes.text("order");
  const std::string text = entry == nullptr ? kDefault : lower(entry->value);
  position_ = entry == nullptr ? sizes.spec().preset().position : entry->position;
  for (const std::string_view axis : split(text, '-')) {
    if (std::find(kAxes.begin(), kAxes.end(), axis) == kAxes.end()) {
      sizes.spec().refuse(position_, fmt::format("order={} has the unknown axis '{}'; there are {}, joined by '-'",
                                                 shown(text), shown(axis), fmt::join(kAxes, ", ")));
    }
    if (std::find(axes_.begin(), axes_.end(), axis) != axes_.end()) {
      sizes.spec().refuse(position_, fmt::format("order={} has axis '{}' twice", shown(text), axis));
    }
    axes_.emplace_back(axis);
  }
  const auto size_in_either = [&](std::string_view axis) {
    return std::max(size_of(dense, axis), size_of(experts, axis));
  };
  for (const char* axis : kAxes) {
    if (std::find(axes_.begin(), axes_.end(), axis) != axes_.end()) continue;
    const int64_t size = size_in_either(axis);
    if (size > 1) {
      sizes.spec().refuse(position_, fmt::format("order={} lacks the axis '{}', whose size is {}; try order={}-{}", text,
                                                 axis, size, text, axis));
    }
    axes_.emplace_back(axis);
  }
  normalise(dense, experts);
}

// Equal layouts have equal orders: an axis of size 1 may stand anywhere, and two neighbours may change places when no
// grid has both of them. What remains is sorted as far as that allows.
void MegatronOrder::normalise(const MegatronSizes& dense, const MegatronSizes& experts) {
  const auto in_dense = [&](std::string_view axis) {
    return size_of(dense, axis) > 1 || (axis == "tp" && dense.gtp > 1);
  };
  const auto in_experts = [&](std::string_view axis) {
    return size_of(experts, axis) > 1 || (axis == "ep" && experts.gtp > 1);
  };
  const auto met = [&](std::string_view one, std::string_view other) {
    return (in_dense(one) && in_dense(other)) || (in_experts(one) && in_experts(other));
  };
  std::vector<std::string> left = std::move(axes_);
  std::erase_if(left, [&](const std::string& axis) { return !in_dense(axis) && !in_experts(axis); });
  std::vector<std::string> standard;
  for (const char* axis : kAxes) {
    if (std::find(left.begin(), left.end(), axis) != left.end()) standard.emplace_back(axis);
  }
  axes_.clear();
  while (!left.empty()) {
    const auto free = [&](const std::string& axis) {
      const auto at = std::find(left.begin(), left.end(), axis);
      return at != left.end() &&
             std::none_of(left.begin(), at, [&](const std::string& each) { return met(each, axis); });
    };
    const std::string next = *std::find_if(standard.begin(), standard.end(), free);
    std::erase(left, next);
    axes_.push_back(next);
  }
  is_default_ = axes_ == standard;
}

std::string MegatronOrder::text() const { return fmt::format("{}", fmt::join(axes_, "-")); }

Grid MegatronOrder::grid(std::string name, int64_t offset, const MegatronSizes& sizes, bool experts) const {
  const std::string_view foreign = experts ? "cp" : "ep";
  const std::string_view before_gtp = experts ? "ep" : "tp";
  std::vector<std::string> order = axes_;
  for (const char* axis : kAxes) {
    if (!has(axis)) order.emplace_back(axis);
  }
  std::vector<Grid::Size> axes;
  for (const std::string& axis : order) {
    if (axis != foreign) axes.push_back({axis, size_of(sizes, axis)});
    if (axis == before_gtp && sizes.gtp > 1) axes.push_back({"gtp_remat", sizes.gtp});
  }
  return Grid::leftmost_fastest(std::move(name), offset, axes);
}

}  // namespace ps::layout
