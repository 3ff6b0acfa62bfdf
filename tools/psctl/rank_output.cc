#include "rank_output.h"

#include <poll.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstdlib>

namespace psctl {
namespace {

constexpr int64_t kUnfinishedMs = 200;
constexpr size_t kLongestPending = 64 << 10;
constexpr size_t kFullBytes = 1 << 20;

// "[2] ", on a terminal each rank in a colour of its own.
std::string prefix_of(int rank, bool coloured) {
  const std::string plain = "[" + std::to_string(rank) + "] ";
  if (!coloured) return plain;
  constexpr std::array<const char*, 6> kColours = {"36", "33", "32", "35", "34", "31"};
  return std::string("\x1b[") + kColours[static_cast<size_t>(rank) % kColours.size()] + "m" + plain + "\x1b[0m";
}

bool wants_colour(const Sink& sink) {
  const char* refused = std::getenv("NO_COLOR");
  return sink.is_terminal() && (refused == nullptr || *refused == '\0');
}

}  // namespace

int64_t now_ms() {
  timespec now;
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

Sink::Sink(int fd) : fd_(fd), is_terminal_(::isatty(fd) == 1) {}

void Sink::add(const void* writer, std::string_view prefix, std::string_view text, bool is_complete) {
  if (is_broken_) return;
  if (open_writer_ != writer) {
    close_line();
    buffer_ += prefix;
  }
  buffer_ += text;
  open_writer_ = is_complete ? nullptr : writer;
  if (is_complete) buffer_ += '\n';
}

void Sink::close_line() {
  if (open_writer_ != nullptr) buffer_ += '\n';
  open_writer_ = nullptr;
}

void Sink::flush() {
  size_t written = 0;
  while (written < buffer_.size()) {
    pollfd ready{fd_, POLLOUT, 0};
    if (::poll(&ready, 1, 0) <= 0) break;
    // A pipe that is ready takes PIPE_BUF bytes without blocking.
    const size_t size = std::min<size_t>(buffer_.size() - written, PIPE_BUF);
    const ssize_t count = ::write(fd_, buffer_.data() + written, size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) break;
    if (count < 0) {
      is_broken_ = true;
      buffer_.clear();
      return;
    }
    written += static_cast<size_t>(count);
  }
  buffer_.erase(0, written);
}

bool Sink::is_full() const { return buffer_.size() > kFullBytes; }

RankOutput::RankOutput(Descriptor pipe, int rank, Sink& sink)
    : pipe_(std::move(pipe)), prefix_(prefix_of(rank, wants_colour(sink))), sink_(&sink) {}

void RankOutput::read(size_t at_most) {
  std::array<char, 16 << 10> chunk;
  for (size_t total = 0; pipe_ && total < at_most;) {
    const ssize_t count = ::read(pipe_.get(), chunk.data(), chunk.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) {
      if (pending_due_ms_ < 0 && !pending_.empty()) pending_due_ms_ = now_ms() + kUnfinishedMs;
      return;
    }
    if (count <= 0) return finish();
    total += static_cast<size_t>(count);
    std::string_view rest(chunk.data(), static_cast<size_t>(count));
    for (size_t end; (end = rest.find('\n')) != std::string_view::npos; rest.remove_prefix(end + 1)) {
      pending_ += rest.substr(0, end);
      sink_->add(this, prefix_, pending_, true);
      forget_pending();
    }
    pending_ += rest;
    if (pending_.size() > kLongestPending) show_pending();
  }
}

void RankOutput::show_unfinished_line(size_t at_most) {
  // Only of what is not there can one say that it does not come: psctl itself may be late.
  const int64_t due = unfinished_due_ms();
  if (due < 0 || now_ms() < due) return;
  read(at_most);
  if (unfinished_due_ms() == due) show_pending();
}

void RankOutput::show_pending() {
  if (!pending_.empty()) sink_->add(this, prefix_, pending_, false);
  forget_pending();
}

void RankOutput::forget_pending() {
  pending_.clear();
  pending_due_ms_ = -1;
}

void RankOutput::finish() {
  if (!pending_.empty()) sink_->add(this, prefix_, pending_, true);
  forget_pending();
  pipe_.reset();
}

}  // namespace psctl
