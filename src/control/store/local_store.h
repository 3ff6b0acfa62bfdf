// A store whose data is in this process, asked directly.
#pragma once

#include <memory>
#include <string>

#include "control/store/store.h"
#include "control/store/store_data.h"

namespace ps {

class LocalStore : public Store {
 public:
  LocalStore(std::shared_ptr<StoreData> data, std::string url, int64_t timeout_ms)
      : data_(std::move(data)), url_(std::move(url)), timeout_ms_(timeout_ms) {}

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

 protected:
  const std::shared_ptr<StoreData> data_;

 private:
  const std::string url_;
  const int64_t timeout_ms_;
};

}  // namespace ps
