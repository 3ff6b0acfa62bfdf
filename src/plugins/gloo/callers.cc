#include "callers.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>

namespace ps::gloo_transport {
namespace {

// Beyond these who has said nothing for longest goes: a member speaks at once.
constexpr size_t kMostCallers = 8;

Word random_word() {
  Word word;
  if (::getrandom(word.data(), word.size(), 0) != static_cast<ssize_t>(word.size())) {
    throw std::runtime_error("no random numbers");
  }
  return word;
}

// Errors that accept passes on from the connection, or that others may have caused: the next one may do.
bool is_of_the_caller(int error) {
  return error != EMFILE && error != ENFILE && error != ENOBUFS && error != ENOMEM && error != EBADF && error != EINVAL;
}

}  // namespace

Callers::Callers(gloo::transport::tcp::Device& device, gloo::transport::tcp::Handler& handler)
    : device_(device), handler_(handler), word_(random_word()) {
  callers_.reserve(kMostCallers);
}

int Callers::meet(int listener) {
  let_in(listener);
  for (size_t i = 0; i < callers_.size();) {
    const Heard heard = hear(callers_[i]);
    if (heard == Heard::kNotAll) {
      ++i;
      continue;
    }
    const Caller caller = callers_[i];
    callers_.erase(callers_.begin() + static_cast<ptrdiff_t>(i));
    if (heard == Heard::kWord) {
      send_away();
      return caller.descriptor;
    }
    send_away(caller);
  }
  return -1;
}

void Callers::let_in(int listener) {
  // Also called for what a caller says, when nobody waits.
  ::fcntl(listener, F_SETFL, O_NONBLOCK);
  for (size_t i = 0; i < kMostCallers; ++i) {
    const int descriptor = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (descriptor < 0) {
      if (is_of_the_caller(errno)) return;
      throw std::runtime_error(std::string("accept: ") + std::strerror(errno));
    }
    if (callers_.size() == kMostCallers) {
      send_away(callers_.front());
      callers_.erase(callers_.begin());
    }
    try {
      device_.registerDescriptor(descriptor, EPOLLIN, &handler_);
    } catch (...) {
      ::close(descriptor);
      throw;
    }
    callers_.push_back({descriptor});
  }
}

Callers::Heard Callers::hear(Caller& caller) const {
  const ssize_t bytes = ::recv(caller.descriptor, caller.said.data() + caller.size, caller.said.size() - caller.size, 0);
  if (bytes < 0 && (errno == EAGAIN || errno == EINTR)) return Heard::kNotAll;
  if (bytes <= 0) return Heard::kOther;
  caller.size += static_cast<size_t>(bytes);
  if (caller.size < caller.said.size()) return Heard::kNotAll;
  return caller.said == word_ ? Heard::kWord : Heard::kOther;
}

void Callers::send_away() {
  for (const Caller& caller : callers_) send_away(caller);
  callers_.clear();
}

void Callers::send_away(const Caller& caller) {
  device_.unregisterDescriptor(caller.descriptor, &handler_);
  ::close(caller.descriptor);
}

}  // namespace ps::gloo_transport
