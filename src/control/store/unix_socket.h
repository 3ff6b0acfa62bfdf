// A UNIX socket's file. A process that is killed leaves it behind, and then nobody can bind there; so who finds a file
// that nobody answers removes it, under a lock on its directory, without which two could remove each other's new one.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

#include "base/descriptor.h"

namespace ps {

class UnixSocketFile {
 public:
  // Binds and listens; `fd` becomes the listener. nullptr when a living process listens there. Errors: SYSTEM.
  static std::unique_ptr<UnixSocketFile> listen(const std::string& path, Descriptor& fd);
  // Removes the file unless it is another's by now.
  ~UnixSocketFile();
  UnixSocketFile(const UnixSocketFile&) = delete;
  UnixSocketFile& operator=(const UnixSocketFile&) = delete;

 private:
  UnixSocketFile(std::string path, dev_t device, ino_t inode)
      : path_(std::move(path)), device_(device), inode_(inode) {}

  const std::string path_;
  const dev_t device_;
  const ino_t inode_;
};

// An exclusive flock on a directory. Errors: SYSTEM; TIMEOUT after a few seconds.
class DirectoryLock {
 public:
  explicit DirectoryLock(const std::string& directory);

 private:
  Descriptor fd_;
};

std::string directory_of(const std::string& path);

}  // namespace ps
