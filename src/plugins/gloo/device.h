// Gloo's event loop, one for each address that a process uses.
#pragma once

#include <gloo/transport/tcp/device.h>

#include <memory>
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

 private:
  Ticker ticker_;
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
