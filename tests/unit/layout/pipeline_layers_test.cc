// Golden partitions, and what is refused.
#include "layout/pipeline_layers.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/error.h"

namespace ps::layout {
namespace {

TEST(PipelineLayers, Golden) {
  std::ifstream file(PS_SOURCE_DIR "/tests/golden/pipeline_layers.json");
  const nlohmann::json cases = nlohmann::json::parse(file);
  ASSERT_GT(cases.size(), 40u);
  for (const auto& expected : cases) {
    SCOPED_TRACE(expected.dump());
    const auto partition = expected["partition"].is_null() ? std::vector<int64_t>()
                                                           : expected["partition"].get<std::vector<int64_t>>();
    std::vector<int64_t> boundaries = {0};
    for (const auto& range : expected["ranges"]) boundaries.push_back(range[1].get<int64_t>());
    EXPECT_EQ(pipeline_layers(expected["rule"].get<std::string>(), expected["layers"], expected["pp"], partition), boundaries);
  }
}

template <class Call>
std::string refusal(Call&& call) {
  try {
    call();
    return "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), PS_ERR_ARGUMENT);
    return error.text();
  }
}

TEST(PipelineLayers, Refusals) {
  const std::vector<int64_t> too_few = {10, 20, 20};
  EXPECT_EQ(refusal([&] { pipeline_layers("sglang", 60, 3, too_few); }),
            "the partition 10+20+20 has 50 layers, 10 fewer than the model's 60");
  const std::vector<int64_t> negative = {-1, 61};
  EXPECT_NE(refusal([&] { pipeline_layers("vllm", 60, 2, negative); }).find("stage 0 -1 layers"), std::string::npos);
  EXPECT_NE(refusal([] { pipeline_layers("even", 60, 2, {}); }).find("there are sglang and vllm"), std::string::npos);
  EXPECT_NE(refusal([] { pipeline_layers("vllm", -1, 2, {}); }).find("-1 layers"), std::string::npos);
  EXPECT_NE(refusal([] { pipeline_layers("vllm", 4, 0, {}); }).find("0 stages"), std::string::npos);
}

TEST(ShardRange, PartsAndRefusals) {
  EXPECT_EQ(shard_range(12, 4, 3), std::make_pair(int64_t{9}, int64_t{12}));
  EXPECT_EQ(shard_range(0, 4, 2), std::make_pair(int64_t{0}, int64_t{0}));
  EXPECT_EQ(refusal([] { shard_range(12, 5, 0); }), "5 shards do not divide 12 (12 = 5 x 2 + 2); try 1, 2, 3, 4 or 6 shards");
  // Beyond what can be looked through, and without a divisor that could be asked for.
  EXPECT_EQ(refusal([] { shard_range((int64_t{1} << 61) - 1, 7, 0); }),
            "7 shards do not divide 2305843009213693951 (2305843009213693951 = 7 x 329406144173384850 + 1); try 1 shards");
  EXPECT_NE(refusal([] { shard_range(int64_t{1} << 62, 1000001, 0); }).find("1048576"), std::string::npos);
  EXPECT_NE(refusal([] { shard_range(12, 4, 4); }).find("shard 4 is none of the shards 0 .. 3"), std::string::npos);
}

}  // namespace
}  // namespace ps::layout
