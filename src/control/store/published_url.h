// The file through which the ranks of a job that share a directory find their store: rank 0 writes its URL, the others
// read it and try it. A file that a killed job left behind is simply replaced.
#pragma once

#include <optional>
#include <string>

#include "control/store/address.h"

namespace ps {

// <directory>/parallelstate-<job>, the job's odd characters as %xx.
std::string published_url_path(const std::string& directory, const std::string& job);

// Nothing when there is no such file or when it names no address.
std::optional<Address> read_published_url(const std::string& path);

// The file, from its writing until its end.
class PublishedUrl {
 public:
  // Errors: SYSTEM.
  PublishedUrl(std::string path, const std::string& url);
  ~PublishedUrl();
  PublishedUrl(const PublishedUrl&) = delete;
  PublishedUrl& operator=(const PublishedUrl&) = delete;

 private:
  const std::string path_;
  const std::string url_;
};

}  // namespace ps
