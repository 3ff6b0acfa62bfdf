#include "control/store/dialer.h"

#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <random>

#include "base/error.h"
#include "control/store/network.h"
#include "control/store/published_url.h"
#include "control/store/stranger.h"

namespace ps {
namespace {

constexpr int64_t kAttemptMs = 5000;
// How often, and for how long, something may close connections without a word before it is called a stranger: a store
// that is just being closed does so as well.
constexpr int kStrangeAnswers = 5;
constexpr int64_t kStrangeNs = 1'000'000'000;
constexpr int64_t kShortestPauseMs = 1;
constexpr int64_t kLongestPauseMs = 50;

void pause_ms(int64_t ms) {
  timespec left = {ms / 1000, ms % 1000 * 1'000'000};
  while (::nanosleep(&left, &left) != 0 && errno == EINTR) {
  }
}

}  // namespace

Dialer::Dialer(const StoreSettings& settings, Role role)
    : url_(settings.url), address_(parse_address(settings.url)), network_(settings.network), found_(settings.url) {
  identity_ = {role, random_bytes(kClientIdBytes), settings.job, settings.secret};
  if (settings.job.size() > kLongestJob) {
    fail(PS_ERR_ARGUMENT, "a job's name has at most {} bytes, this one {}", kLongestJob, settings.job.size());
  }
  if (address_.scheme == Scheme::kDescriptor) {
    fail(PS_ERR_ARGUMENT, "{} is a listening descriptor, which only the process that hosts the store can use; the "
         "others take the store's own URL (PS_RENDEZVOUS)", url_);
  }
}

Address Dialer::target() const {
  if (address_.scheme != Scheme::kFile) return address_;
  const std::string file = published_url_path(address_.path, identity_.job);
  const auto url = read_published_url(file);
  if (!url) throw NotYet{fmt::format("no store is published in {}", file)};
  return *url;
}

// A loopback address is this host's own, whatever network leads to others.
Descriptor Dialer::connect_from_network(const SocketAddress& address, Deadline deadline, int& error) const {
  if (network_.empty() || is_loopback(address)) return connect_stream(address, deadline, error);
  const auto from = network_address(network_, address.family());
  if (!from) {
    throw NotYet{fmt::format("the network \"{}\" has no {} address to reach {} from", network_,
                             address.family() == AF_INET6 ? "IPv6" : "IPv4", to_text(address))};
  }
  return connect_stream(address, deadline, error, &*from);
}

std::unique_ptr<Connection> Dialer::connect(const SocketAddress& address, Deadline deadline,
                                            const StopCheck& check) {
  int error = 0;
  const Deadline attempt = deadline.or_earlier(Deadline::in_ms(kAttemptMs));
  Descriptor fd = connect_from_network(address, attempt, error);
  if (!fd) throw NotYet{fmt::format("connecting to {}: {}", to_text(address), std::strerror(error))};
  if (address.family() == AF_UNIX && identity_.secret.empty()) {
    const int64_t user = peer_user(fd.get());
    if (user > 0 && ::geteuid() != 0 && user != ::geteuid()) {
      fail(PS_ERR_DENIED, "the store at {} belongs to user {}, this process to user {}, and there is no secret that "
           "would prove that they belong together; set PS_SECRET", found_, user, ::geteuid());
    }
  }
  try {
    return std::make_unique<Connection>(std::move(fd), identity_, found_, attempt, check);
  } catch (const Error& error) {
    // A file may be a dead job's, and its address another's by now: the job's own rank 0 will replace it.
    const bool may_be_stale = address_.scheme == Scheme::kFile && identity_.role != Role::kMeeting;
    if (may_be_stale && error.code() == PS_ERR_SYSTEM) throw NotYet{error.text()};
    throw;
  } catch (const Stranger& stranger) {
    const bool by_file = address_.scheme == Scheme::kFile;
    if (by_file && !stranger.silent) throw NotYet{fmt::format("a stranger answers at {}", found_)};
    const auto name = by_file ? std::nullopt : identify_stranger(address, stranger.first_bytes, deadline);
    if (name) {
      fail(PS_ERR_SYSTEM, "{} is not a store of ParallelState: {} answers there; use another port", found_, *name);
    }
    if (stranger.silent) throw NotYet{"something accepts connections there and says nothing (it may be stopped)", true};
    const int64_t now = monotonic_ns();
    if (strange_answers_++ == 0) first_strange_ns_ = now;
    if (strange_answers_ >= kStrangeAnswers && now - first_strange_ns_ >= kStrangeNs) {
      fail(PS_ERR_SYSTEM, "{} is not a store of ParallelState: what listens there closes every connection without "
           "answering; use another port", found_);
    }
    throw NotYet{"something there closes connections without answering"};
  }
}

std::unique_ptr<Connection> Dialer::try_once(Deadline deadline, const StopCheck& check) {
  const Address where = target();
  found_ = to_url(where);
  if (where.scheme == Scheme::kUnix) return connect(unix_address(where.path), deadline, check);
  std::string why;
  bool silent = false;
  const auto addresses = resolve(where.host, where.port, why);
  for (const SocketAddress& address : addresses) {
    try {
      return connect(address, deadline, check);
    } catch (const NotYet& not_yet) {
      why += (why.empty() ? "" : "; ") + not_yet.why;
      silent = silent || not_yet.silent;
    }
  }
  throw NotYet{why, silent};
}

std::unique_ptr<Connection> Dialer::dial(Deadline deadline) {
  const int64_t begin = monotonic_ns();
  int64_t pause = kShortestPauseMs;
  // Ranks that start together do not keep asking together.
  std::minstd_rand random(std::random_device{}());
  std::string why;
  while (true) {
    try {
      return try_once(deadline);
    } catch (const NotYet& not_yet) {
      // An attempt that the deadline cut short tells less than the one before.
      if (why.empty() || !deadline.passed()) why = not_yet.why;
    }
    if (deadline.passed()) {
      fail(PS_ERR_TIMEOUT, "nobody answered as a store at {} within {} ms; the last attempt: {}", url_,
           (monotonic_ns() - begin) / 1'000'000, why);
    }
    pause_ms(std::min<int64_t>(pause + static_cast<int64_t>(random() % 4), deadline.remaining_ms()));
    pause = std::min(2 * pause, kLongestPauseMs);
  }
}

}  // namespace ps
