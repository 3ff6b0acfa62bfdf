// Layouts: groups as data, with no context, no other rank and no device.
#include <fmt/format.h>

#include "api/guard.h"
#include "api/handle.h"
#include "api/structs.h"
#include "layout/describe.h"
#include "layout/pipeline_layers.h"

using namespace ps::api;

namespace {

constexpr size_t kLongestGroupName = 4096;

template <class List>
const auto& checked_at(const List& list, size_t index, const char* what) {
  if (index >= list.size()) ps::fail(PS_ERR_ARGUMENT, "{} {} of {}", what, index, list.size());
  return list[index];
}

// A name of any length from the caller, of which messages show the beginning.
std::string_view checked_name(const char* name) {
  require(name, "name");
  return std::string_view(name).substr(0, kLongestGroupName);
}

void check_rank(const ps::layout::Layout& layout, int32_t rank) {
  if (rank < 0 || rank >= layout.world()) {
    ps::fail(PS_ERR_ARGUMENT, "rank {} is not in the world 0 .. {}", rank, layout.world() - 1);
  }
}

}  // namespace

psResult psLayoutCreate(const char* spec, int32_t world_size, psLayout* layout) {
  return guard("psLayoutCreate", [&] {
    require(spec, "spec");
    require(layout, "layout");
    *layout = Pool<psLayoutImpl>::make(std::make_shared<ps::layout::Layout>(spec, world_size));
  });
}

psResult psLayoutFree(psLayout layout) {
  return guard("psLayoutFree", [&] {
    if (layout != nullptr) Pool<psLayoutImpl>::release(layout);
  });
}

psResult psGetLayoutInfo(psLayout layout, psLayoutInfo* info) {
  return guard("psGetLayoutInfo", [&] {
    const ps::layout::Layout& object = open(layout);
    require(info, "info");
    check_size(info, "psLayoutInfo");
    psLayoutInfo found{};
    found.world_size = static_cast<int32_t>(object.world());
    found.hash = object.hash();
    found.name_count = object.names().size();
    found.axis_count = object.axes().size();
    found.spec = object.spec().c_str();
    write_info(info, found);
  });
}

psResult psLayoutName(psLayout layout, size_t index, const char** name, const char** alias_of) {
  return guard("psLayoutName", [&] {
    const ps::layout::Name& found = checked_at(open(layout).names(), index, "name");
    require(name, "name");
    *name = found.name.c_str();
    if (alias_of != nullptr) *alias_of = found.alias_of.empty() ? nullptr : found.alias_of.c_str();
  });
}

psResult psLayoutAxis(psLayout layout, size_t index, const char** name, int32_t* size) {
  return guard("psLayoutAxis", [&] {
    const ps::layout::Layout::NamedAxis& found = checked_at(open(layout).axes(), index, "axis");
    require(name, "name");
    *name = found.name.c_str();
    if (size != nullptr) *size = static_cast<int32_t>(found.axis->size);
  });
}

psResult psLayoutGroupCount(psLayout layout, const char* name, size_t* count) {
  return guard("psLayoutGroupCount", [&] {
    const ps::layout::Layout& object = open(layout);
    require(count, "count");
    *count = static_cast<size_t>(object.rule(checked_name(name)).group_count());
  });
}

psResult psLayoutGroupRanks(psLayout layout, const char* name, size_t index, int32_t* global_ranks, size_t capacity,
                            size_t* count) {
  return guard("psLayoutGroupRanks", [&] {
    const ps::layout::Layout& object = open(layout);
    require(count, "count");
    const ps::layout::Rule rule = object.rule(checked_name(name));
    if (index >= static_cast<size_t>(rule.group_count())) {
      ps::fail(PS_ERR_ARGUMENT, "group {} of {} groups '{}'", index, rule.group_count(), name);
    }
    const auto size = static_cast<size_t>(rule.group_size());
    if (capacity > 0 && size > 0) require(global_ranks, "global_ranks");
    for (size_t i = 0; i < std::min(capacity, size); ++i) {
      global_ranks[i] = static_cast<int32_t>(rule.rank(static_cast<int64_t>(index), static_cast<int64_t>(i)));
    }
    *count = size;
  });
}

psResult psLayoutFind(psLayout layout, const char* name, int32_t global_rank, size_t* index, int32_t* rank) {
  return guard("psLayoutFind", [&] {
    const ps::layout::Layout& object = open(layout);
    const ps::layout::Rule rule = object.rule(checked_name(name));
    check_rank(object, global_rank);
    const auto place = rule.find(global_rank);
    if (!place) {
      ps::fail(PS_ERR_NOT_FOUND, "rank {} is in no group '{}' of layout '{}'", global_rank, ps::layout::shown(name),
               ps::layout::shown(object.spec(), 200));
    }
    if (index != nullptr) *index = static_cast<size_t>(place->group);
    if (rank != nullptr) *rank = static_cast<int32_t>(place->index);
  });
}

psResult psLayoutCoordinate(psLayout layout, const char* axis, int32_t global_rank, int32_t* coordinate) {
  return guard("psLayoutCoordinate", [&] {
    const ps::layout::Layout& object = open(layout);
    require(axis, "axis");
    require(coordinate, "coordinate");
    *coordinate = static_cast<int32_t>(object.coordinate(axis, global_rank));
  });
}

psResult psLayoutDescribe(psLayout layout, psBytes* json) {
  return guard("psLayoutDescribe", [&] {
    const ps::layout::Layout& object = open(layout);
    require(json, "json");
    *json = json_bytes(ps::layout::describe(object));
  });
}

psResult psLayoutDiff(psLayout layout, psLayout other, psBytes* json) {
  return guard("psLayoutDiff", [&] {
    const ps::layout::Layout& one = open(layout);
    const ps::layout::Layout& two = open(other);
    require(json, "json");
    *json = json_bytes(ps::layout::describe_difference(one, two));
  });
}

psResult psPipelineLayers(const char* rule, int64_t layers, int32_t stages, const int64_t* partition,
                          int64_t* boundaries) {
  return guard("psPipelineLayers", [&] {
    require(rule, "rule");
    require(boundaries, "boundaries");
    const size_t given = partition == nullptr || stages < 1 ? 0 : static_cast<size_t>(stages);
    const std::vector<int64_t> found = ps::layout::pipeline_layers(rule, layers, stages, {partition, given});
    std::copy(found.begin(), found.end(), boundaries);
  });
}

psResult psShardRange(int64_t total, int32_t parts, int32_t index, int64_t* begin, int64_t* end) {
  return guard("psShardRange", [&] {
    require(begin, "begin");
    require(end, "end");
    std::tie(*begin, *end) = ps::layout::shard_range(total, parts, index);
  });
}
