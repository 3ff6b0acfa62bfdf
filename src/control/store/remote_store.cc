#include "control/store/remote_store.h"

#include <time.h>

#include <cerrno>
#include <cstring>
#include <limits>
#include <utility>

#include "control/store/exchange_rounds.h"
#include "control/store/key.h"

namespace ps {
namespace {

constexpr size_t kMostIdle = 8;
// How much longer than the call's deadline the host may take to say that it has passed.
constexpr int64_t kAnswerGraceMs = 5000;
// How long after a refused connection another thread's connection is given to tell an orderly end from a crash.
constexpr int64_t kReasonGraceMs = 500;

Deadline later(Deadline deadline, int64_t ms) {
  const int64_t longest = std::numeric_limits<int64_t>::max() - ms * 1'000'000;
  return deadline.ns() >= longest ? Deadline::never() : Deadline::at_ns(deadline.ns() + ms * 1'000'000);
}

void pause_ms(int64_t ms) {
  const timespec time = {0, ms * 1'000'000};
  ::nanosleep(&time, nullptr);
}

}  // namespace

RemoteStore::RemoteStore(Dialer dialer, std::unique_ptr<Connection> first, int64_t timeout_ms)
    : timeout_ms_(timeout_ms),
      url_(dialer.url()),
      host_(first->host()),
      host_name_(fmt::format("pid {} on {}, at {}", host_.pid, host_.host, url_)),
      dialer_(std::move(dialer)) {
  idle_.push_back(std::move(first));
}

void RemoteStore::end(psResult code, std::string text) {
  std::lock_guard lock(mutex_);
  if (!ended_) ended_.emplace(code, std::move(text));
  idle_.clear();
  throw *ended_;
}

// Where nobody listens any more the host is gone. One that only says nothing may be stopped, and is awaited as an answer
// is.
std::unique_ptr<Connection> RemoteStore::take_connection(Deadline deadline, const StopCheck& check) {
  Deadline reason_deadline = Deadline::never();
  while (true) {
    std::string why;
    {
      std::lock_guard lock(mutex_);
      if (ended_) throw *ended_;
      if (!idle_.empty()) {
        auto connection = std::move(idle_.back());
        idle_.pop_back();
        return connection;
      }
    }
    try {
      Dialer dialer = [&] {
        std::lock_guard lock(mutex_);
        return dialer_;
      }();
      return dialer.try_once(deadline, check);
    } catch (const NotYet& not_yet) {
      why = not_yet.why;
      if (not_yet.silent) {
        if (deadline.passed()) throw StreamTimeout{};
        if (check) check();
        continue;
      }
    }
    if (reason_deadline.ns() == Deadline::never().ns()) reason_deadline = Deadline::in_ms(kReasonGraceMs);
    if (reason_deadline.passed()) {
      end(PS_ERR_PEER_FAILED, fmt::format("the store's host ({}) is gone: {}", host_name_, why));
    }
    pause_ms(5);
  }
}

void RemoteStore::give_back(std::unique_ptr<Connection> connection) {
  std::lock_guard lock(mutex_);
  if (!ended_ && idle_.size() < kMostIdle) idle_.push_back(std::move(connection));
}

Frame RemoteStore::converse(Connection& connection, const Request& request, Deadline deadline,
                            const StopCheck& check) {
  uint64_t number = 0;
  try {
    number = connection.send(frame_type(request), encode_request(request), deadline);
  } catch (const StreamEnded&) {
    // What the host said before it ended the connection is still there to be read.
  }
  while (true) {
    Frame frame = connection.receive(deadline, check);
    if (frame.header.type == FrameType::kGoodbye) {
      end(PS_ERR_CLOSED, fmt::format("the store was closed by its host ({})", host_name_));
    }
    if (frame.header.request == number) return frame;
    throw StreamEnded{EPROTO};
  }
}

Frame RemoteStore::call(const Request& request, FrameType reply, Deadline deadline, const StopCheck& check) {
  const int64_t begin = monotonic_ns();
  std::unique_ptr<Connection> connection;
  try {
    connection = take_connection(later(deadline, kAnswerGraceMs), check);
    Frame frame = converse(*connection, request, later(deadline, kAnswerGraceMs), check);
    if (frame.header.type == FrameType::kError) {
      auto error = parse_error(frame.body);
      give_back(std::move(connection));
      if (!error) fail(PS_ERR_INTERNAL, "the store's host ({}) sent an error that cannot be read", host_name_);
      throw *error;
    }
    if (frame.header.type != reply) throw StreamEnded{EPROTO};
    give_back(std::move(connection));
    return frame;
  } catch (const StreamEnded& ended) {
    const std::string how = ended.error == 0 ? "ended" : fmt::format("failed: {}", std::strerror(ended.error));
    end(PS_ERR_PEER_FAILED, fmt::format("the store's host ({}) is gone: the connection {}", host_name_, how));
  } catch (const StreamTimeout&) {
    fail(PS_ERR_TIMEOUT, "the store's host ({}) did not answer within {} ms; it may be stopped", host_name_,
         (monotonic_ns() - begin) / 1'000'000);
  } catch (const Error& error) {
    // Thrown by `check`: the others must know that this member will not come.
    if (connection != nullptr && check) {
      try {
        connection->send(FrameType::kGiveUp, encode_request(GiveUpRequest{error.code(), error.culprit(), error.text()}),
                         Deadline::in_ms(kReasonGraceMs));
      } catch (const StreamEnded&) {
      } catch (const StreamTimeout&) {
      }
    }
    throw;
  }
}

void RemoteStore::check_size(std::string_view key, std::string_view value) const {
  if (value.size() > host_.max_value_bytes) {
    fail(PS_ERR_ARGUMENT,
         "the value of the key \"{}\" has {} bytes, and this store takes {} (max_value_bytes of whoever hosts it)",
         shown_key(key), value.size(), host_.max_value_bytes);
  }
  if (key.empty() || key.size() > kLongestKey) {
    fail(PS_ERR_ARGUMENT, "a key of the store has 1 to {} bytes, this one {}", kLongestKey, key.size());
  }
}

int64_t RemoteStore::call_for_number(const Request& request, const StopCheck& check) {
  const auto number = parse_number(call(request, FrameType::kNumber, Deadline::in_ms(timeout_ms_), check).body);
  if (!number) fail(PS_ERR_INTERNAL, "the store's host ({}) sent a number that cannot be read", host_name_);
  return *number;
}

void RemoteStore::set(std::string_view key, std::string_view value, int64_t expire_ms, const StopCheck& check) {
  check_size(key, value);
  call_for_number(SetRequest{key, value, expire_ms}, check);
}

std::string RemoteStore::get(std::string_view key, Deadline deadline, const StopCheck& check) {
  check_size(key, "");
  const Frame frame = call(GetRequest{key, deadline.remaining_ms()}, FrameType::kValue, deadline, check);
  return std::string(frame.body);
}

int64_t RemoteStore::add(std::string_view key, int64_t delta) {
  check_size(key, "");
  return call_for_number(AddRequest{key, delta});
}

bool RemoteStore::compare_and_set(std::string_view key, std::optional<std::string_view> expected,
                                  std::string_view desired, int64_t expire_ms, const StopCheck& check) {
  check_size(key, desired);
  if (expected && expected->size() > host_.max_value_bytes) return false;
  return call_for_number(CompareAndSetRequest{key, expected, desired, expire_ms}, check) != 0;
}

bool RemoteStore::remove(std::string_view key, const StopCheck& check) {
  check_size(key, "");
  return call_for_number(RemoveRequest{key}, check) != 0;
}

Exchanged RemoteStore::exchange(const Exchange& request, Deadline deadline, const StopCheck& check) {
  check_exchange(request);
  const auto frame = std::make_shared<const Frame>(
      call(ExchangeRequest{request, deadline.remaining_ms()}, FrameType::kExchanged, deadline, check));
  auto exchanged = parse_exchanged(frame->body);
  if (!exchanged || exchanged->blobs.size() != request.members.size()) {
    fail(PS_ERR_INTERNAL, "the store's host ({}) sent an exchange's result that cannot be read", host_name_);
  }
  exchanged->owner = frame;
  return std::move(*exchanged);
}

}  // namespace ps
