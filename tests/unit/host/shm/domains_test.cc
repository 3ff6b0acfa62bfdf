// Nested blocks of members, and the tree of leaders in them.
#include "host/shm/domains.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace ps {
namespace {

std::vector<CpuPlace> places(const std::vector<std::string>& texts) {
  std::vector<CpuPlace> list;
  for (const std::string& text : texts) list.push_back(parse_place(text, "a test"));
  return list;
}

std::vector<CpuPlace> unknown(size_t size) { return std::vector<CpuPlace>(size); }

std::string blocks(const std::vector<std::string>& texts) { return Domains(places(texts)).describe(); }

TEST(Domains, WhoSharesACacheIsABlockAndSoAreTheCachesOfANode) {
  EXPECT_EQ(blocks({"0.0", "0.0", "0.4", "0.4", "1.8", "1.8", "1.12", "1.12"}), "(((0 1) (2 3)) ((4 5) (6 7)))");
  EXPECT_EQ(blocks({"0.0", "0.0", "0.0"}), "(0 1 2)");
}

TEST(Domains, ADomainIsWhereverItsMembersAre) {
  EXPECT_EQ(blocks({"1.8", "0.0", "1.8", "0.4", "0.0", "1.9"}), "(((0 2) 5) ((1 4) 3))");
}

TEST(Domains, WhatIsNotKnownIsADomainToo) {
  EXPECT_EQ(blocks({"0", "0.1", "0", "none", ".1", "none"}), "(((0 2) 1) ((3 5) 4))");
  EXPECT_EQ(Domains(unknown(3)).describe(), "(0 1 2)");
}

TEST(Domains, LargeBlocksAreCutEvenly) {
  EXPECT_EQ(Domains(unknown(8)).describe(), "(0 1 2 3 4 5 6 7)");
  EXPECT_EQ(Domains(unknown(9)).describe(), "((0 1 2 3) (4 5 6 7 8))");
  const std::string many = Domains(unknown(64)).describe();
  EXPECT_TRUE(many.starts_with("((0 1 2 3 4 5 6 7) (8 9 ")) << many;
  EXPECT_EQ(std::count(many.begin(), many.end(), '('), 9);
  const std::string more = Domains(unknown(65)).describe();
  EXPECT_EQ(std::count(more.begin(), more.end(), '('), 9 + 2 + 1) << more;
}

TEST(Domains, OneMember) {
  const Domains domains(unknown(1));
  EXPECT_EQ(domains.describe(), "0");
  EXPECT_EQ(domains.family(0, 0).parent, -1);
  EXPECT_TRUE(domains.family(0, 0).children.empty());
}

// Whatever the places and the root: a tree with everyone in it, in which parents and children agree, and nobody has to
// look at more than a block of lines on each level.
void expect_tree(const Domains& domains, int size, int root) {
  std::set<int> reached;
  for (int member = 0; member < size; ++member) {
    const Domains::Family family = domains.family(member, root);
    EXPECT_EQ(family.parent < 0, member == root);
    const int position = domains.position_of(member);
    EXPECT_EQ(domains.member_at(position), member);
    EXPECT_TRUE(family.range.begin <= position && position < family.range.end);
    int covered = 1;
    for (const Domains::Child& child : family.children) {
      const Domains::Family theirs = domains.family(child.member, root);
      EXPECT_EQ(theirs.parent, member);
      EXPECT_EQ(theirs.range.begin, child.range.begin);
      EXPECT_EQ(theirs.range.end, child.range.end);
      EXPECT_TRUE(family.range.begin <= child.range.begin && child.range.end <= family.range.end);
      EXPECT_EQ(child.range.size() > 1, !theirs.children.empty());
      covered += child.range.size();
      reached.insert(child.member);
    }
    EXPECT_EQ(covered, family.range.size());
    EXPECT_LE(family.children.size(), 4U * (Domains::kMostUnits - 1));
  }
  EXPECT_EQ(reached.size(), static_cast<size_t>(size) - 1);
}

TEST(Domains, EveryRootHasATree) {
  std::vector<std::vector<CpuPlace>> shapes = {
      unknown(2), unknown(7), unknown(23), unknown(64), unknown(300),
      places({"1.8", "0.0", "1.8", "0.4", "0.0", "1.9", "none", "0", ".3", ".3"}),
  };
  std::vector<CpuPlace> uneven;
  for (int member = 0; member < 100; ++member) uneven.push_back({member % 3, member * member % 17});
  shapes.push_back(uneven);
  for (const auto& shape : shapes) {
    const Domains domains(shape);
    const int size = static_cast<int>(shape.size());
    SCOPED_TRACE(domains.describe());
    for (int root = 0; root < size; ++root) expect_tree(domains, size, root);
    EXPECT_EQ(domains.member_at(0), 0);
  }
}

TEST(Domains, ARootLeadsEveryBlockItIsIn) {
  const Domains domains(places({"0.0", "0.0", "0.4", "0.4", "1.8", "1.8"}));
  EXPECT_EQ(domains.parent(0, 0), -1);
  EXPECT_EQ(domains.parent(3, 0), 2);
  EXPECT_EQ(domains.parent(2, 0), 0);
  EXPECT_EQ(domains.parent(4, 0), 0);
  EXPECT_EQ(domains.parent(2, 3), 3);
  EXPECT_EQ(domains.parent(0, 3), 3);
  EXPECT_EQ(domains.parent(1, 3), 0);
  EXPECT_EQ(domains.parent(4, 3), 3);
  EXPECT_EQ(domains.parent(5, 3), 4);
}

}  // namespace
}  // namespace ps
