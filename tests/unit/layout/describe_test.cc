#include "layout/describe.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace ps::layout {
namespace {

using nlohmann::json;

TEST(Describe, WholeLayout) {
  const json found = json::parse(describe(Layout("sglang:tp=2,pp=2", 4)));
  EXPECT_EQ(found["spec"], "sglang:tp=2,pp=2");
  EXPECT_EQ(found["world"], 4);
  EXPECT_EQ(found["hash"].get<std::string>().size(), 16u);
  EXPECT_EQ(found["groups"]["tp"], json::parse("[[0,1],[2,3]]"));
  EXPECT_EQ(found["groups"]["pp"], json::parse("[[0,2],[1,3]]"));
  EXPECT_EQ(found["aliases"]["attn_tp"], "tp");
  EXPECT_EQ(found["axes"][0], json::parse(R"({"name":"tp","size":2})"));
}

TEST(Describe, Difference) {
  const Layout one("vllm:tp=4", 4);
  EXPECT_EQ(describe_difference(one, Layout("vllm:tp=*", 4)), R"({"equal":true})");
  const json found = json::parse(describe_difference(one, Layout("vllm:tp=2,pp=2", 4)));
  EXPECT_EQ(found["equal"], false);
  EXPECT_EQ(found["keys"], json::parse(R"([{"key":"tp","values":["4","2"]},{"key":"pp","values":[null,"2"]}])"));
  EXPECT_EQ(found["groups"]["tp"],
            json::parse(R"({"counts":[1,2],"sizes":[4,2],"first":{"index":0,"ranks":[[0,1,2,3],[0,1]]}})"));
  EXPECT_FALSE(found["groups"].contains("world"));
  EXPECT_EQ(json::parse(describe_difference(one, Layout("grid:tp=4", 4)))["groups"]["ep"]["only"], "first");
}

TEST(Describe, KeyDifference) {
  EXPECT_EQ(key_difference("vllm:tp=4", "vllm:tp=2,pp=2"), "tp=4 and tp=2, no pp and pp=2");
  EXPECT_EQ(key_difference("vllm:tp=4", "vllm:tp=4"), "");
  EXPECT_EQ(key_difference("vllm:tp=4", "sglang:tp=4"), "preset=vllm and preset=sglang");
}

}  // namespace
}  // namespace ps::layout
