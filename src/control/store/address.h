// Where a store is met: the URL forms a caller may write, taken apart without asking the system anything.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ps {

enum class Scheme { kTcp, kUnix, kFile, kMemory, kDescriptor };

struct Address {
  Scheme scheme = Scheme::kMemory;
  std::string host;     // tcp: a name or a literal, IPv6 without its brackets
  uint16_t port = 0;    // tcp
  std::string path;     // unix: the socket; file: the directory
  std::string name;     // mem
  int descriptor = -1;  // fd
};

// tcp://host:port (IPv6 literals in brackets), unix:///path, file:///dir, mem://name, fd://N.
// Errors: ARGUMENT showing the URL and the form that was expected.
Address parse_address(std::string_view url);

// The URL of an address; parse_address's inverse.
std::string to_url(const Address& address);

}  // namespace ps
