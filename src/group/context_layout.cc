// The model-parallel state of a context: at most one layout at a time, and its groups.
#include "group/context.h"
#include "layout/describe.h"

namespace ps {

std::shared_ptr<const ModelParallel> Context::model_parallel() const {
  const std::lock_guard lock(mutex_);
  return model_parallel_;
}

void Context::init_model_parallel(std::string_view spec, const GroupSettings& settings, Deadline deadline) {
  std::unique_lock forming(forming_mutex_);
  if (const auto existing = model_parallel()) {
    fail(PS_ERR_STATE, "the groups of layout '{}' exist already; psDestroyModelParallel first, or psEnsureModelParallel",
         existing->layout().spec());
  }
  const auto layout = std::make_shared<const layout::Layout>(spec, world_->size());
  auto made = std::make_shared<ModelParallel>(*constructor_, world_, progress_, layout, settings, deadline);
  for (const ModelParallel::Member& member : made->members()) {
    if (member.group) member.group->set_context(weak_from_this());
  }
  {
    const std::lock_guard lock(mutex_);
    model_parallel_ = made;
  }
  forming.unlock();
  const ModelParallel::Times& times = made->times();
  world_->logger().info("layout {}: {} communicators, {} KiB of memory on this host, agreed in {} us, made in {} us",
                        layout->spec(), made->communicator_count(), made->memory_bytes() / 1024, times.agreement_us,
                        times.memory_us + times.groups_us);
}

void Context::ensure_model_parallel(std::string_view spec, const GroupSettings& settings, Deadline deadline) {
  const auto existing = model_parallel();
  if (!existing) return init_model_parallel(spec, settings, deadline);
  const layout::Layout wanted(spec, world_->size());
  const std::string& have = existing->layout().spec();
  if (wanted.spec() == have) return;
  fail(PS_ERR_STATE, "the groups exist for another layout: '{}' is there, '{}' is wanted ({})", have, wanted.spec(),
       layout::key_difference(have, wanted.spec()));
}

void Context::destroy_model_parallel() {
  const std::lock_guard forming(forming_mutex_);
  std::shared_ptr<const ModelParallel> gone;  // its groups end outside the lock
  const std::lock_guard lock(mutex_);
  gone.swap(model_parallel_);
}

const char* Context::keep(const std::string& text) {
  const std::lock_guard lock(mutex_);
  return kept_.insert(text).first->c_str();
}

}  // namespace ps
