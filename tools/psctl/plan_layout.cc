#include "plan_layout.h"

#include <fmt/format.h>

#include <algorithm>

namespace psctl {
namespace {

// The library's text begins with the function that was called, which a user of the command did not call.
std::string reason() {
  const std::string_view text = psLastError();
  const size_t colon = text.find(": ");
  const bool is_function = colon != std::string_view::npos && text.starts_with("ps");
  return std::string(is_function ? text.substr(colon + 2) : text);
}

void check(psResult result) {
  if (result < 0) throw Refusal(reason());
}

std::string take_text(psBytes bytes) {
  const void* data = nullptr;
  size_t size = 0;
  const psResult result = psBytesAt(bytes, 0, &data, &size, nullptr);
  std::string text = result < 0 ? "" : std::string(static_cast<const char*>(data), size);
  psBytesFree(bytes);
  check(result);
  return text;
}

}  // namespace

PlannedLayout::PlannedLayout(const std::string& spec, int32_t world) : world_(world) {
  check(psLayoutCreate(spec.c_str(), world, &handle_));
  psLayoutInfo info = PS_LAYOUT_INFO_INIT;
  check(psGetLayoutInfo(handle_, &info));
  spec_ = info.spec;
  hash_ = fmt::format("{:016x}", info.hash);
  for (size_t i = 0; i < info.name_count; ++i) {
    const char* name = nullptr;
    const char* alias_of = nullptr;
    check(psLayoutName(handle_, i, &name, &alias_of));
    names_.push_back({name, alias_of == nullptr ? "" : alias_of});
  }
  for (size_t i = 0; i < info.axis_count; ++i) {
    const char* name = nullptr;
    int32_t size = 0;
    check(psLayoutAxis(handle_, i, &name, &size));
    axes_.push_back({name, size});
  }
}

const PlannedLayout::Name* PlannedLayout::find_name(const std::string& name) const {
  const auto found = std::ranges::find(names_, name, &Name::name);
  return found == names_.end() ? nullptr : &*found;
}

const std::string& PlannedLayout::own_name(const Name& name) const {
  const Name* own = &name;
  while (!own->alias_of.empty()) own = find_name(own->alias_of);
  return own->name;
}

size_t PlannedLayout::group_count(const std::string& name) const {
  size_t count = 0;
  check(psLayoutGroupCount(handle_, name.c_str(), &count));
  return count;
}

size_t PlannedLayout::group_size(const std::string& name) const {
  size_t size = 0;
  check(psLayoutGroupRanks(handle_, name.c_str(), 0, nullptr, 0, &size));
  return size;
}

std::vector<int32_t> PlannedLayout::members(const std::string& name, size_t group) const {
  std::vector<int32_t> ranks(group_size(name));
  size_t size = 0;
  check(psLayoutGroupRanks(handle_, name.c_str(), group, ranks.data(), ranks.size(), &size));
  return ranks;
}

Groups PlannedLayout::groups(const std::string& name) const {
  Groups groups{name, group_count(name), group_size(name), {}};
  groups.ranks.resize(groups.count * groups.size);
  for (size_t i = 0; i < groups.count; ++i) {
    size_t size = 0;
    check(psLayoutGroupRanks(handle_, name.c_str(), i, groups.ranks.data() + i * groups.size, groups.size, &size));
  }
  return groups;
}

bool PlannedLayout::find(const std::string& name, int32_t rank, Place& place) const {
  group_count(name);  // a name that does not exist is refused; after this NOT_FOUND is about the rank
  const psResult result = psLayoutFind(handle_, name.c_str(), rank, &place.group, &place.index);
  if (result == PS_ERR_NOT_FOUND) return false;
  check(result);
  return true;
}

int32_t PlannedLayout::coordinate(const std::string& axis, int32_t rank) const {
  int32_t coordinate = -1;
  const psResult result = psLayoutCoordinate(handle_, axis.c_str(), rank, &coordinate);
  if (result != PS_ERR_NOT_FOUND) check(result);
  return coordinate;
}

std::string PlannedLayout::describe() const {
  psBytes json = nullptr;
  check(psLayoutDescribe(handle_, &json));
  return take_text(json);
}

std::string PlannedLayout::difference(const PlannedLayout& other) const {
  psBytes json = nullptr;
  check(psLayoutDiff(handle_, other.handle_, &json));
  return take_text(json);
}

}  // namespace psctl
