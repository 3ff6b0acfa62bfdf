#include "host/shm/regions.h"

#include <algorithm>
#include <functional>

#include "base/error.h"

namespace ps {

void Regions::remove(uint64_t id) {
  std::erase_if(regions_, [id](const auto& region) { return region->id == id; });
}

Place Regions::place(const std::byte* data, size_t bytes, uint16_t group) const {
  for (const auto& region : regions_) {
    if (region->group != group) continue;
    const std::byte* const begin = region->parts[rank_];
    const size_t size = region->sizes[rank_];
    if (std::less<>()(data, begin) || bytes > size) continue;
    const auto offset = static_cast<size_t>(data - begin);
    if (offset <= size - bytes) return {region->id, offset};
  }
  return {};
}

std::byte* Regions::at(int member, const Place& place, size_t bytes) const {
  const auto i = static_cast<size_t>(member);
  for (const auto& region : regions_) {
    if (region->id != place.region) continue;
    if (bytes <= region->sizes[i] && place.offset <= region->sizes[i] - bytes) return region->parts[i] + place.offset;
  }
  fail(PS_ERR_INTERNAL, "member {} of the group names {} bytes at {} of memory {}, where this rank knows of none", member,
       bytes, place.offset, place.region);
}

}  // namespace ps
