// A refused spec says which axis, shows the arithmetic, offers what would work, and where in the text it is.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/error.h"
#include "layout/layout.h"

namespace ps::layout {
namespace {

std::string refusal(const std::string& spec, int64_t world) {
  try {
    const Layout layout(spec, world);
    return "accepted as " + layout.spec();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), PS_ERR_ARGUMENT);
    return error.text();
  }
}

TEST(Refusals, Arithmetic) {
  EXPECT_EQ(refusal("megatron:tp=3", 8),
            "megatron: tp=3 does not divide world 8 (8 = 3 x 2 + 2); try tp=1, 2, 4 or 8; at position 10 of 'megatron:tp=3'");
  EXPECT_EQ(refusal("sglang:tp=8,moe_ep=3", 8),
            "sglang: moe_ep=3 does not divide tp 8 (8 = 3 x 2 + 2); try moe_ep=1, 2, 4 or 8; at position 13 of "
            "'sglang:tp=8,moe_ep=3'");
  EXPECT_EQ(refusal("trtllm:tp=4", 8),
            "trtllm: tp=4 is not world 8; try tp=8 or cp=2 or pp=2, or a world of 4; at position 8 of 'trtllm:tp=4'");
  EXPECT_EQ(refusal("megatron:tp=8,pp=8", 8),
            "megatron: tp=8 x pp=8 = 64 does not divide world 8 (8 = 64 x 0 + 8); try tp=1, or pp=1; at position 10 of "
            "'megatron:tp=8,pp=8'");
  EXPECT_NE(refusal("grid:a=2147483647,b=2147483647,c=2147483647", 8).find("beyond all bounds"), std::string::npos);
}

TEST(Refusals, Text) {
  struct Expected {
    std::string spec;
    std::string part;
    int position;
  };
  const std::vector<Expected> all = {
      {"", "expected 'preset:key=value", 1},
      {"tp=2", "expected 'preset:key=value", 1},
      {"nosuch:tp=2", "unknown preset 'nosuch'; there are sglang, vllm", 1},
      {"sglang:", "preset 'sglang' has no key=value", 7},
      {"sglang:tp", "expected key=value, found 'tp'", 8},
      {"sglang:tp=2,", "expected key=value, found ''", 13},
      {"sglang:tp=2,tp=4", "'tp' is there twice", 13},
      {"sglang:tp=2,speed=9", "unknown key 'speed'; there are tp, pp", 13},
      {"sglang:tp=zwei", "tp='zwei' is not a number", 8},
      {"sglang:tp=2x", "tp='2x' is not a number", 8},
      {"sglang:tp=", "tp='' is not a number", 8},
      {"sglang:tp=0", "tp=0 must be at least 1", 8},
      {"sglang:tp=-2", "tp=-2 must be at least 1", 8},
      {"sglang:tp=4294967296", "tp=4294967296 is too large", 8},
      {"sglang:tp=*,pp=*", "only one size can be '*', tp is one already", 13},
      {"sglang:tp=8,moe_ep=*", "moe_ep=* is not a size that the world's size determines", 13},
      {"grid:a=4,b=*;v:c=2,d=*,e=*", "only one size can be '*'", 24},
      {"grid:a=2,b=4;v:a=4,c=2", "axis 'a' is shared with the base, but its groups differ", 16},
      {"grid:a=2,b=4;v:c=8;v:d=8", "view 'v' is there twice", 20},
      {"grid:a=2,b=4;v:c=8;w:c=8", "another view has an axis 'c' already", 22},
      {"grid:a=2,b=4;v:c=4", "c=4 is not world 8; try c=8", 16},
      {"mesh:a=2,b=4;v:c=8", "a mesh has no views", 14},
      {"sglang:tp=8;v:c=8", "the preset has its own views; only a grid can have one like 'v'", 13},
      {"grid:a=2,b=2,rank_offset=8", "rank_offset=8 leaves no rank of world 8", 14},
      {"sglang:tp=8,duplicate_tp=yes", "duplicate_tp is 0 or 1", 13},
      {"vllm:tp=8,dcp=2,dcp_rule=newest", "dcp_rule is pcp_first or tp_adjacent", 17},
      {"vllm:tp=8,dcp=3", "dcp=3 does not divide tp x pcp 8", 11},
      {"vllm:tp=2,rank_offset=3", "tp=2 does not divide world 8 - rank_offset 3 = 5 (5 = 2 x 2 + 1); try tp=1 or 5", 6},
      {"sglang:tp=4,rank_offset=3", "tp=4 is not world 8 - rank_offset 3 = 5 (5 = 4 x 1 + 1); try tp=5, or a world of 7", 8},
      {"trtllm:tp=2,rank_offset=4", "tp=2 is not world 8 - rank_offset 4 = 4; try tp=4 or cp=2 or pp=2, or a world of 6", 8},
      {"grid:a=2,b=*,rank_offset=-1", "rank_offset=-1 must be at least 0", 14},
      {"grid:a=2,b=*,rank_offset=*", "rank_offset=* is not a size", 14},
      {"grid:a=8,rank_offset=0;v:b=8,rank_offset=0", "a view has the rank_offset of its base", 30},
      {"sglang:tp=-99999999999999999999", "tp=-99999999999999999999 must be at least 1", 8},
      {"sglang:tp=99999999999999999999", "tp=99999999999999999999 is too large", 8},
      {"trtllm:tp=8,moe_tp=2,moe_ep=2", "moe_tp=2 x moe_ep=2 = 4 is not tp 8; try moe_tp=4 or moe_ep=4, or tp=4", 13},
      {"megatron:tp=8,hcp=99999999x99999999x99999999", "beyond all bounds", 15},
  };
  for (const Expected& expected : all) {
    const std::string text = refusal(expected.spec, 8);
    EXPECT_NE(text.find(expected.part), std::string::npos) << text;
    EXPECT_NE(text.find("at position " + std::to_string(expected.position) + " of"), std::string::npos) << text;
  }
  EXPECT_NE(refusal("grid:a=" + std::string(5000, '1'), 8).find("at most 4096 bytes"), std::string::npos);
  EXPECT_NE(refusal("grid:a=1", 0).find("at least 1 rank"), std::string::npos);
}

