// Gloo's event loop, one for each address that a process uses.
#pragma once

#include <gloo/transport/tcp/device.h>

#include <memory>
#include <string>

namespace ps::gloo_transport {

std::shared_ptr<gloo::transport::tcp::Device> device_at(const std::string& address);

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
