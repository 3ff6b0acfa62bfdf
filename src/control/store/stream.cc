#include "control/store/stream.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "control/store/socket.h"
#include "control/waiting.h"

namespace ps {
namespace {

// Memory grows with what has really arrived, not with what a header promised.
constexpr size_t kPiece = 1 << 20;

}  // namespace

void Stream::send(std::string_view bytes, Deadline deadline) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<size_t>(sent));
    } else if (errno == EAGAIN) {
      if (!wait_for_events(fd_.get(), POLLOUT, deadline)) throw StreamTimeout();
    } else if (errno != EINTR) {
      throw StreamEnded{errno};
    }
  }
}

template <class Bytes>
void Stream::receive_some(Bytes& into, size_t most, Deadline deadline, const StopCheck& check) {
  const size_t before = into.size();
  const size_t piece = std::min(most, kPiece);
  for (int checks = 0;; ++checks) {
    into.resize(before + piece);
    const ssize_t got = ::recv(fd_.get(), into.data() + before, piece, 0);
    const int error = errno;
    into.resize(before + static_cast<size_t>(std::max<ssize_t>(got, 0)));
    errno = error;
    if (got > 0) return;
    if (got == 0) throw StreamEnded{0};
    if (errno == EINTR) continue;
    if (errno != EAGAIN) throw StreamEnded{errno};
    const Deadline next = check ? deadline.or_earlier(Deadline::in_ms(tick_ns(checks) / 1'000'000)) : deadline;
    if (wait_for_events(fd_.get(), POLLIN, next)) continue;
    if (deadline.passed()) throw StreamTimeout();
    check();
  }
}

template <class Bytes>
void Stream::receive(Bytes& into, size_t exactly, Deadline deadline, const StopCheck& check) {
  while (exactly > 0) {
    const size_t before = into.size();
    receive_some(into, exactly, deadline, check);
    exactly -= into.size() - before;
  }
}

template void Stream::receive_some(std::string&, size_t, Deadline, const StopCheck&);
template void Stream::receive(std::string&, size_t, Deadline, const StopCheck&);
template void Stream::receive(TransientBytes&, size_t, Deadline, const StopCheck&);

}  // namespace ps
