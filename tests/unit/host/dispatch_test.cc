// The dispatch table: what rules say, in which order rows count, and how a wrong rule is told.
#include "host/dispatch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <climits>
#include <cstdint>

#include "base/error.h"

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
    EXPECT_TRUE(last->concerns(Kind::kAllToAllV, plane, 65535));
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
  EXPECT_TRUE(first.concerns(Kind::kAllReduce, "shm", 512));
  EXPECT_FALSE(first.concerns(Kind::kReduce, "shm", 2));
  EXPECT_FALSE(first.concerns(Kind::kAllReduce, "net", 2));
  const DispatchRow& second = dispatch.rows()[1];
  EXPECT_TRUE(second.concerns(Kind::kBarrier, "anything", 8));
  EXPECT_FALSE(second.concerns(Kind::kBarrier, "shm", 9));
  EXPECT_EQ(second.most_bytes, 16U << 10);
}

TEST(Dispatch, RulesAreWrittenInOneWay) {
  EXPECT_EQ(first_of("all_reduce=two-shot"), "all_reduce:*=two-shot");
  EXPECT_EQ(first_of(" broadcast : shm : <= 2048 , <= 4 ranks = pipeline ;"), "broadcast:shm:<=4ranks,<=2K=pipeline");
  EXPECT_EQ(first_of("*:*:<=3G=pipeline"), "*:*:<=3G=pipeline");
  EXPECT_EQ(first_of("*:<=1025=pipeline"), "*:*:<=1025=pipeline");
  EXPECT_EQ(first_of("*:<=0=pipeline"), "*:*:<=0=pipeline");
  const std::string rules = "all_to_all:shm:<=9ranks=pipeline;*:*:<=7=one-shot";
  EXPECT_EQ(Dispatch(rules, "PS_DISPATCH").rules(), rules);
  EXPECT_EQ(Dispatch(" ; ", "PS_DISPATCH").rules(), "");
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
  expect_refusal("all_reduce=tree", {"at character 12, \"tree\" is no algorithm", "one-shot, two-shot, pipeline, single-copy, staged, striped, flat"});
  expect_refusal("*:tcp=pipeline", {"at character 3, \"tcp\" is no plane", "shm"});
  expect_refusal("*:shm:<64K=pipeline", {"at character 7, \"<64K\" is no limit", "<=64K"});
  expect_refusal("*:<=64T=pipeline", {"at character 3, \"<=64T\""});
  expect_refusal("*:<=9999999999G=pipeline", {"at character 3"});
  expect_refusal("*:<=3000000000ranks=pipeline", {"at character 3"});
  expect_refusal("*:<=-1=pipeline", {"at character 3"});
  expect_refusal("*:<=8ranks:shm=pipeline", {"at character 12, \"shm\" comes after the limits"});
  expect_refusal("*:shm:8=pipeline", {"at character 7, \"8\" is no limit"});
  expect_refusal("*:shm:<=64K", {"names no algorithm"});
  expect_refusal("one-shot", {"at character 1, \"one-shot\" names no algorithm"});
  expect_refusal("=one-shot", {"at character 1, \"\" is no operation"});
  expect_refusal("*=", {"at character 3, \"\" is no algorithm"});
  expect_refusal("*::<=4K=one-shot", {"at character 3, \"\" is no plane"});
}

}  // namespace
}  // namespace ps
