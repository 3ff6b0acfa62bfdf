#include "control/store/address.h"

#include "support.h"

namespace ps {
namespace {

TEST(Address, EachFormIsTakenApartAndPutTogether) {
  const Address tcp = parse_address("tcp://node-1.example:29400");
  EXPECT_EQ(tcp.scheme, Scheme::kTcp);
  EXPECT_EQ(tcp.host, "node-1.example");
  EXPECT_EQ(tcp.port, 29400);
  const Address six = parse_address("tcp://[fe80::1%eth0]:0");
  EXPECT_EQ(six.host, "fe80::1%eth0");
  EXPECT_EQ(six.port, 0);
  EXPECT_EQ(parse_address("unix:///run/x/sock").path, "/run/x/sock");
  EXPECT_EQ(parse_address("file:///shared/dir").path, "/shared/dir");
  EXPECT_EQ(parse_address("mem://a-world").name, "a-world");
  EXPECT_EQ(parse_address("fd://7").descriptor, 7);
  for (const char* url : {"tcp://127.0.0.1:1", "tcp://[::1]:65535", "unix:///a", "file:///b", "mem://c", "fd://0"}) {
    EXPECT_EQ(to_url(parse_address(url)), url);
  }
}

TEST(Address, WhatIsWrongIsSaid) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "is empty"},
      {"127.0.0.1:29400", "no scheme"},
      {"http://x:1", "unknown scheme"},
      {"tcp://host", "no port"},
      {"tcp://:29400", "no host"},
      {"tcp://host:", "no number"},
      {"tcp://host:65536", "no number"},
      {"tcp://host:-1", "no number"},
      {"tcp://host:1x", "no number"},
      {"tcp://::1:29400", "in brackets"},
      {"tcp://[::1:29400", "no \"]\""},
      {"tcp://[::1]29400", "no port"},
      {"tcp://[localhost]:1", "in brackets"},
      {"unix://relative", "absolute path"},
      {"unix:///directory/", "names a directory"},
      {"unix:///" + std::string(200, 'x'), "the system allows 107"},
      {"file://", "absolute path"},
      {"mem://", "no name"},
      {"fd://stdin", "no descriptor number"},
      {"fd://-1", "no descriptor number"},
      {"tcp://a\nb:1", "control character"},
      {"tcp://" + std::string(5000, 'a') + ":1", "longer than"},
  };
  for (const auto& [url, text] : cases) EXPECT_ERROR(parse_address(url), PS_ERR_ARGUMENT, text);
}

}  // namespace
}  // namespace ps
