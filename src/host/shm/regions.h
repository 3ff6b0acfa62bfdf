// The regions of a communicator's groups. A collective whose buffers lie in one of its group's tells its peers where, and
// they use the buffers in place.
//
// Members free a group at different times, and while one still lends, another group's operation may already find the
// region gone on a peer. So a group's operations use its own regions alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "host/region.h"

namespace ps {

// Where a buffer lies in its owner's part; region 0: in none.
struct Place {
  uint64_t region;
  uint64_t offset;
};

class Regions {
 public:
  explicit Regions(int rank) : rank_(static_cast<size_t>(rank)) {}

  void add(std::shared_ptr<const Region> region) { regions_.push_back(std::move(region)); }
  void remove(uint64_t id);

  bool is_empty() const { return regions_.empty(); }
  // Where this rank's buffer of an operation on that group lies.
  Place place(const std::byte* data, size_t bytes, uint16_t group) const;
  // The peer's buffer of that many bytes, as this process sees it. Errors: INTERNAL when it is not within the peer's part.
  std::byte* at(int member, const Place& place, size_t bytes) const;

 private:
  size_t rank_;
  std::vector<std::shared_ptr<const Region>> regions_;
};

}  // namespace ps
