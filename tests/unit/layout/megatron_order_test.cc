// Order strings of the megatron preset: equal layouts have one canonical form, others have not; each axis is found in
// the grid that has it.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "layout/describe.h"
#include "layout/layout.h"

namespace ps::layout {
namespace {

// All groups and axes, without the spec and what is made of it.
std::string content(const Layout& layout) {
  const std::string text = describe(layout);
  return text.substr(text.find("\"axes\""));
}

std::string groups_alone(const Layout& layout) {
  const std::string text = describe(layout);
  return text.substr(text.find("\"groups\""));
}

TEST(MegatronOrder, OneCanonicalFormForEachLayout) {
  size_t accepted = 0;
  for (const std::string sizes : {"tp=2,pp=2,cp=2,ep=2", "tp=2,cp=2,ep=4", "tp=2,pp=2,cp=4,ep=2,etp=1",
                                  "tp=1,cp=2,ep=2,gtp=2,egtp=2", "tp=2,cp=8,ep=8,etp=1", "tp=1,pp=2,ep=4"}) {
    std::map<std::string, std::string> spec_of;     // by all groups
    std::map<std::string, std::string> content_of;  // by the canonical form
    std::vector<std::string> axes = {"cp", "dp", "ep", "pp", "tp"};
    do {
      const std::string order = axes[0] + "-" + axes[1] + "-" + axes[2] + "-" + axes[3] + "-" + axes[4];
      try {
        const Layout layout("megatron:" + sizes + ",order=" + order, 16);
        ++accepted;
        const std::string& spec = spec_of.emplace(groups_alone(layout), layout.spec()).first->second;
        EXPECT_EQ(layout.spec(), spec) << order << " has the same groups";
        const std::string& expected = content_of.emplace(layout.spec(), content(layout)).first->second;
        EXPECT_EQ(content(layout), expected) << order << " prints as " << layout.spec();
        EXPECT_EQ(Layout(layout.spec(), 16).spec(), layout.spec());
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), PS_ERR_ARGUMENT);
      }
    } while (std::next_permutation(axes.begin(), axes.end()));
    EXPECT_GT(spec_of.size(), 1u) << sizes;
  }
  EXPECT_GT(accepted, 200u);
}

TEST(MegatronOrder, AxesOfTheExpertsAreTheExperts) {
  const Layout layout("megatron:tp=2,pp=2,ep=4,cp=2", 16);
  EXPECT_EQ(layout.coordinate("ep", 6), 3);
  EXPECT_EQ(layout.coordinate("expert.ep", 6), 3);
  EXPECT_EQ(layout.coordinate("cp", 6), 1);
  EXPECT_TRUE(layout.rule("tp-ep").same_groups(layout.rule("tp_ep")));
  EXPECT_TRUE(layout.rule("ep-pp-tp").same_groups(layout.rule("tp_ep_pp")));
  EXPECT_TRUE(layout.rule("tp-cp").same_groups(layout.rule("tp_cp")));
  EXPECT_THROW(layout.rule("cp-ep"), Error);
  for (const Layout::NamedAxis& axis : layout.axes()) {
    EXPECT_EQ(axis.name.find("gtp"), std::string::npos) << "an axis that nobody wrote";
  }
  EXPECT_TRUE(layout.rule("dp_cp_ag").same_groups(layout.rule("dp_cp")));
  EXPECT_TRUE(layout.rule("expt_dp_ag").same_groups(layout.rule("expt_dp")));
}

}  // namespace
}  // namespace ps::layout
