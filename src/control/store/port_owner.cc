#include "control/store/port_owner.h"

#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <sstream>
#include <vector>

#include "base/error.h"

namespace ps {
namespace {

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

template <class Visitor>
void for_each_entry(const std::string& path, Visitor visit) {
  const std::unique_ptr<DIR, CloseDirectory> directory(::opendir(path.c_str()));
  while (directory != nullptr) {
    const dirent* const entry = ::readdir(directory.get());
    if (entry == nullptr) return;
    if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9') visit(std::string(entry->d_name));
  }
}

// The lines of /proc/net/tcp: "sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode ..."; state 0A
// listens.
void find_listeners(const char* table, uint16_t port, std::vector<std::string>& inodes) {
  std::ifstream file(table);
  std::string line;
  std::getline(file, line);
  const std::string suffix = fmt::format(":{:04X}", port);
  while (std::getline(file, line)) {
    std::istringstream fields(line);
    std::string slot, local, remote, state, queues, timer, retransmits, user, timeout, inode;
    fields >> slot >> local >> remote >> state >> queues >> timer >> retransmits >> user >> timeout >> inode;
    if (state == "0A" && local.ends_with(suffix)) inodes.push_back("socket:[" + inode + "]");
  }
}

bool has_any(const std::string& pid, const std::vector<std::string>& links) {
  bool found = false;
  const std::string directory = "/proc/" + pid + "/fd";
  for_each_entry(directory, [&](const std::string& fd) {
    char target[64];
    const ssize_t size = ::readlink((directory + "/" + fd).c_str(), target, sizeof target);
    if (size > 0 && std::find(links.begin(), links.end(), std::string(target, size)) != links.end()) found = true;
  });
  return found;
}

}  // namespace

std::string port_owner(uint16_t port) {
  std::vector<std::string> inodes;
  find_listeners("/proc/net/tcp", port, inodes);
  find_listeners("/proc/net/tcp6", port, inodes);
  if (inodes.empty()) return "a socket that is bound and does not listen";
  std::string owner;
  for_each_entry("/proc", [&](const std::string& pid) {
    if (!owner.empty() || !has_any(pid, inodes)) return;
    std::ifstream file("/proc/" + pid + "/comm");
    std::string name;
    std::getline(file, name);
    owner = fmt::format("{} (pid {})", name, pid);
  });
  return owner.empty() ? "a process of another user or container" : owner;
}

}  // namespace ps
