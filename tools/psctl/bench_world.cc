#include "bench_world.h"

#include <fstream>
#include <stdexcept>

namespace psctl {
namespace {

constexpr char kKey[] = "psctl-bench/memory";

// Processes of one host, and no others, read the same here.
std::string boot_id() {
  std::string id;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> id;
  return id;
}

struct StoreReference {
  ~StoreReference() { psStoreFree(handle); }
  psStore handle = nullptr;
};

std::string value_of(psStore store, const char* key) {
  psBytes bytes = nullptr;
  check(psStoreGet(store, key, -1, &bytes), "psStoreGet");
  const void* data = nullptr;
  size_t size = 0;
  const psResult result = psBytesAt(bytes, 0, &data, &size, nullptr);
  const std::string value = result < 0 ? "" : std::string(static_cast<const char*>(data), size);
  psBytesFree(bytes);
  check(result, "psBytesAt");
  return value;
}

}  // namespace

void check(psResult result, const char* what) {
  if (result < 0) throw std::runtime_error(std::string(what) + ": " + psResultName(result) + ": " + psLastError());
}

BenchWorld::BenchWorld(const BenchOptions& options) {
  psConfig config = PS_CONFIG_INIT;
  if (!options.backend.empty()) config.backend = options.backend.c_str();
  check(psInit(&config, &context_), "psInit");
  psWorldInfo world = PS_WORLD_INFO_INIT;
  check(psGetWorldInfo(context_, &world), "psGetWorldInfo");
  rank_ = world.rank;
  size_ = world.world_size;
  check(psGetGroup(context_, "world", &group_), "psGetGroup");
}

BenchWorld::~BenchWorld() {
  psGroupFree(group_);
  psFinalize(context_);
}

std::string BenchWorld::backend() const {
  psGroupInfo info = PS_GROUP_INFO_INIT;
  check(psGetGroupInfo(group_, &info), "psGetGroupInfo");
  return info.host_backend == nullptr ? "" : info.host_backend;
}

measure::Meeting& BenchWorld::meeting() {
  if (meeting_) return *meeting_;
  StoreReference store;
  check(psGetStore(context_, &store.handle), "psGetStore");
  if (rank_ == 0) {
    region_ = std::make_unique<measure::Region>(measure::Region::create(size_));
    const std::string place = boot_id() + " " + region_->path();
    check(psStoreSet(store.handle, kKey, place.data(), place.size(), -1), "psStoreSet");
  } else {
    const std::string place = value_of(store.handle, kKey);
    const size_t space = place.find(' ');
    if (place.substr(0, space) != boot_id()) {
      throw std::runtime_error("rank " + std::to_string(rank_) +
                               " is on another host than rank 0: times are taken on one clock, so all ranks of a "
                               "measurement are on one host (several network namespaces may stand for several hosts)");
    }
    region_ = std::make_unique<measure::Region>(measure::Region::open(place.substr(space + 1)));
  }
  meeting_ = std::make_unique<measure::Meeting>(*region_, rank_);
  check(psBarrier(group_, nullptr), "psBarrier");
  return *meeting_;
}

}  // namespace psctl