// The text of a long spec is shown around the place alone, and of many sizes and names the first ones.
TEST(Refusals, StayShort) {
  std::string many = "grid:a=1";
  std::string views = "grid:a=*";
  for (int i = 0; i < 500; ++i) {
    many += ",a" + std::to_string(i) + "=1";
    if (i < 350) views += ";v" + std::to_string(i) + ":b" + std::to_string(i) + "=*";
  }
  const std::string odd = refusal(many + ",oops=\x01", 1);
  EXPECT_NE(odd.find("oops='?' is not a number; at position " + std::to_string(many.size() + 2) + " of '...=1,a"),
            std::string::npos) << odd;
  EXPECT_LT(odd.size(), 300u);
  EXPECT_LT(refusal(many, 64).size(), 500u);
  EXPECT_NE(refusal("grid:a=2,b=2,c=2,d=2,e=2,f=2,g=2,h=2,i=2,j=2", 8).find("h=2 x ... = 1024"), std::string::npos);
  EXPECT_LT(refusal("grid:" + std::string(4000, 'x') + "=0", 8).size(), 500u);
  EXPECT_NE(refusal(views, 2147483647).find("with every size written out the spec has "), std::string::npos);
  const Layout layout(many, 1);
  try {
    layout.rule(std::string(4000, 'y'));
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(error.text().find(" and 461 more"), std::string::npos) << error.text();
    EXPECT_LT(error.text().size(), 1000u);
  }
}

