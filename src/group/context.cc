#include "group/context.h"

#include "base/error.h"
#include "host/net/module.h"
#include "host/reduce/reduce.h"

namespace ps {
namespace {

constexpr int64_t kLeaveMs = 5000;

}  // namespace

std::shared_ptr<Store> StoreReference::get() const {
  const std::lock_guard lock(mutex_);
  if (!store_) fail(PS_ERR_STATE, "the context that this store came from is finalized");
  return store_;
}

std::string StoreReference::wait_for(std::string_view key, int64_t timeout_ms) const {
  const auto store = get();
  const Deadline deadline = Deadline::in_ms(timeout_ms < 0 ? store->default_timeout_ms() : timeout_ms);
  return store->get(key, deadline, [this] {
    const std::lock_guard lock(mutex_);
    if (!store_) fail(PS_ERR_ABORTED, "psFinalize was called on this rank");
  });
}

void StoreReference::close() {
  const std::lock_guard lock(mutex_);
  store_.reset();
}

std::shared_ptr<Context> Context::init(LaunchSettings settings) {
  reduce_target();  // refuses a wrong PS_REDUCE_TARGET now rather than in the first reduction
  if (settings.backend == "gloo") find_transport("gloo");  // and a backend that is not there
  Dispatch dispatch(settings.dispatch, settings.dispatch_source);
  settings.dispatch = dispatch.rules();  // written in one way, so that ranks can compare
  const std::shared_ptr<Context> context(new Context);
  Context* self = context.get();
  context->world_ = std::make_shared<World>(std::move(settings), [self] { self->notice_deaths(); });
  World& world = *context->world_;
  context->progress_ = std::make_shared<Progress>(context->world_);
  context->constructor_ = std::make_unique<GroupConstructor>(context->world_, context->progress_, std::move(dispatch));
  context->watched_.store(context->constructor_.get());

  GroupSettings whole = context->group_settings(psGroupOptions PS_GROUP_OPTIONS_INIT);
  whole.name = "world";
  whole.flags |= world.settings().flags & PS_WARM_UP;
  std::vector<int32_t> everyone;
  for (int32_t rank = 0; rank < world.size(); ++rank) everyone.push_back(rank);
  context->world_group_ =
      context->constructor_->make(std::move(everyone), std::move(whole), Deadline::in_ms(world.settings().init_timeout_ms));
  context->world_group_->set_context(context);
  world.complete();
  world.logger().info("joined: {} ranks on {} hosts", world.size(), world.node_count());
  return context;
}

Context::~Context() {
  if (world_) finalize();
}

void Context::notice_deaths() {
  GroupConstructor* constructor = watched_.load();
  if (constructor == nullptr) return;
  for (const auto& communicator : constructor->communicators()) communicator->notice_deaths();
}

std::shared_ptr<Group> Context::group(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  if (!world_group_) fail(PS_ERR_STATE, "the context is finalized");
  if (name == "world") return world_group_;
  std::string names = "world";
  if (model_parallel_) {
    for (const ModelParallel::Member& member : model_parallel_->members()) {
      if (member.name == name && member.group) return member.group;
      if (member.name == name) {
        fail(PS_ERR_NOT_FOUND, "rank {} is in no group '{}' of layout '{}'", world_->rank(), name,
             model_parallel_->layout().spec());
      }
      names += ", " + member.name;
    }
  }
  const char* const advice =
      !model_parallel_                         ? "; psInitModelParallel makes those of a layout"
      : name.find('-') != std::string::npos ? "; merged names are planned only: psNewGroup makes their group of the "
                                              "members that psLayoutGroupRanks gives"
                                            : "";
  fail(PS_ERR_NOT_FOUND, "there is no group named '{}'; there is: {}{}", name, names, advice);
}

GroupSettings Context::group_settings(const psGroupOptions& options) const {
  const LaunchSettings& own = world_->settings();
  GroupSettings settings;
  settings.name = options.name != nullptr ? options.name : "";
  settings.flags = options.flags | (own.flags & PS_DETERMINISTIC);
  settings.timeout_ms = options.timeout_ms > 0 ? options.timeout_ms : own.timeout_ms;
  settings.max_object_bytes = options.max_object_bytes > 0 ? options.max_object_bytes : own.max_object_bytes;
  settings.host_buffer_bytes = options.host_buffer_bytes > 0 ? options.host_buffer_bytes : own.host_buffer_bytes;
  settings.backend = options.backend != nullptr && *options.backend != '\0' ? options.backend : own.backend;
  if (settings.backend == "gloo") find_transport("gloo");
  return settings;
}

std::shared_ptr<Group> Context::new_group(std::vector<int32_t> global_ranks, GroupSettings settings, Deadline deadline) {
  auto group = constructor_->make(std::move(global_ranks), std::move(settings), deadline);
  group->set_context(weak_from_this());
  return group;
}

std::shared_ptr<Group> Context::split_group(const Group& parent, int32_t color, int32_t key, GroupSettings settings,
                                            Deadline deadline) {
  auto part = constructor_->split(parent, color, key, std::move(settings), deadline);
  if (part) part->set_context(weak_from_this());
  return part;
}

std::shared_ptr<const Allocation> Context::find_allocation(const void* memory, size_t size) const {
  for (const auto& group : constructor_->groups()) {
    if (auto allocation = group->memory().find(memory, size)) return allocation;
  }
  return nullptr;
}

std::shared_ptr<const Allocation> Context::find_allocation(uint64_t serial) const {
  for (const auto& group : constructor_->groups()) {
    if (auto allocation = group->memory().find(serial)) return allocation;
  }
  return nullptr;
}

std::shared_ptr<StoreReference> Context::store() {
  auto reference = std::make_shared<StoreReference>(world_->store());
  const std::lock_guard lock(mutex_);
  std::erase_if(stores_, [](const auto& weak) { return weak.expired(); });
  stores_.push_back(reference);
  return reference;
}

void Context::abort(const std::string& reason) {
  const Error error(PS_ERR_ABORTED, fmt::format("rank {} called psAbort: {}", world_->rank(), reason), world_->rank());
  {
    const std::lock_guard lock(mutex_);
    if (failure_) return;
    failure_ = std::make_shared<const Error>(error);
  }
  for (const auto& communicator : constructor_->communicators()) communicator->fail(error, true);
}

std::shared_ptr<const Error> Context::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

void Context::finalize() {
  if (!world_->close()) return;
  const Error closed(PS_ERR_ABORTED, "psFinalize was called on this rank", world_->rank());
  if (constructor_) {
    for (const auto& communicator : constructor_->communicators()) communicator->close(closed);
  }
  if (progress_) progress_->stop();
  std::vector<std::weak_ptr<StoreReference>> stores;
  {
    const std::lock_guard lock(mutex_);
    stores.swap(stores_);
  }
  for (const auto& weak : stores) {
    if (const auto reference = weak.lock()) reference->close();
  }
  world_->leave(Deadline::in_ms(kLeaveMs));
  watched_.store(nullptr);
  std::shared_ptr<const ModelParallel> layout;  // its groups end outside the lock
  const std::lock_guard lock(mutex_);
  layout.swap(model_parallel_);
  world_group_.reset();
}

}  // namespace ps
