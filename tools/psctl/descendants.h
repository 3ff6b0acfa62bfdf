// Everything below this process, made killable: as a subreaper it becomes the parent of each orphan among its
// descendants, also of those that left their session or process group.
#pragma once

#include <sys/types.h>

#include <vector>

namespace psctl {

class Descendants {
 public:
  // Makes this process a subreaper. Children that it already has (from before exec) are not touched later.
  Descendants();

  // SIGKILL for every child, and for the orphans that this gives, until there are none; reaps them. SIGCHLD must be
  // blocked. Gives up after two seconds: a process that waits for a device may take longer to end.
  void kill_all() const;

 private:
  std::vector<pid_t> children() const;

  std::vector<pid_t> foreign_;
};

}  // namespace psctl
