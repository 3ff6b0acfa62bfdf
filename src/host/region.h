// Memory that every member of a group reaches: each has mapped the parts of all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace ps {

// A part for each member, of its own size. The same id on all members.
struct Region {
  uint64_t id = 0;                // never 0
  uint16_t group = 0;             // its tag: only this group's operations lend it, as it lives as long as they can
  std::vector<std::byte*> parts;  // in the order of the members, as this process sees them
  std::vector<size_t> sizes;
  std::shared_ptr<void> memory;   // keeps the mapping
};

}  // namespace ps
