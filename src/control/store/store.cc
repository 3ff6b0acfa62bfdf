#include "control/store/store.h"

#include "base/error.h"
#include "control/store/address.h"
#include "control/store/dialer.h"
#include "control/store/hosted_store.h"
#include "control/store/memory_store.h"
#include "control/store/remote_store.h"

namespace ps {
namespace {

constexpr uint64_t kLargestMaxValue = uint64_t{1} << 40;
// How long rank 0 looks for a served store at an address that it cannot have.
constexpr int64_t kMeetMs = 3000;

void check_settings(const StoreSettings& settings) {
  if (settings.max_value_bytes == 0 || settings.max_value_bytes > kLargestMaxValue) {
    fail(PS_ERR_ARGUMENT, "a store's max_value_bytes is {}; it must be 1 to {}", settings.max_value_bytes,
         kLargestMaxValue);
  }
}

// What already answers at a published URL; nullptr when nobody does, so that the file is a dead job's.
std::shared_ptr<RemoteStore> find_published(const StoreSettings& settings) {
  Dialer dialer(settings, Role::kMeeting);
  try {
    auto connection = dialer.try_once(Deadline::in_ms(kMeetMs));
    return std::make_shared<RemoteStore>(std::move(dialer), std::move(connection), settings.timeout_ms);
  } catch (const NotYet&) {
    return nullptr;
  }
}

std::shared_ptr<Store> join(const StoreSettings& settings, Role role, Deadline deadline) {
  Dialer dialer(settings, role);
  auto connection = dialer.dial(deadline);
  return std::make_shared<RemoteStore>(std::move(dialer), std::move(connection), settings.timeout_ms);
}

}  // namespace

std::shared_ptr<Store> host_store(const StoreSettings& settings) {
  check_settings(settings);
  const Address address = parse_address(settings.url);
  if (address.scheme == Scheme::kMemory) return open_memory_store(address.name, settings, false);
  if (address.scheme == Scheme::kFile) {
    if (const auto other = find_published(settings)) {
      fail(PS_ERR_SYSTEM, "the store cannot be served at {}: pid {} on {} serves one there, at {}", settings.url,
           other->host().pid, other->host().host, other->url());
    }
  }
  try {
    return std::make_shared<HostedStore>(listen_at(address, settings), settings, false);
  } catch (const AddressTaken& taken) {
    fail(PS_ERR_SYSTEM, "the store cannot be served at {}: {}", settings.url, taken.text);
  }
}

std::shared_ptr<Store> join_store(const StoreSettings& settings, Deadline deadline) {
  const Address address = parse_address(settings.url);
  if (address.scheme == Scheme::kMemory) return join_memory_store(address.name, settings, deadline);
  return join(settings, settings.job.empty() ? Role::kClient : Role::kRank, deadline);
}

std::shared_ptr<Store> meet_store(const StoreSettings& settings, Deadline deadline) {
  check_settings(settings);
  const Address address = parse_address(settings.url);
  if (address.scheme == Scheme::kMemory) return open_memory_store(address.name, settings, true);
  if (address.scheme == Scheme::kFile) {
    if (auto served = find_published(settings)) return served;
  }
  std::string taken;
  try {
    return std::make_shared<HostedStore>(listen_at(address, settings), settings, true);
  } catch (const AddressTaken& error) {
    taken = error.text;
  }
  try {
    return join(settings, Role::kMeeting, deadline.or_earlier(Deadline::in_ms(kMeetMs)));
  } catch (const Error& error) {
    if (error.code() != PS_ERR_TIMEOUT && error.code() != PS_ERR_SYSTEM) throw;
    const char* const advice = address.scheme == Scheme::kTcp
                                   ? "; another port can be set as PS_RENDEZVOUS, under torchrun as PS_MASTER_PORT"
                                   : "";
    fail(PS_ERR_SYSTEM, "rank 0 can neither host its store at {} ({}) nor find a served one there ({}){}", settings.url,
         taken, error.text(), advice);
  }
}

void seal_store(Store& store) {
  if (auto* const hosted = dynamic_cast<HostedStore*>(&store)) hosted->seal();
}

void drain_store(Store& store, Deadline deadline) {
  if (auto* const hosted = dynamic_cast<HostedStore*>(&store)) hosted->drain(deadline);
}

}  // namespace ps
