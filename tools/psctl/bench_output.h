// Where a rank of `psctl bench` prints: results for the user, and one line of progress for somebody who watches.
#pragma once

#include <string>

namespace psctl {

// All of it, or throws.
void print_results(int fd, const std::string& text);

// Shown only on a terminal, each text in place of the one before.
class Progress {
 public:
  explicit Progress(int fd);
  Progress(const Progress&) = delete;
  ~Progress() { clear(); }

  void show(const std::string& text);
  void clear();

 private:
  int fd_;
  bool is_watched_;
  bool is_shown_ = false;
};

}  // namespace psctl
