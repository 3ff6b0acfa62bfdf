// Who the ranks of a world are, as one rank writes it and all of its host read it.
#include "control/roster.h"

#include <gtest/gtest.h>

#include <string>

namespace ps {
namespace {

// Ranks 1 and 3 are on this host.
TransientBytes written() {
  RosterWriter writer(4);
  for (int rank = 0; rank < 4; ++rank) {
    const bool here = rank % 2 == 1;
    Member member;
    member.node = here ? 1 : 0;
    member.local_rank = 10 + rank;
    member.pid = 100 + rank;
    member.local_index = here ? rank / 2 : -1;
    member.place = {rank, 8 * rank};
    writer.add(member, here ? "here" : "", here ? "10.0.0.1" : "fd00::2");
  }
  return writer.finish();
}

TEST(Roster, HasEveryRankAndThisHosts) {
  const TransientBytes bytes = written();
  const Roster roster{std::string_view(bytes)};
  ASSERT_EQ(roster.size(), 4);
  ASSERT_EQ(roster.local_size(), 2);
  for (int rank = 0; rank < 4; ++rank) {
    const Member member = roster.member(rank);
    const bool here = rank % 2 == 1;
    EXPECT_EQ(member.node, here ? 1 : 0);
    EXPECT_EQ(member.local_rank, 10 + rank);
    EXPECT_EQ(member.pid, 100 + rank);
    EXPECT_EQ(member.local_index, here ? rank / 2 : -1);
    EXPECT_EQ(roster.local_index(rank), member.local_index);
    EXPECT_EQ(member.place, (CpuPlace{rank, 8 * rank}));
    EXPECT_STREQ(member.hostname, here ? "here" : "");
    EXPECT_STREQ(member.address, here ? "10.0.0.1" : "fd00::2");
  }
  EXPECT_EQ(roster.rank_of(0), 1);
  EXPECT_EQ(roster.rank_of(1), 3);
}

TEST(Roster, OfAlikeRanksGrowsByTheirRecords) {
  const auto bytes_of = [](int ranks) {
    RosterWriter writer(ranks);
    const std::string name(200, 'h');
    for (int rank = 0; rank < ranks; ++rank) writer.add(Member{}, name, name);
    return writer.finish().size();
  };
  EXPECT_LE(bytes_of(101) - bytes_of(1), 100 * 32U);
}

}  // namespace
}  // namespace ps
