#include "control/launch_pmi.h"

#include <sys/socket.h>

#include <sstream>

#include "base/environment.h"
#include "base/error.h"
#include "base/text_file.h"

namespace ps {
namespace {

// Field 22 of /proc/<pid>/stat, in ticks since the system started: with it a number that is used again is another name.
std::string start_time(pid_t pid) {
  TextFile file(fmt::format("/proc/{}/stat", pid));
  std::string text;
  std::getline(file, text);
  const size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return "";
  std::istringstream fields(text.substr(name_end + 1));
  std::string field;
  for (int number = 3; number <= 22; ++number) fields >> field;
  return field;
}

}  // namespace

std::string pmi_server() {
  const auto text = environment("PMI_FD");
  const auto fd = text ? parse_integer(*text) : std::nullopt;
  ucred peer = {};
  socklen_t size = sizeof peer;
  if (!fd || *fd < 0 || *fd > 1 << 30) return "";
  if (::getsockopt(static_cast<int>(*fd), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || peer.pid <= 0) return "";
  return fmt::format("pid={} start={}\n", peer.pid, start_time(peer.pid));
}

}  // namespace ps
