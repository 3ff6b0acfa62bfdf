#include "control/store/memory_store.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>

#include "base/error.h"

namespace ps {
namespace {

struct MemoryStore {
  MemoryStore(const StoreSettings& settings, bool one_world)
      : data(settings.max_value_bytes, one_world), job(settings.job), secret(settings.secret) {}
  StoreData data;
  const std::string job;
  const std::string secret;
};

// The one thing that contexts of a process share: a name in a program means the same to all its threads.
struct Registry {
  std::mutex mutex;
  std::condition_variable added;
  std::map<std::string, std::weak_ptr<MemoryStore>> stores;
};

Registry& registry() {
  // Never destroyed: threads may outlive static destructors.
  static Registry* const instance = new Registry();
  return *instance;
}

std::shared_ptr<Store> opened(const std::shared_ptr<MemoryStore>& store, const StoreSettings& settings) {
  if (store->secret != settings.secret) {
    fail(PS_ERR_DENIED, "the store at {} was made with another secret", settings.url);
  }
  if (!store->job.empty() && !settings.job.empty() && store->job != settings.job) {
    fail(PS_ERR_SYSTEM, "the store at {} is of the job \"{}\", and the caller of the job \"{}\"", settings.url,
         store->job, settings.job);
  }
  return std::make_shared<LocalStore>(std::shared_ptr<StoreData>(store, &store->data), settings.url,
                                      settings.timeout_ms);
}

}  // namespace

std::shared_ptr<Store> open_memory_store(const std::string& name, const StoreSettings& settings, bool world) {
  std::shared_ptr<MemoryStore> store;
  {
    Registry& all = registry();
    std::lock_guard lock(all.mutex);
    std::erase_if(all.stores, [](const auto& entry) { return entry.second.expired(); });
    store = all.stores[name].lock();
    if (!store) {
      store = std::make_shared<MemoryStore>(settings, world);
      all.stores[name] = store;
      all.added.notify_all();
    }
  }
  return opened(store, settings);
}

std::shared_ptr<Store> join_memory_store(const std::string& name, const StoreSettings& settings, Deadline deadline) {
  const int64_t begin = monotonic_ns();
  std::shared_ptr<MemoryStore> store;
  {
    Registry& all = registry();
    std::unique_lock lock(all.mutex);
    while (true) {
      const auto found = all.stores.find(name);
      if (found != all.stores.end()) store = found->second.lock();
      if (store) break;
      if (deadline.passed()) {
        fail(PS_ERR_TIMEOUT, "no thread of this process made the store {} within {} ms", settings.url,
             (monotonic_ns() - begin) / 1'000'000);
      }
      all.added.wait_for(lock, std::chrono::milliseconds(std::min<int64_t>(deadline.remaining_ms(), 60'000)));
    }
  }
  return opened(store, settings);
}

}  // namespace ps
