// A connected socket that a client's thread writes and reads, each step by a deadline.
#pragma once

#include <string>
#include <string_view>

#include "base/deadline.h"
#include "base/descriptor.h"
#include "control/store/store.h"

namespace ps {

// Thrown when the other end closed or reset the connection.
struct StreamEnded {
  int error = 0;  // errno; 0: an orderly end
};
// Thrown when the deadline came first.
struct StreamTimeout {};

class Stream {
 public:
  explicit Stream(Descriptor fd) : fd_(std::move(fd)) {}

  void send(std::string_view bytes, Deadline deadline);
  // Some bytes, at least one, at most `most`, at the end of `into`. `check`, if any, is called a few times a second.
  template <class Bytes>  // std::string, TransientBytes
  void receive_some(Bytes& into, size_t most, Deadline deadline, const StopCheck& check = nullptr);
  template <class Bytes>
  void receive(Bytes& into, size_t exactly, Deadline deadline, const StopCheck& check = nullptr);

  int fd() const { return fd_.get(); }

 private:
  Descriptor fd_;
};

}  // namespace ps
