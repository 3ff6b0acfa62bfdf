// A store whose data is in this process and which serves it to others.
#pragma once

#include <memory>

#include "control/store/listener.h"
#include "control/store/local_store.h"
#include "control/store/server.h"

namespace ps {

class HostedStore : public LocalStore {
 public:
  // `world`: met by the ranks of settings.job, else served for anybody.
  HostedStore(Listener listener, const StoreSettings& settings, bool world);
  ~HostedStore() override;

  void seal() { state_->admission.seal(); }
  void drain(Deadline deadline);

 private:
  std::unique_ptr<UnixSocketFile> socket_file_;
  std::unique_ptr<PublishedUrl> published_;
  std::shared_ptr<HostedState> state_;
  std::unique_ptr<Server> server_;
};

}  // namespace ps
