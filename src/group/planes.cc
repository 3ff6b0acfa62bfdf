#include "group/planes.h"

#include <algorithm>

#include "host/local_plane.h"
#include "host/shm/shm_plane.h"

namespace ps {

std::unique_ptr<Plane> make_plane(const World& world, const std::vector<int32_t>& global_ranks,
                                  const Geometry& geometry, std::shared_ptr<SharedMemory> memory,
                                  const Dispatch& dispatch) {
  if (global_ranks.size() == 1) return std::make_unique<LocalPlane>();
  if (!memory) return nullptr;
  const auto own = std::find(global_ranks.begin(), global_ranks.end(), world.rank());
  std::vector<Doorbell*> doorbells;
  for (const int32_t rank : global_ranks) doorbells.push_back(&world.lines(rank)->doorbell);
  return std::make_unique<ShmPlane>(std::move(memory), geometry, static_cast<int>(own - global_ranks.begin()),
                                    std::move(doorbells), dispatch);
}

}  // namespace ps
