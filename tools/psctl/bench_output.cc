#include "bench_output.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>

#include "descriptor.h"

namespace psctl {
namespace {

constexpr size_t kUsualWidth = 80;
constexpr char kStartOfEmptyLine[] = "\r\x1b[K";

}  // namespace

void print_results(int fd, const std::string& text) {
  for (size_t done = 0; done < text.size();) {
    const ssize_t count = ::write(fd, text.data() + done, text.size() - done);
    if (count < 0 && errno != EINTR) fail_errno("cannot write the results");
    if (count > 0) done += static_cast<size_t>(count);
  }
}

Progress::Progress(int fd) : fd_(fd), is_watched_(::isatty(fd) == 1) {}

void Progress::show(const std::string& text) {
  if (!is_watched_) return;
  winsize size{};
  const bool is_known = ::ioctl(fd_, TIOCGWINSZ, &size) == 0 && size.ws_col > 1;
  const size_t room = (is_known ? size.ws_col : kUsualWidth) - 1;
  ::dprintf(fd_, "%s%s", kStartOfEmptyLine, text.substr(0, room).c_str());
  is_shown_ = true;
}

void Progress::clear() {
  if (is_shown_) ::dprintf(fd_, "%s", kStartOfEmptyLine);
  is_shown_ = false;
}

}  // namespace psctl
