// A folder of a test, which goes with it. One whose test was killed goes when the next program that makes one starts: the
// maker holds a lock on a file beside it, and the kernel lets go of that with the process, however it ends. (A lock on
// the folder itself would be in the library's way, which takes that while it looks for a stale socket.)
#pragma once

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace ps_test {

class ScratchFolder {
 public:
  explicit ScratchFolder(const std::string& name) {
    static const bool swept = (remove_stale(), true);
    static_cast<void>(swept);
    path_ = (std::filesystem::temp_directory_path() / (kPrefix + name + "-XXXXXX")).string();
    if (::mkdtemp(path_.data()) == nullptr) throw std::runtime_error("mkdtemp " + path_ + ": " + std::strerror(errno));
    lock_ = ::open((path_ + kLock).c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (lock_ >= 0) ::flock(lock_, LOCK_EX | LOCK_NB);
  }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
    std::filesystem::remove(path_ + kLock, ignored);
    if (lock_ >= 0) ::close(lock_);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const std::string& path() const { return path_; }

  // Those that nobody holds. Young ones stay: their makers may be about to lock them.
  static void remove_stale() {
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::temp_directory_path(), ignored)) {
      if (!entry.path().filename().string().starts_with(kPrefix) || entry.path().extension() != kLock) continue;
      const int lock = ::open(entry.path().c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC);
      if (lock < 0) continue;
      struct stat status;
      if (::fstat(lock, &status) == 0 && status.st_uid == ::geteuid() &&
          std::time(nullptr) - status.st_mtime > kYoungSeconds && ::flock(lock, LOCK_EX | LOCK_NB) == 0) {
        std::filesystem::path folder = entry.path();
        std::filesystem::remove_all(folder.replace_extension(), ignored);
        std::filesystem::remove(entry.path(), ignored);
      }
      ::close(lock);
    }
  }

 private:
  static constexpr const char* kPrefix = "ps-test-";
  static constexpr const char* kLock = ".lock";
  static constexpr int kYoungSeconds = 60;

  std::string path_;
  int lock_ = -1;
};

}  // namespace ps_test