// What Megatron accepts, crashes on or explains with another axis' name.
TEST(Refusals, MegatronsOwnDefects) {
  const auto says = [](const std::string& spec, int64_t world, const std::string& part) {
    const std::string text = refusal(spec, world);
    EXPECT_NE(text.find(part), std::string::npos) << text;
  };
  says("megatron:tp=2,order=tp-tp-dp-pp", 8, "has axis 'tp' twice");
  says("megatron:tp=2,order=cp-dp-pp", 8, "lacks the axis 'tp', whose size is 2; try order=cp-dp-pp-tp");
  says("megatron:tp=2,order=tp-foo-dp-pp", 8, "unknown axis 'foo'; there are tp, cp, ep, dp, pp");
  says("megatron:tp=2,order=tp--dp-pp", 8, "unknown axis ''");
  says("megatron:tp=0", 8, "tp=0 must be at least 1");
  says("megatron:tp=-2", 8, "tp=-2 must be at least 1");
  says("megatron:tp=2,hybrid=1", 20, "hybrid needs dp x cp = 10 to be divisible by 4 (10 = 4 x 2 + 2)");
  says("megatron:tp=1,cp=4,hcp=2x3", 8, "the product of the levels hcp=2x3 is 6; it must be cp=4");
  // The case of an order's letters makes no difference.
  EXPECT_EQ(refusal("megatron:tp=2,pp=2,ep=2,order=tp-cp-ep-dp-PP", 16), "accepted as megatron:tp=2,pp=2,ep=2");
}

TEST(Canonical, EqualLayoutsPrintAlike) {
  const auto canonical = [](const std::string& spec, int64_t world) { return Layout(spec, world).spec(); };
  EXPECT_EQ(canonical("sglang:pp=2,tp=*", 8), "sglang:tp=4,pp=2");
  EXPECT_EQ(canonical("vllm:tp=2,dp=*,pp=1", 8), "vllm:tp=2,dp=4");
  EXPECT_EQ(canonical("megatron:tp=2,etp=2,order=tp-ep-dp-pp", 8), "megatron:tp=2");
  EXPECT_EQ(canonical("megatron:tp=2,pp=2,order=PP-DP-TP", 8), "megatron:tp=2,pp=2,order=pp-dp-tp");
  EXPECT_EQ(canonical("grid:tp=4,dp=*,pp=2;expert:etp=2,ep=*,pp=2", 32), "grid:tp=4,dp=4,pp=2;expert:etp=2,ep=8,pp=2");
  EXPECT_NE(Layout("sglang:tp=4", 4).hash(), Layout("sglang:tp=2,pp=2", 4).hash());
  EXPECT_NE(Layout("vllm:tp=4", 4).hash(), Layout("vllm:tp=4", 8).hash());
  EXPECT_EQ(Layout("grid:a=1", 1).hash(), 0x10922d4f29c3d545u);
}

// DeepSpeed's own example for tensor and expert parallel together.
TEST(Names, DeepSpeedsExperts) {
  const Layout layout("deepspeed:ep=4,tp=2", 16);
  EXPECT_EQ(layout.rule("expert").rank(1, 0), 8);
  EXPECT_EQ(layout.rule("expert").rank(2, 3), 7);
  EXPECT_EQ(layout.rule("expert_data").rank(1, 1), 10);
  EXPECT_EQ(layout.rule("expert_data").rank(4, 1), 9);
}

TEST(Names, MergedAndUnknown) {
  const Layout layout("grid:tp=4,dp=4,pp=2;expert:etp=2,ep=8,pp=2", 32);
  EXPECT_EQ(layout.rule("tp-pp").group_count(), 4);
  EXPECT_EQ(layout.rule("pp-tp").group_size(), 8);
  EXPECT_EQ(layout.rule("etp-ep").group_count(), 2);
  EXPECT_EQ(layout.coordinate("expert.ep", 5), 2);
  EXPECT_EQ(layout.coordinate("ep", 5), 2);
  for (const char* name : {"sp", "tp-", "tp-tp", "tp-ep", "", "-"}) {
    try {
      layout.rule(name);
      ADD_FAILURE() << "there are groups '" << name << "'";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), PS_ERR_NOT_FOUND);
      EXPECT_NE(error.text().find("there are tp, dp, pp, etp, ep"), std::string::npos) << error.text();
    }
  }
}

}  // namespace
}  // namespace ps::layout
