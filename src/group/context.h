// One rank of one world: the object behind psContext.
#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "group/constructor.h"
#include "group/model_parallel.h"
#include "group/progress.h"

namespace ps {

// A store as a handle holds it. The context takes its store back when it is finalized.
class StoreReference {
 public:
  explicit StoreReference(std::shared_ptr<Store> store) : store_(std::move(store)), url_(store_->url()) {}

  // Throws STATE once the context that it came from is finalized.
  std::shared_ptr<Store> get() const;
  // Waits for a key; timeout_ms -1: as long as the store's own deadline says. The context's end ends it with ABORTED.
  std::string wait_for(std::string_view key, int64_t timeout_ms) const;
  const std::string& url() const { return url_; }
  void close();

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<Store> store_;
  const std::string url_;
};

class Context : public std::enable_shared_from_this<Context> {
 public:
  // Collective over the world.
  static std::shared_ptr<Context> init(LaunchSettings settings);
  ~Context();

  World& world() const { return *world_; }
  // "world", or a name of the layout. Errors: NOT_FOUND lists what exists.
  std::shared_ptr<Group> group(const std::string& name) const;

  // Collective over the world. STATE: there is one already.
  void init_model_parallel(std::string_view spec, const GroupSettings& settings, Deadline deadline);
  // The same where there is none; else STATE unless the layouts are equal.
  void ensure_model_parallel(std::string_view spec, const GroupSettings& settings, Deadline deadline);
  void destroy_model_parallel();
  // nullptr while there is none.
  std::shared_ptr<const ModelParallel> model_parallel() const;
  // The same text at an address that lasts as long as the context.
  const char* keep(const std::string& text);
  std::shared_ptr<Group> new_group(std::vector<int32_t> global_ranks, GroupSettings settings, Deadline deadline);
  std::shared_ptr<Group> split_group(const Group& parent, int32_t color, int32_t key, GroupSettings settings, Deadline deadline);
  std::shared_ptr<StoreReference> store();
  // Of a living group of this context: the allocation in which a range of this rank lies, or with that serial.
  std::shared_ptr<const Allocation> find_allocation(const void* memory, size_t size) const;
  std::shared_ptr<const Allocation> find_allocation(uint64_t serial) const;

  // The context's own values for the fields that are zero.
  GroupSettings group_settings(const psGroupOptions& options) const;

  void abort(const std::string& reason);
  std::shared_ptr<const Error> failure() const;
  void finalize();
  std::string describe();

 private:
  Context() = default;
  void notice_deaths();

  std::shared_ptr<World> world_;
  std::shared_ptr<Progress> progress_;
  std::unique_ptr<GroupConstructor> constructor_;
  std::atomic<GroupConstructor*> watched_{nullptr};  // what the guardian may look at
  std::shared_ptr<Group> world_group_;
  std::mutex forming_mutex_;  // one layout is formed at a time
  mutable std::mutex mutex_;
  std::shared_ptr<const ModelParallel> model_parallel_;
  std::set<std::string> kept_;
  std::shared_ptr<const Error> failure_;
  std::vector<std::weak_ptr<StoreReference>> stores_;
};

}  // namespace ps
