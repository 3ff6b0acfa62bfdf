// Which addresses a host shows to others.
#include "control/store/network.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "control/store/store.h"

namespace ps {
namespace {

TEST(Network, LoopbackIsOutOfReachOfOtherHosts) {
  EXPECT_TRUE(is_out_of_reach("tcp://127.0.1.1:5"));
  EXPECT_TRUE(is_out_of_reach("tcp://[::1]:5"));
  EXPECT_TRUE(is_out_of_reach("tcp://localhost:5"));
  EXPECT_FALSE(is_out_of_reach("tcp://192.0.2.1:5"));
  EXPECT_FALSE(is_out_of_reach("unix:///tmp/x"));
}

TEST(Network, ANetworkOfOneFamily) {
  EXPECT_EQ(host_of(network_address("127.0.0.1")), "127.0.0.1");
  EXPECT_EQ(host_of(*network_address("lo", AF_INET)), "127.0.0.1");
  EXPECT_FALSE(network_address("127.0.0.1", AF_INET6).has_value());
}

TEST(Network, PeersSeeTheNamedNetworkElseTheHostsName) {
  EXPECT_EQ(peer_address("lo", "tcp://192.0.2.1:5"), "127.0.0.1");
  EXPECT_EQ(peer_address("", "unix:///tmp/x"), host_name());
  EXPECT_THROW(peer_address("no-such-network", "unix:///tmp/x"), Error);
}

StoreSettings settings(const std::string& url) {
  StoreSettings settings;
  settings.url = url;
  settings.secret = "of this test";
  return settings;
}

TEST(Network, AWildcardMeansTheNetworkThatIsNamed) {
  StoreSettings on_loopback = settings("tcp://0.0.0.0:0");
  on_loopback.network = "lo";
  on_loopback.secret.clear();
  const auto store = host_store(on_loopback);
  EXPECT_TRUE(store->url().starts_with("tcp://127.0.0.1:")) << store->url();
}

TEST(Network, LocalhostStaysLoopbackAndIsMetThere) {
  const auto store = host_store(settings("tcp://localhost:0"));
  EXPECT_TRUE(is_out_of_reach(store->url())) << store->url();
  join_store(settings(store->url()), Deadline::in_ms(30'000))->set("k", "v", 0);
  EXPECT_EQ(store->get("k", Deadline::in_ms(0)), "v");
}

TEST(Network, ANetworkWithoutTheTargetsFamilyIsSaid) {
  StoreSettings client = settings("tcp://[2001:db8::1]:5");
  client.network = "127.0.0.1";
  try {
    join_store(client, Deadline::in_ms(1));
    FAIL() << "it joined";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), PS_ERR_TIMEOUT);
    EXPECT_NE(error.text().find("\"127.0.0.1\" has no IPv6 address"), std::string::npos) << error.text();
  }
}

}  // namespace
}  // namespace ps
