#include "world_environment.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>

#include <array>
#include <filesystem>
#include <map>

namespace psctl {
namespace {

constexpr size_t kSecretBytes = 32;
constexpr size_t kJobBytes = 8;

std::string random_hex(size_t bytes) {
  constexpr const char* kDigits = "0123456789abcdef";
  std::array<unsigned char, kSecretBytes> random;
  // Up to 256 bytes come whole and without EINTR once the system has started.
  if (::getrandom(random.data(), bytes, 0) != static_cast<ssize_t>(bytes)) fail_errno("cannot read random bytes");
  std::string text;
  for (size_t i = 0; i < bytes; ++i) {
    text += kDigits[random[i] >> 4];
    text += kDigits[random[i] & 15];
  }
  return text;
}

// Launchers of an outer job: what they say is not about the ranks started here.
bool is_of_another_launch(const std::string& name) {
  return name.starts_with("TORCHELASTIC_") || name == "GROUP_WORLD_SIZE" || name == "PS_LISTEN_FD";
}

}  // namespace

WorldEnvironment::WorldEnvironment(int local_size) : local_size_(local_size), world_size_(local_size) {
  job_ = "psctl-" + random_hex(kJobBytes);
  secret_ = random_hex(kSecretBytes);
  port_holder_ = Descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!port_holder_) fail_errno("cannot make a socket");
  const int on = 1;
  ::setsockopt(port_holder_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  socklen_t length = sizeof address;
  if (::bind(port_holder_.get(), reinterpret_cast<sockaddr*>(&address), length) != 0 ||
      ::getsockname(port_holder_.get(), reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    fail_errno("cannot reserve a port for MASTER_PORT");
  }
  port_ = ntohs(address.sin_port);

  // Not $TMPDIR: the path of a UNIX socket has 107 bytes at most.
  std::string pattern = "/tmp/psctl-XXXXXX";
  if (::mkdtemp(pattern.data()) == nullptr) fail_errno("cannot make a directory in /tmp");
  directory_ = pattern;
  url_ = "unix://" + directory_ + "/world.sock";
}

void WorldEnvironment::spread(const NodePlace& place) {
  world_size_ = place.world_size;
  first_rank_ = place.first_rank;
  node_ = place.node;
  url_ = place.url;
  master_host_ = place.master_host;
  port_ = place.master_port;
  job_ = place.job;
  secret_.clear();  // other hosts know only what they were given
}

void WorldEnvironment::remove_directory() const {
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

std::vector<std::string> WorldEnvironment::of_rank(int local_rank, const Variables& over) const {
  std::map<std::string, std::string> variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0) continue;
    if (is_of_another_launch(text.substr(0, equals))) continue;
    variables[text.substr(0, equals)] = text.substr(equals + 1);
  }
  for (const char* name : {"PS_RANK", "RANK"}) variables[name] = std::to_string(first_rank_ + local_rank);
  for (const char* name : {"PS_WORLD_SIZE", "WORLD_SIZE"}) variables[name] = std::to_string(world_size_);
  for (const char* name : {"PS_LOCAL_RANK", "LOCAL_RANK"}) variables[name] = std::to_string(local_rank);
  for (const char* name : {"PS_LOCAL_SIZE", "LOCAL_WORLD_SIZE"}) variables[name] = std::to_string(local_size_);
  variables["PS_RENDEZVOUS"] = url_;
  variables["GROUP_RANK"] = std::to_string(node_);
  variables["MASTER_ADDR"] = master_host_;
  variables["MASTER_PORT"] = std::to_string(port_);
  for (const auto& [name, value] : over) variables[name] = value;
  const auto is_given = [&](const char* name) {
    const auto found = variables.find(name);
    return found != variables.end() && !found->second.empty();
  };
  if (!is_given("PS_JOB")) variables["PS_JOB"] = job_;
  const bool has_own_secret = is_given("PS_SECRET") || is_given("PS_SECRET_FILE");
  if (!has_own_secret && !secret_.empty()) variables["PS_SECRET"] = secret_;

  std::vector<std::string> all;
  for (const auto& [name, value] : variables) all.push_back(name + "=" + value);
  return all;
}

}  // namespace psctl
