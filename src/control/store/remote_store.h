// A store in another process, asked through a few authenticated connections: a call that waits occupies one, others go
// by.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "control/store/dialer.h"
#include "control/store/message.h"

namespace ps {

class RemoteStore : public Store {
 public:
  RemoteStore(Dialer dialer, std::unique_ptr<Connection> first, int64_t timeout_ms);

  void set(std::string_view key, std::string_view value, int64_t expire_ms, const StopCheck& check) override;
  using Store::set;
  std::string get(std::string_view key, Deadline deadline, const StopCheck& check) override;
  using Store::get;
  int64_t add(std::string_view key, int64_t delta) override;
  bool compare_and_set(std::string_view key, std::optional<std::string_view> expected, std::string_view desired,
                       int64_t expire_ms, const StopCheck& check) override;
  using Store::compare_and_set;
  bool remove(std::string_view key, const StopCheck& check) override;
  using Store::remove;
  Exchanged exchange(const Exchange& request, Deadline deadline, const StopCheck& check) override;
  const std::string& url() const override { return url_; }
  int64_t default_timeout_ms() const override { return timeout_ms_; }

  const Welcome& host() const { return host_; }

 private:
  std::unique_ptr<Connection> take_connection(Deadline deadline, const StopCheck& check);
  void give_back(std::unique_ptr<Connection> connection);
  // Errors: what the store said; CLOSED, PEER_FAILED, TIMEOUT.
  Frame call(const Request& request, FrameType reply, Deadline deadline, const StopCheck& check = nullptr);
  int64_t call_for_number(const Request& request, const StopCheck& check = nullptr);
  Frame converse(Connection& connection, const Request& request, Deadline deadline, const StopCheck& check);
  // The first end is remembered: later calls tell the same.
  [[noreturn]] void end(psResult code, std::string text);
  void check_size(std::string_view key, std::string_view value) const;

  const int64_t timeout_ms_;
  const std::string url_;
  const Welcome host_;
  const std::string host_name_;  // "pid 7 on h, at tcp://..."

  std::mutex mutex_;
  Dialer dialer_;
  std::vector<std::unique_ptr<Connection>> idle_;
  std::optional<Error> ended_;
};

}  // namespace ps
