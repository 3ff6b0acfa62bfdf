// A control group of its own for one test, where this process may make one. It ends with its processes gone.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <vector>

#include "world.h"

namespace ps_test {

class ControlGroup {
 public:
  // `files`: names of the controller's limit, in either version; one of them must be writable.
  ControlGroup(const std::string& controller, const std::vector<std::string>& files) {
    for (const std::string& mount : {"/sys/fs/cgroup/" + controller, std::string("/sys/fs/cgroup")}) {
      path_ = mount + "/parallelstate-test-" + std::to_string(::getpid());
      if (::access((mount + "/cgroup.procs").c_str(), W_OK) != 0) continue;
      std::error_code error;
      if (!std::filesystem::create_directory(path_, error)) continue;
      for (const std::string& file : files) {
        if (::access((path_ + "/" + file).c_str(), W_OK) == 0) return;
      }
      std::filesystem::remove(path_, error);
    }
    path_.clear();
  }
  ~ControlGroup() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove(path_, ignored);
  }
  ControlGroup(const ControlGroup&) = delete;
  ControlGroup& operator=(const ControlGroup&) = delete;

  bool exists() const { return !path_.empty(); }
  // For the ranks.
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline void move_into(const std::string& control_group) {
  std::ofstream file(control_group + "/cgroup.procs");
  file << ::getpid() << std::flush;
  require(file.good(), "cannot move into " + control_group);
}

}  // namespace ps_test
