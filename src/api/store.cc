// The key-value store.
#include "api/guard.h"
#include "api/handle.h"
#include "api/structs.h"
#include "base/environment.h"
#include "control/launch.h"
#include "control/store/store.h"

using namespace ps::api;

namespace {

std::string_view checked_key(const char* key) {
  require(key, "key");
  ps::check_key(key);
  return key;
}

std::string_view bytes(const void* data, size_t size, const char* name) {
  if (data == nullptr && size > 0) ps::fail(PS_ERR_ARGUMENT, "{} is NULL with a size of {}", name, size);
  return {static_cast<const char*>(data), size};
}

void check_expiry(int64_t expire_ms) { check_timeout(expire_ms, "expire_ms"); }

}  // namespace

psResult psStoreOpen(const char* url, const psStoreOptions* options, psStore* store) {
  return guard("psStoreOpen", [&] {
    require(url, "url");
    require(store, "store");
    const psStoreOptions given = read_options(options, "psStoreOptions");
    check_flags(given.flags, PS_SERVE | PS_ALLOW_UNAUTHENTICATED, "psStoreOptions.flags");
    check_timeout(given.timeout_ms, "psStoreOptions.timeout_ms");
    ps::StoreSettings settings;
    settings.url = url;
    settings.secret = given.secret != nullptr ? given.secret : ps::environment_secret();
    settings.network = given.network != nullptr ? given.network : "";
    settings.allow_unauthenticated = (given.flags & PS_ALLOW_UNAUTHENTICATED) != 0;
    if (given.timeout_ms > 0) settings.timeout_ms = given.timeout_ms;
    if (given.max_value_bytes > 0) settings.max_value_bytes = given.max_value_bytes;
    auto object = (given.flags & PS_SERVE) != 0
                      ? ps::host_store(settings)
                      : ps::join_store(settings, ps::Deadline::in_ms(settings.timeout_ms));
    *store = Pool<psStoreImpl>::make(std::make_shared<ps::StoreReference>(std::move(object)));
  });
}

psResult psStoreFree(psStore store) {
  return guard("psStoreFree", [&] {
    if (store != nullptr) Pool<psStoreImpl>::release(store);
  });
}

psResult psGetStore(psContext context, psStore* store) {
  return guard("psGetStore", [&] {
    const auto object = open(context);
    require(store, "store");
    *store = Pool<psStoreImpl>::make(object->store());
  });
}

psResult psStoreAddress(psStore store, const char** url) {
  return guard("psStoreAddress", [&] {
    const ps::StoreReference& object = open(store);
    require(url, "url");
    object.get();
    *url = object.url().c_str();
  });
}

psResult psStoreSet(psStore store, const char* key, const void* data, size_t size, int64_t expire_ms) {
  return guard("psStoreSet", [&] {
    const ps::StoreReference& object = open(store);
    check_expiry(expire_ms);
    object.get()->set(checked_key(key), bytes(data, size, "data"), expire_ms);
  });
}

psResult psStoreGet(psStore store, const char* key, int64_t timeout_ms, psBytes* value) {
  return guard("psStoreGet", [&] {
    const ps::StoreReference& object = open(store);
    require(value, "value");
    check_timeout(timeout_ms, "timeout_ms");
    std::string found = object.wait_for(checked_key(key), timeout_ms);
    *value = Pool<psBytesImpl>::make(
        std::make_shared<ps::ByteList>(PS_CONTENT_BYTES, std::vector<std::string>{std::move(found)}));
  });
}

psResult psStoreAdd(psStore store, const char* key, int64_t delta, int64_t* value) {
  return guard("psStoreAdd", [&] {
    const int64_t sum = open(store).get()->add(checked_key(key), delta);
    if (value != nullptr) *value = sum;
  });
}

psResult psStoreCompareAndSet(psStore store, const char* key, const void* expected, size_t expected_size,
                              const void* desired, size_t desired_size, int64_t expire_ms, int32_t* swapped) {
  return guard("psStoreCompareAndSet", [&] {
    const ps::StoreReference& object = open(store);
    check_expiry(expire_ms);
    std::optional<std::string_view> before;
    if (expected != nullptr) before = bytes(expected, expected_size, "expected");
    const bool done = object.get()->compare_and_set(checked_key(key), before, bytes(desired, desired_size, "desired"), expire_ms);
    if (swapped != nullptr) *swapped = done ? 1 : 0;
  });
}

psResult psStoreDelete(psStore store, const char* key, int32_t* existed) {
  return guard("psStoreDelete", [&] {
    const bool there = open(store).get()->remove(checked_key(key));
    if (existed != nullptr) *existed = there ? 1 : 0;
  });
}
