#include "control/store/hosted_store.h"

#include <unistd.h>

#include <cstring>

#include "control/store/network.h"

namespace ps {
namespace {

std::shared_ptr<HostedState> new_state(std::shared_ptr<StoreData> data, const StoreSettings& settings, bool world,
                                       bool is_unix) {
  auto state = std::make_shared<HostedState>();
  state->data = std::move(data);
  state->secret = settings.secret;
  state->job = settings.job;
  state->world = world;
  state->same_user = is_unix && settings.secret.empty() && !settings.allow_unauthenticated;
  state->host = host_name();
  state->pid = ::getpid();
  const std::string epoch = random_bytes(sizeof state->epoch);
  std::memcpy(&state->epoch, epoch.data(), epoch.size());
  return state;
}

}  // namespace

HostedStore::HostedStore(Listener listener, const StoreSettings& settings, bool world)
    : LocalStore(std::make_shared<StoreData>(settings.max_value_bytes, world), listener.url, settings.timeout_ms),
      socket_file_(std::move(listener.socket_file)),
      published_(std::move(listener.published)),
      state_(new_state(data_, settings, world, listener.is_unix)),
      server_(std::make_unique<Server>(std::move(listener.fd), state_)) {}

HostedStore::~HostedStore() {
  // First out of sight, then closed: whoever comes now waits for the next store and does not meet this one's end.
  published_.reset();
  socket_file_.reset();
  data_->close();
  server_.reset();
}

void HostedStore::drain(Deadline deadline) {
  state_->admission.close();
  state_->admission.wait_for_ranks(deadline);
}

}  // namespace ps
