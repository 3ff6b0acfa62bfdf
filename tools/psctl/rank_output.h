// Whole lines out of many ranks' pipes. A line is held until its end arrives; one that stays unfinished (a prompt, a
// progress bar) is shown after a moment and continued in place, unless another rank wrote meanwhile.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "descriptor.h"

namespace psctl {

int64_t now_ms();

// Where lines go: psctl's own stdout or stderr, never written to when that would block.
class Sink {
 public:
  explicit Sink(int fd);

  // `writer` tells one source of lines from another. Incomplete text leaves the line open.
  void add(const void* writer, std::string_view prefix, std::string_view text, bool is_complete);
  // Ends an open line.
  void close_line();

  // Writes what can be written now.
  void flush();
  bool is_empty() const { return buffer_.empty(); }
  bool is_full() const;
  // Its reader has gone; what is added is dropped.
  bool is_broken() const { return is_broken_; }
  bool is_terminal() const { return is_terminal_; }
  int fd() const { return fd_; }

 private:
  int fd_;
  bool is_terminal_;
  bool is_broken_ = false;
  const void* open_writer_ = nullptr;
  std::string buffer_;
};

// One pipe of one rank.
class RankOutput {
 public:
  RankOutput(Descriptor pipe, int rank, Sink& sink);

  // Reads what is there. `at_most` bounds it, so that a rank that never stops writing does not keep others waiting.
  void read(size_t at_most);
  // A line whose end has not come for a moment, nor is there now.
  void show_unfinished_line(size_t at_most);
  // Shows what is unfinished and closes the pipe; the rank's next write gets SIGPIPE, as without psctl.
  void finish();

  bool is_open() const { return static_cast<bool>(pipe_); }
  int fd() const { return pipe_.get(); }
  bool is_waiting_for_sink() const { return sink_->is_full(); }
  bool has_lost_its_reader() const { return sink_->is_broken(); }
  // When an unfinished line should be shown; -1: there is none, or its end may wait behind the sink.
  int64_t unfinished_due_ms() const { return is_waiting_for_sink() ? -1 : pending_due_ms_; }

 private:
  void show_pending();
  void forget_pending();

  Descriptor pipe_;
  std::string prefix_;
  Sink* sink_;
  std::string pending_;
  int64_t pending_due_ms_ = -1;  // of what was pending when the pipe was found empty
};

}  // namespace psctl
