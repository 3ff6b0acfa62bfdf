// Gloo's event loop, one for each address that a process uses.
#pragma once

#include <gloo/transport/tcp/device.h>

#include <sys/types.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>

#include "ticker.h"

namespace ps::gloo_transport {

class EventLoop {
 public:
  explicit EventLoop(const std::string& address);
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  gloo::transport::tcp::Device& device() { return *device_; }
  Ticker& ticker() { return ticker_; }

  // A thread that polls connections sees what comes as soon as this one's does, which would take the CPU from it in order
  // to say so. So as long as somebody polls, this one gets a CPU when none is wanted otherwise.
  void note_poll(int64_t now_ns) { polled_ns_.store(now_ns, std::memory_order_relaxed); }
  // Who polled sleeps, or does something else.
  void note_rest();
  // On the loop's thread, when something has come.
  void give_way();

 private:
  bool is_polled() const;
  void set_policy();

  Ticker ticker_;
  std::atomic<int64_t> polled_ns_{0};
  std::atomic<bool> gives_way_{false};
  std::mutex policy_mutex_;
  pid_t thread_ = 0;  // the loop's, once it is known
  std::shared_ptr<gloo::transport::tcp::Device> device_;
};

std::shared_ptr<EventLoop> event_loop_at(const std::string& address);

// While it lives a write to a closed connection raises no SIGPIPE in this thread: Gloo writes where it is called.
class NoBrokenPipe {
 public:
  NoBrokenPipe();
  ~NoBrokenPipe();
  NoBrokenPipe(const NoBrokenPipe&) = delete;
  NoBrokenPipe& operator=(const NoBrokenPipe&) = delete;

 private:
  bool blocked_;
};

}  // namespace ps::gloo_transport
