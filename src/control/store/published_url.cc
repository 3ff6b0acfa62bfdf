#include "control/store/published_url.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <cctype>
#include <cerrno>

#include "base/descriptor.h"
#include "base/error.h"

namespace ps {
namespace {

constexpr size_t kLongestFile = 4096;

std::string read_file(const std::string& path) {
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  std::string text(kLongestFile, '\0');
  const ssize_t got = fd ? ::read(fd.get(), text.data(), text.size()) : -1;
  text.resize(got > 0 ? static_cast<size_t>(got) : 0);
  return text;
}

}  // namespace

std::string published_url_path(const std::string& directory, const std::string& job) {
  std::string name = "parallelstate";
  if (!job.empty()) name += '-';
  for (const char c : job.substr(0, 80)) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || c == '-' || c == '_' || c == '.') {
      name += c;
    } else {
      name += fmt::format("%{:02x}", static_cast<unsigned>(byte));
    }
  }
  return directory + (directory.ends_with('/') ? "" : "/") + name;
}

std::optional<Address> read_published_url(const std::string& path) {
  std::string text = read_file(path);
  // The line's end proves that it is whole.
  if (text.empty() || text.back() != '\n') return std::nullopt;
  text.pop_back();
  try {
    Address address = parse_address(text);
    if (address.scheme != Scheme::kTcp && address.scheme != Scheme::kUnix) return std::nullopt;
    return address;
  } catch (const Error&) {
    return std::nullopt;
  }
}

PublishedUrl::PublishedUrl(std::string path, const std::string& url) : path_(std::move(path)), url_(url + "\n") {
  const std::string draft = fmt::format("{}.{}", path_, ::getpid());
  Descriptor fd(::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) fail_errno("the store's URL cannot be published: opening {}", draft);
  const bool written = ::write(fd.get(), url_.data(), url_.size()) == static_cast<ssize_t>(url_.size());
  if (!written || ::rename(draft.c_str(), path_.c_str()) != 0) {
    const int error = errno;
    ::unlink(draft.c_str());
    errno = error;
    fail_errno("the store's URL cannot be published in {}", path_);
  }
}

PublishedUrl::~PublishedUrl() {
  if (read_file(path_) == url_) ::unlink(path_.c_str());
}

}  // namespace ps
