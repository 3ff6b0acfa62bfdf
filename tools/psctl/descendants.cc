#include "descendants.h"

#include <dirent.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>

#include "descriptor.h"

namespace psctl {
namespace {

constexpr int kRounds = 1000;
constexpr timespec kRound{0, 10'000'000};

// The parent and state in /proc/<pid>/stat, whose second field may hold anything between its parentheses.
struct Status {
  char state = 'X';
  pid_t parent = -1;
};

Status status_of(const char* pid) {
  const Descriptor file(::open((std::string("/proc/") + pid + "/stat").c_str(), O_RDONLY | O_CLOEXEC));
  char start[512];
  // Fails where the process has ended since it was listed.
  const ssize_t size = ::read(file.get(), start, sizeof start);
  const std::string text(start, size > 0 ? static_cast<size_t>(size) : 0);
  const size_t name_end = text.rfind(')');
  if (name_end == std::string::npos || name_end + 4 > text.size()) return {};
  return {text[name_end + 2], static_cast<pid_t>(std::strtol(text.c_str() + name_end + 3, nullptr, 10))};
}

}  // namespace

Descendants::Descendants() {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  foreign_ = children();
}

std::vector<pid_t> Descendants::children() const {
  std::vector<pid_t> found;
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir("/proc"), ::closedir);
  if (directory == nullptr) return found;
  while (const dirent* entry = ::readdir(directory.get())) {
    if (entry->d_name[0] < '1' || entry->d_name[0] > '9') continue;
    const Status status = status_of(entry->d_name);
    if (status.parent != ::getpid() || status.state == 'Z') continue;
    const pid_t pid = static_cast<pid_t>(std::strtol(entry->d_name, nullptr, 10));
    if (std::find(foreign_.begin(), foreign_.end(), pid) == foreign_.end()) found.push_back(pid);
  }
  return found;
}

void Descendants::kill_all() const {
  sigset_t child_ended;
  sigemptyset(&child_ended);
  sigaddset(&child_ended, SIGCHLD);
  for (int round = 0; round < kRounds; ++round) {
    pid_t reaped;
    do {
      reaped = ::waitpid(-1, nullptr, WNOHANG);
    } while (reaped > 0);
    if (reaped < 0) return;  // no children at all
    const std::vector<pid_t> alive = children();
    if (alive.empty()) {
      // Only what was there before; or one died since waitpid, which the next round reaps.
      if (!foreign_.empty()) return;
    }
    for (const pid_t pid : alive) ::kill(pid, SIGKILL);
    ::sigtimedwait(&child_ended, nullptr, &kRound);
  }
}

}  // namespace psctl
