#include "control/store/address.h"

#include <sys/un.h>

#include "base/environment.h"
#include "base/error.h"

namespace ps {
namespace {

constexpr size_t kLongestUrl = 4096;
constexpr size_t kLongestHost = 253;  // of a DNS name
constexpr size_t kLongestSocketPath = sizeof(sockaddr_un{}.sun_path) - 1;

// The URL as an error shows it: bounded, and nothing in it that a terminal would obey.
std::string shown(std::string_view url) {
  std::string text;
  for (const char c : url.substr(0, 200)) text += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  return url.size() > 200 ? text + "..." : text;
}

[[noreturn]] void refuse(std::string_view url, std::string_view why) {
  fail(PS_ERR_ARGUMENT,
       "the rendezvous URL \"{}\" {}; use tcp://host:port, unix:///path, file:///directory, mem://name or fd://N",
       shown(url), why);
}

void parse_tcp(std::string_view url, std::string_view rest, Address& address) {
  std::string_view host;
  std::string_view port;
  if (!rest.empty() && rest.front() == '[') {
    const size_t close = rest.find(']');
    if (close == std::string_view::npos) refuse(url, "has no \"]\" after its IPv6 address");
    host = rest.substr(1, close - 1);
    if (host.find(':') == std::string_view::npos) refuse(url, "has something other than an IPv6 address in brackets");
    rest.remove_prefix(close + 1);
    if (rest.empty() || rest.front() != ':') refuse(url, "has no port");
    port = rest.substr(1);
  } else {
    const size_t colon = rest.find(':');
    if (colon == std::string_view::npos) refuse(url, "has no port");
    if (rest.find(':', colon + 1) != std::string_view::npos) {
      refuse(url, "has more than one colon (an IPv6 address goes in brackets: tcp://[::1]:29400)");
    }
    host = rest.substr(0, colon);
    port = rest.substr(colon + 1);
  }
  if (host.empty()) refuse(url, "has no host (to listen on every address write tcp://0.0.0.0:port)");
  if (host.size() > kLongestHost) refuse(url, "has a host name of more than 253 bytes");
  const auto number = parse_integer(port);
  if (!number || *number < 0 || *number > 65535 || port.front() == '-') {
    refuse(url, "has a port that is no number from 0 to 65535");
  }
  address.host = host;
  address.port = static_cast<uint16_t>(*number);
}

}  // namespace

Address parse_address(std::string_view url) {
  if (url.empty()) refuse(url, "is empty");
  if (url.size() > kLongestUrl) refuse(url, "is longer than 4096 bytes");
  for (const char c : url) {
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7f) refuse(url, "contains a space or a control character");
  }
  const size_t colon = url.find("://");
  if (colon == std::string_view::npos) refuse(url, "has no scheme");
  const std::string_view scheme = url.substr(0, colon);
  const std::string_view rest = url.substr(colon + 3);

  Address address;
  if (scheme == "tcp") {
    address.scheme = Scheme::kTcp;
    parse_tcp(url, rest, address);
  } else if (scheme == "unix" || scheme == "file") {
    address.scheme = scheme == "unix" ? Scheme::kUnix : Scheme::kFile;
    if (rest.empty() || rest.front() != '/') refuse(url, "has no absolute path (three slashes: unix:///run/x)");
    if (scheme == "unix" && rest.size() > kLongestSocketPath) {
      fail(PS_ERR_ARGUMENT,
           "the rendezvous URL \"{}\" has a path of {} bytes, and the system allows {} for a UNIX socket; "
           "use a shorter directory, for example /tmp",
           shown(url), rest.size(), kLongestSocketPath);
    }
    if (scheme == "unix" && rest.back() == '/') refuse(url, "names a directory, not a socket");
    address.path = rest;
  } else if (scheme == "mem") {
    address.scheme = Scheme::kMemory;
    if (rest.empty()) refuse(url, "has no name");
    address.name = rest;
  } else if (scheme == "fd") {
    address.scheme = Scheme::kDescriptor;
    const auto number = parse_integer(rest);
    if (!number || *number < 0 || *number > 1'000'000'000 || rest.front() == '-') {
      refuse(url, "has no descriptor number");
    }
    address.descriptor = static_cast<int>(*number);
  } else {
    refuse(url, "has an unknown scheme");
  }
  return address;
}

std::string to_url(const Address& address) {
  switch (address.scheme) {
    case Scheme::kTcp:
      return address.host.find(':') == std::string::npos ? fmt::format("tcp://{}:{}", address.host, address.port)
                                                         : fmt::format("tcp://[{}]:{}", address.host, address.port);
    case Scheme::kUnix: return "unix://" + address.path;
    case Scheme::kFile: return "file://" + address.path;
    case Scheme::kMemory: return "mem://" + address.name;
    case Scheme::kDescriptor: return fmt::format("fd://{}", address.descriptor);
  }
  return "";
}

}  // namespace ps
