// The job's secret from the environment. A file that others may read is refused: a secret that leaks without a sign is
// worse than a start that fails with one.
#include <fcntl.h>
#include <sys/stat.h>

#include "base/descriptor.h"
#include "base/environment.h"
#include "base/error.h"
#include "control/launch.h"

namespace ps {
namespace {

constexpr size_t kLongestSecret = 4096;

std::string read_secret_file(const std::string& path) {
  // O_NONBLOCK: opening a pipe would wait for its writer.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file) fail(PS_ERR_ARGUMENT, "cannot open PS_SECRET_FILE={}: {}", path, std::strerror(errno));
  struct stat status;
  if (::fstat(file.get(), &status) != 0) fail_errno("cannot examine PS_SECRET_FILE={}", path);
  if (!S_ISREG(status.st_mode)) fail(PS_ERR_ARGUMENT, "PS_SECRET_FILE={} is not a regular file", path);
  if ((status.st_mode & 0066) != 0) {
    fail(PS_ERR_ARGUMENT,
         "PS_SECRET_FILE={} can be read or written by others (mode {:04o}), so it keeps no secret; run: chmod 600 {}",
         path, status.st_mode & 07777, path);
  }
  std::string secret(kLongestSecret + 1, '\0');
  size_t size = 0;
  while (size < secret.size()) {
    const ssize_t count = ::read(file.get(), secret.data() + size, secret.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail_errno("cannot read PS_SECRET_FILE={}", path);
    if (count == 0) break;
    size += static_cast<size_t>(count);
  }
  secret.resize(size);
  if (size > kLongestSecret) {
    fail(PS_ERR_ARGUMENT, "PS_SECRET_FILE={} is longer than {} bytes; a secret is 32 random bytes or so", path,
         kLongestSecret);
  }
  if (secret.ends_with('\n')) secret.pop_back();
  if (secret.ends_with('\r')) secret.pop_back();
  if (secret.empty()) fail(PS_ERR_ARGUMENT, "PS_SECRET_FILE={} holds no secret: it is empty", path);
  return secret;
}

}  // namespace

std::string environment_secret() {
  if (auto secret = environment("PS_SECRET")) return *secret;
  if (const auto path = environment("PS_SECRET_FILE")) return read_secret_file(*path);
  return "";
}

}  // namespace ps
