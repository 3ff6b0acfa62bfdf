// Handles: small shells around counted objects, in pools that never give memory back and reuse a shell late. So reading
// the magic word of a freed handle is defined, and a handle used after its free is an error instead of a crash.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>

#include "base/byte_list.h"
#include "base/error.h"
#include "group/context.h"
#include "layout/layout.h"

namespace ps::api {

inline constexpr uint64_t kLiving = 0x70732d6c6976696e;

template <class Object>
struct Shell {
  std::atomic<uint64_t> magic{0};
  std::mutex mutex;  // a context is finalized beside calls that look it up
  std::shared_ptr<Object> object;
};

}  // namespace ps::api

struct psContextImpl : ps::api::Shell<ps::Context> {
  static constexpr const char* kName = "context";
};
struct psStoreImpl : ps::api::Shell<ps::StoreReference> {
  static constexpr const char* kName = "store";
};
struct psGroupImpl : ps::api::Shell<ps::Group> {
  static constexpr const char* kName = "group";
};
struct psWorkImpl : ps::api::Shell<ps::Work> {
  static constexpr const char* kName = "work";
};
struct psBytesImpl : ps::api::Shell<ps::ByteList> {
  static constexpr const char* kName = "bytes";
};
struct psLayoutImpl : ps::api::Shell<ps::layout::Layout> {
  static constexpr const char* kName = "layout";
};

namespace ps::api {

template <class Impl>
class Pool {
 public:
  template <class Object>
  static Impl* make(std::shared_ptr<Object> object) {
    Pool& pool = instance();
    Impl* shell = nullptr;
    {
      const std::lock_guard lock(pool.mutex_);
      if (pool.free_.size() > kReuseAfter) {
        shell = pool.free_.front();
        pool.free_.pop_front();
      }
    }
    if (shell == nullptr) shell = new Impl;
    shell->object = std::move(object);
    shell->magic.store(kLiving ^ reinterpret_cast<uintptr_t>(shell), std::memory_order_release);
    return shell;
  }

  // Takes the object out. ARGUMENT: freed before, or never a handle.
  static auto release(Impl* shell) {
    uint64_t living = kLiving ^ reinterpret_cast<uintptr_t>(shell);
    if (!shell->magic.compare_exchange_strong(living, 0)) refuse();
    auto object = [&] {
      const std::lock_guard lock(shell->mutex);
      return std::move(shell->object);
    }();
    Pool& pool = instance();
    const std::lock_guard lock(pool.mutex_);
    pool.free_.push_back(shell);
    return object;
  }

  [[noreturn]] static void refuse() {
    fail(PS_ERR_ARGUMENT, "the {} handle was freed before, or is none", Impl::kName);
  }

 private:
  static constexpr size_t kReuseAfter = 4096;

  // Outlives every thread that may still hold a handle.
  static Pool& instance() {
    static Pool* pool = new Pool;
    return *pool;
  }

  std::mutex mutex_;
  std::deque<Impl*> free_;
};

// A psBytes of one JSON text.
inline psBytes json_bytes(std::string text) {
  return Pool<psBytesImpl>::make(std::make_shared<ByteList>(PS_CONTENT_JSON, std::vector<std::string>{std::move(text)}));
}

template <class Impl>
Impl& checked(Impl* handle) {
  if (handle == nullptr) fail(PS_ERR_ARGUMENT, "the {} handle is NULL", Impl::kName);
  if (handle->magic.load(std::memory_order_acquire) != (kLiving ^ reinterpret_cast<uintptr_t>(handle))) Pool<Impl>::refuse();
  return *handle;
}

// A context may be finalized beside the call, so the call holds on to it.
inline std::shared_ptr<Context> open(psContext context) {
  auto object = [&] {
    psContextImpl& shell = checked(context);
    const std::lock_guard lock(shell.mutex);
    return shell.object;
  }();
  if (!object || object->world().closed()) fail(PS_ERR_STATE, "the context is finalized");
  return object;
}

// The caller's handle keeps the object: freeing it must not race with its use.
inline Group& open(psGroup group) {
  Group& object = *checked(group).object;
  if (object.world().closed()) fail(PS_ERR_STATE, "the context of group '{}' is finalized", object.name());
  return object;
}

inline Work& open(psWork work) {
  Work& object = *checked(work).object;
  if (object.communicator->world().closed()) fail(PS_ERR_STATE, "the context of this work is finalized");
  return object;
}

inline StoreReference& open(psStore store) { return *checked(store).object; }
inline ByteList& open(psBytes bytes) { return *checked(bytes).object; }
inline layout::Layout& open(psLayout layout) { return *checked(layout).object; }

}  // namespace ps::api
