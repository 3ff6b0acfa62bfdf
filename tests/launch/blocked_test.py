"""A psAllReduce that is under way when its link is cut, its peers are killed or its world falls apart: it ends on every
rank with an error that names somebody on the other side, and no sum that was returned as one is wrong."""

import random
import re
import time

import launching
from watching import NOTICED_S, PER_HOST, WatchTest

COUNT = (64 << 20) // 4


class BlockedTest(WatchTest):
    def setUp(self) -> None:
        super().setUp()
        self.random = random.Random(self.id())

    def groups(self, ranks):
        """One that goes from member to member, with a rank on each host, and one in stages, with all."""
        return {"flat": ranks[::PER_HOST], "staged": ranks}

    def expect_ends(self, members, limit=NOTICED_S):
        """Who is to blame, by the number of who says so."""
        found = {}
        for rank in members:
            answer = rank.hear(limit)
            if answer == "summing":
                answer = rank.hear(limit)
            named = re.match(r"sums (\d+) PS_ERR_PEER_FAILED: .*?rank (\d+) \(pid \d+ on host ", answer)
            self.assertIsNotNone(named, f"rank {rank.number}: {answer}")
            found[rank.number] = (int(named[1]), int(named[2]))
        rounds = {done for done, _ in found.values()}
        self.assertLessEqual(max(rounds) - min(rounds), 1, found)
        return {number: culprit for number, (_, culprit) in found.items()}

    def begin_sums(self, called, is_missing) -> None:
        """Returns while one is under way, somewhere in it."""
        for rank in called:
            rank.tell(f"sums {COUNT}")
        for rank in called if not is_missing else []:
            self.assertEqual(rank.hear(), "summing")
        time.sleep(self.random.uniform(0, 0.5))

    def each_way(self, fault, absent=-1) -> None:
        """Both groups, with data under way and with one member missing; `fault(ranks)` returns who still lives."""
        for name in ("flat", "staged"):
            for is_missing in (False, True):
                with self.subTest(group=name, is_missing=is_missing):
                    ranks = self.world()
                    try:
                        members = self.groups(ranks)[name]
                        self.blocked(ranks, members, members[absent] if is_missing else None, fault)
                    finally:
                        self.hosts.mend()
                        for rank in ranks:
                            self.end(rank.process)

    def blocked(self, ranks, members, missing, fault) -> None:
        self.group_of(members)
        called = [rank for rank in members if rank is not missing]
        self.begin_sums(called, missing is not None)
        alive = fault(ranks)
        culprits = self.expect_ends([rank for rank in called if rank in alive])
        for number, culprit in culprits.items():
            self.assertIn(culprit, self.lost_to(ranks[number].host), culprits)
        if missing in alive:
            self.expect_failure([missing], r"rank \d \(pid \d+ on host ")
        self.finalize(alive)


class TwoHosts(BlockedTest):
    HOSTS = 2

    def lost_to(self, host):
        return (2, 3) if host == 0 else (0, 1)

    def test_a_cut(self) -> None:
        def cut(ranks):
            self.hosts.drop(1, [0])
            return ranks

        self.each_way(cut)

    def test_the_other_hosts_processes_are_killed(self) -> None:
        def kill(ranks):
            for rank in ranks[2:]:
                rank.kill()
            return ranks[:2]

        self.each_way(kill)

    def test_the_stores_hosts_processes_are_killed(self) -> None:
        def kill(ranks):
            for rank in ranks[:2]:
                rank.kill()
            return ranks[2:]

        self.each_way(kill, absent=0)


class ThreeHosts(BlockedTest):
    HOSTS = 3

    def lost_to(self, host):
        return (4, 5) if host < 2 else (0, 1, 2, 3)

    def test_a_partition(self) -> None:
        def part(ranks):
            self.hosts.drop(2, [0, 1])
            return ranks

        self.each_way(part)


class OneLink(BlockedTest):
    HOSTS = 3

    def lost_to(self, host):
        return (2, 3, 4, 5)  # whoever is first to say so

    def test_a_cut_between_two_hosts_that_the_store_hears(self) -> None:
        def cut(ranks):
            self.hosts.drop(1, [2])
            return ranks

        self.each_way(cut)


if __name__ == "__main__":
    launching.skip_unless_root("network namespaces")
    launching.main()
