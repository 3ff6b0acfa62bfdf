// Plugins that the library refuses, and why. PS_PLUGIN_PATH names the folder that has them.
#include "host/net/module.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace ps {
namespace {

void expect_refused(const std::string& name, psResult code, const std::vector<std::string>& parts) {
  try {
    find_transport(name);
    ADD_FAILURE() << name << " was accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.text();
    for (const std::string& part : parts) EXPECT_NE(error.text().find(part), std::string::npos) << error.text();
  }
}

TEST(Module, OneThatIsNotThereIsToldWithThePlaces) {
  expect_refused("carrier_pigeon", PS_ERR_UNSUPPORTED,
                 {"\"carrier_pigeon\"", "/parallelstate/ps_carrier_pigeon.so", "plugins/ps_carrier_pigeon.so", "PS_PLUGIN_PATH",
                  "libgloo-dev", "\"shm\""});
}

TEST(Module, OfAnotherInterface) {
  expect_refused("older", PS_ERR_UNSUPPORTED, {"ps_older.so", "plugin interface 2", "this library has 1"});
}

TEST(Module, WithoutItsFunctions) {
  expect_refused("incomplete", PS_ERR_UNSUPPORTED, {"ps_incomplete.so", "lacks a function"});
}

TEST(Module, WithAShortTable) { expect_refused("short", PS_ERR_UNSUPPORTED, {"ps_short.so", "16 bytes", "80 are needed"}); }

TEST(Module, ThatIsNone) { expect_refused("stranger", PS_ERR_UNSUPPORTED, {"ps_stranger.so", "psPluginQuery"}); }

}  // namespace
}  // namespace ps
