// The dispatch table: what rules say, in which order rows count, and how a wrong rule is told.
#include "host/dispatch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <climits>
#include <cstdint>

#include "base/error.h"
#include "host/choices.h"

namespace ps {
namespace {

std::string first_of(const std::string& rules) { return Dispatch(rules, "PS_DISPATCH").rows().front().describe(); }

TEST(Dispatch, TheLibrarysTableFitsEveryCallOfAPlane) {
  const Dispatch dispatch;
  EXPECT_EQ(dispatch.rules(), "");
  for (const char* plane : {"shm", "net", "hosts"}) {
    const auto last = std::find_if(dispatch.rows().rbegin(), dispatch.rows().rend(),
                                   [&](const DispatchRow& row) { return row.plane == plane; });
    ASSERT_NE(last, dispatch.rows().rend());
    EXPECT_TRUE(last->concerns(Kind::kAllToAllV, plane, 65535, false));
    EXPECT_EQ(last->most_bytes, SIZE_MAX);
  }
  for (const DispatchRow& row : dispatch.rows()) EXPECT_FALSE(row.from_rule);
}

TEST(Dispatch, RulesComeFirstAndInTheirOrder) {
  const Dispatch dispatch("all_reduce:shm:<=1M=two-shot; *:<=8ranks,<=16K=one-shot", "PS_DISPATCH");
  ASSERT_EQ(dispatch.rows().size(), Dispatch().rows().size() + 2);
  const DispatchRow& first = dispatch.rows()[0];
  EXPECT_EQ(first.kind, Kind::kAllReduce);
  EXPECT_EQ(first.plane, "shm");
  EXPECT_EQ(first.most_bytes, 1U << 20);
  EXPECT_EQ(first.most_ranks, INT_MAX);
  EXPECT_EQ(first.algorithm, Algorithm::kTwoShot);
  EXPECT_TRUE(first.from_rule);
  EXPECT_TRUE(first.concerns(Kind::kAllReduce, "shm", 512, false));
  EXPECT_FALSE(first.concerns(Kind::kReduce, "shm", 2, false));
  EXPECT_FALSE(first.concerns(Kind::kAllReduce, "net", 2, false));
  const DispatchRow& second = dispatch.rows()[1];
  EXPECT_TRUE(second.concerns(Kind::kBarrier, "anything", 8, false));
  EXPECT_FALSE(second.concerns(Kind::kBarrier, "shm", 9, false));
  EXPECT_EQ(second.most_bytes, 16U << 10);
}

TEST(Dispatch, RulesAreWrittenInOneWay) {
  EXPECT_EQ(first_of("all_reduce=two-shot"), "all_reduce:*=two-shot");
  EXPECT_EQ(first_of(" broadcast : shm : <= 2048 , <= 4 ranks = pipeline ;"), "broadcast:shm:<=4ranks,<=2K=pipeline");
  EXPECT_EQ(first_of("*:*:<=3G=pipeline"), "*:*:<=3G=pipeline");
  EXPECT_EQ(first_of("*:<=1025=pipeline"), "*:*:<=1025=pipeline");
  EXPECT_EQ(first_of("*:<=0=pipeline"), "*:*:<=0=pipeline");
  EXPECT_EQ(first_of("barrier : shm : <= 64 ranks , uncrowded = tree"), "barrier:shm:uncrowded,<=64ranks=tree");
  EXPECT_EQ(first_of("barrier:uncrowded=tree"), "barrier:*:uncrowded=tree");
  const std::string rules = "all_to_all:shm:<=9ranks=pipeline;*:*:<=7=one-shot";
  EXPECT_EQ(Dispatch(rules, "PS_DISPATCH").rules(), rules);
  EXPECT_EQ(Dispatch(" ; ", "PS_DISPATCH").rules(), "");
}

TEST(Dispatch, WhatAsksForCpusConcernsNoCrowd) {
  const DispatchRow row = Dispatch("barrier:shm:uncrowded=tree", "PS_DISPATCH").rows().front();
  EXPECT_EQ(row.algorithm, Algorithm::kTree);
  EXPECT_TRUE(row.concerns(Kind::kBarrier, "shm", 64, false));
  EXPECT_FALSE(row.concerns(Kind::kBarrier, "shm", 64, true));
  EXPECT_FALSE(row.concerns(Kind::kBarrier, "hosts", 64, false));
}

// What a group's operation comes to by the library's table, for a plane whose algorithms can run everything.
std::string chosen(Kind kind, size_t bytes, int size, bool crowded) {
  const Choices choices(Dispatch(), "shm", size, crowded, [](const DispatchRow&, Kind) { return std::optional<size_t>(SIZE_MAX); });
  return algorithm_name(choices.find(kind, bytes).value());
}

TEST(Dispatch, ManyRanksWithACpuEachGoByTheTree) {
  for (const bool crowded : {false, true}) {
    const char* small = crowded ? "one-shot" : "tree";
    EXPECT_EQ(chosen(Kind::kBarrier, 0, 16, crowded), "one-shot");
    EXPECT_EQ(chosen(Kind::kBarrier, 0, 17, crowded), small);
    EXPECT_EQ(chosen(Kind::kAllReduce, 256, 16, crowded), "one-shot");
    EXPECT_EQ(chosen(Kind::kAllReduce, 256, 64, crowded), small);
    EXPECT_EQ(chosen(Kind::kAllReduce, 257, 64, crowded), "one-shot");
    EXPECT_EQ(chosen(Kind::kAllGather, 32, 64, crowded), small);
    EXPECT_EQ(chosen(Kind::kAllGather, 33, 64, crowded), "one-shot");
    EXPECT_EQ(chosen(Kind::kBroadcast, 256, 64, crowded), "tree");
    EXPECT_EQ(chosen(Kind::kBroadcast, 257, 64, crowded), "one-shot");
    EXPECT_EQ(chosen(Kind::kReduce, 256, 16, crowded), "one-shot");
    EXPECT_EQ(chosen(Kind::kReduce, 256, 17, crowded), "tree");
    EXPECT_EQ(chosen(Kind::kGather, 256, 64, crowded), "one-shot");
  }
}

TEST(Dispatch, TwoRanksWithACpuEachShareAnAllReduceSooner) {
  EXPECT_EQ(chosen(Kind::kAllReduce, 16 << 10, 2, false), "one-shot");
  EXPECT_EQ(chosen(Kind::kAllReduce, (16 << 10) + 1, 2, false), "two-shot");
  EXPECT_EQ(chosen(Kind::kAllReduce, 64 << 10, 2, true), "one-shot");
  EXPECT_EQ(chosen(Kind::kAllReduce, 64 << 10, 4, false), "one-shot");
  EXPECT_EQ(chosen(Kind::kAllReduce, (64 << 10) + 1, 4, false), "two-shot");
}

void expect_refusal(const std::string& rules, std::initializer_list<const char*> parts) {
  try {
    Dispatch(rules, "psConfig.dispatch");
    ADD_FAILURE() << rules << " was not refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), PS_ERR_ARGUMENT);
    EXPECT_NE(error.text().find("psConfig.dispatch=\"" + rules + "\""), std::string::npos) << error.text();
    for (const char* part : parts) EXPECT_NE(error.text().find(part), std::string::npos) << error.text();
  }
}

TEST(Dispatch, ARefusalShowsThePlaceAndWhatIsKnown) {
  expect_refusal("*=pipeline;all_redoce=two-shot", {"at character 12, \"all_redoce\"", "reduce_scatter_v", "barrier"});
  expect_refusal("all_reduce=fast", {"at character 12, \"fast\" is no algorithm",
                                     "one-shot, tree, two-shot, pipeline, single-copy, staged, striped, flat"});
  expect_refusal("*:tcp=pipeline", {"at character 3, \"tcp\" is no plane", "shm"});
  expect_refusal("*:shm:<64K=pipeline", {"at character 7, \"<64K\" is no limit", "<=64K"});
  expect_refusal("*:<=64T=pipeline", {"at character 3, \"<=64T\""});
  expect_refusal("*:<=9999999999G=pipeline", {"at character 3"});
  expect_refusal("*:<=3000000000ranks=pipeline", {"at character 3"});
  expect_refusal("*:<=-1=pipeline", {"at character 3"});
  expect_refusal("*:<=8ranks:shm=pipeline", {"at character 12, \"shm\" comes after the limits"});
  expect_refusal("*:shm:uncrowd=tree", {"at character 7, \"uncrowd\" is no limit", "uncrowded"});
  expect_refusal("*:shm:uncrowdedly=tree", {"at character 7, \"uncrowdedly\" is no limit"});
  expect_refusal("*:shm:8=pipeline", {"at character 7, \"8\" is no limit"});
  expect_refusal("*:shm:<=64K", {"names no algorithm"});
  expect_refusal("one-shot", {"at character 1, \"one-shot\" names no algorithm"});
  expect_refusal("=one-shot", {"at character 1, \"\" is no operation"});
  expect_refusal("*=", {"at character 3, \"\" is no algorithm"});
  expect_refusal("*::<=4K=one-shot", {"at character 3, \"\" is no plane"});
}

}  // namespace
}  // namespace ps
