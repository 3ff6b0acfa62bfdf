#include "control/watch/beacon.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "base/fork.h"
#include "control/store/socket.h"

namespace ps {
namespace {

constexpr char kGoodbye = 'L';
constexpr size_t kMostWatchers = 8192;

std::optional<SocketAddress> numeric(const std::string& address, uint16_t port) {
  in6_addr ignored;
  const bool is_number = ::inet_pton(AF_INET, address.c_str(), &ignored) == 1 ||
                         address.find(':') != std::string::npos;  // perhaps with a zone, which inet_pton does not take
  if (!is_number) return std::nullopt;
  std::string why;
  const auto found = resolve(address, port, why);
  return found.empty() ? std::nullopt : std::optional(found.front());
}

}  // namespace

Beacon::Beacon(const std::string& address) {
  const auto where = numeric(address, 0);
  if (!where) return;
  Descriptor listener = new_stream_socket(where->family());
  if (::bind(listener.get(), where->get(), where->size) != 0 || ::listen(listener.get(), SOMAXCONN) != 0) return;
  port_ = port_of(local_address(listener.get()));
  listener_ = std::move(listener);
}

void Beacon::add_to(std::vector<pollfd>& polled) const {
  if (listener_) polled.push_back({.fd = listener_.get(), .events = POLLIN, .revents = 0});
  for (const Descriptor& watcher : watchers_) polled.push_back({.fd = watcher.get(), .events = POLLIN, .revents = 0});
}

void Beacon::serve() {
  while (listener_) {
    Descriptor watcher(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!watcher) break;
    if (watchers_.size() < kMostWatchers) {
      keep_from_children(watcher.get());
      tune_stream(watcher.get());
      watchers_.push_back(std::move(watcher));
    }
  }
  std::erase_if(watchers_, [](const Descriptor& watcher) {
    char ignored[64];
    const ssize_t got = ::recv(watcher.get(), ignored, sizeof ignored, MSG_DONTWAIT);
    return got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
  });
}

void Beacon::say_goodbye() {
  serve();
  for (const Descriptor& watcher : watchers_) ::send(watcher.get(), &kGoodbye, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

Probe::Probe(const std::string& address, uint16_t port, Deadline deadline) : deadline_(deadline) {
  const auto where = numeric(address, port);
  if (!where) {
    state_ = State::kCut;
    return;
  }
  fd_ = new_stream_socket(where->family());
  tune_stream(fd_.get());
  if (::connect(fd_.get(), where->get(), where->size) != 0 && errno != EINPROGRESS) fail(errno);
}

// A host that refuses or resets is there; its process is not.
Probe::State Probe::fail(int error) {
  const bool by_host = error == 0 || error == ECONNREFUSED || error == ECONNRESET || error == EPIPE;
  state_ = by_host ? State::kEnded : State::kCut;
  fd_.reset();
  return state_;
}

void Probe::add_to(std::vector<pollfd>& polled) const {
  if (!fd_) return;
  const auto events = static_cast<short>(state_ == State::kTrying ? POLLOUT : POLLIN);
  polled.push_back({.fd = fd_.get(), .events = events, .revents = 0});
}

Probe::State Probe::look() {
  if (!fd_) return state_;
  if (state_ == State::kTrying) {
    pollfd entry = {fd_.get(), POLLOUT, 0};
    if (::poll(&entry, 1, 0) <= 0) return deadline_.passed() ? fail(ETIMEDOUT) : state_;
    int error = 0;
    socklen_t size = sizeof error;
    if (::getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
    if (error != 0) return fail(error);
    state_ = State::kStands;
  }
  char byte = 0;
  const ssize_t got = ::recv(fd_.get(), &byte, 1, MSG_DONTWAIT);
  if (got < 0) return errno == EAGAIN || errno == EINTR ? state_ : fail(errno);
  if (got == 0) return fail(0);
  if (byte == kGoodbye) {
    state_ = State::kLeft;
    fd_.reset();
  }
  return state_;
}

}  // namespace ps
