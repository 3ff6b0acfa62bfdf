"""Ranks that die, stop, leave or are cut off on other hosts: every rank of the world is told who, and why."""

import os
import signal
import subprocess
import time

import launching
from watching import NOTICED_S, PER_HOST, Rank, WatchTest


# Longer than it takes to find that a link is cut.
NOT_CUT_S = 7


class TwoHosts(WatchTest):
    HOSTS = 2

    def test_a_killed_rank_is_named_on_the_other_host(self) -> None:
        ranks = self.world()
        self.group_of(ranks)
        ranks[3].kill()
        self.expect_failure(ranks[:3], r"rank 3 \(pid \d+ on host .*\) ended without psFinalize")
        for rank in ranks[:3]:
            self.assertRegex(rank.ask("await 3 dead"), "state 3 dead")
            rank.expect_alive(0, 1, 2)
        for pair in (ranks[:2],):
            self.group_of(pair)
            self.expect_works(pair)
        self.finalize(ranks[:3])

    def test_who_ends_because_of_a_death_is_not_blamed(self) -> None:
        for _ in range(5):
            ranks = self.world()
            self.group_of(ranks)
            ranks[3].kill()
            ranks[2].tell("failure")
            self.assertIn("rank 3 (pid", ranks[2].hear(NOTICED_S))
            ranks[2].kill()
            self.expect_failure(ranks[:2], r"FAILED: rank 3 \(pid \d+ on host .*\) (ended|is lost)")
            self.finalize(ranks[:2])

    def test_all_ranks_of_a_host_killed(self) -> None:
        ranks = self.world()
        self.group_of(ranks)
        for rank in ranks[2:]:
            rank.kill()
        self.expect_failure(ranks[:2], r"rank [23] \(pid \d+ on host .*\)")
        for rank in ranks[:2]:
            for other in (2, 3):
                rank.ask(f"await {other} dead", NOTICED_S)
        self.finalize(ranks[:2])

    def test_a_rank_that_ends_while_others_wait_for_it_to_make_a_group(self) -> None:
        ranks = self.world()
        for rank in ranks[:3]:
            rank.tell("group 0,1,2,3")
        ranks[3].kill()
        for rank in ranks[:3]:
            answer = rank.hear(NOTICED_S)
            self.assertTrue(answer.startswith("group PS_ERR_PEER_FAILED: "), answer)
            self.assertIn("rank 3 (pid", answer)
        self.finalize(ranks[:3])

    def test_a_child_that_holds_a_killed_ranks_connections_hides_nothing(self) -> None:
        ranks = self.world()
        self.group_of(ranks)
        child = int(ranks[2].ask("fork").split()[1])
        try:
            ranks[2].kill()
            self.expect_failure([ranks[0], ranks[1], ranks[3]], r"rank 2 \(pid \d+ on host .*\) ended without psFinalize")
        finally:
            os.kill(child, signal.SIGKILL)

    def test_a_child_of_a_killed_rank_that_was_alone_on_its_host_hides_nothing(self) -> None:
        for placed, killed in (([0, 0, 1], 2), ([0, 1, 1], 0)):  # 0: the store dies with it
            ranks = self.world(placed)
            self.group_of(ranks)
            child = int(ranks[killed].ask("fork").split()[1])
            try:
                ranks[killed].kill()
                others = [rank for rank in ranks if rank.number != killed]
                self.expect_failure(others, rf"rank {killed} \(pid \d+ on host .*\) is lost: its connection ended")
                self.finalize(others)
            finally:
                os.kill(child, signal.SIGKILL)

    def test_a_stopped_rank_is_silent_and_fails_nothing(self) -> None:
        ranks = self.world()
        self.group_of(ranks)
        for stopped in (3, 0):
            others = [rank for rank in ranks if rank.number != stopped]
            ranks[stopped].signal(signal.SIGSTOP)
            for rank in others:
                self.assertRegex(rank.ask(f"await {stopped} silent", NOTICED_S), rf"state {stopped} silent \d{{4,}}")
            # Longer than after a cut.
            for rank in others:
                rank.tell(f"await {stopped} silent")
            time.sleep(4)
            for rank in others:
                self.assertRegex(rank.hear(), rf"state {stopped} silent")
                self.assertEqual(rank.ask("whole"), "whole")
            ranks[stopped].signal(signal.SIGCONT)
            for rank in others:
                rank.expect_alive(stopped)
        for answer in self.ask_all(ranks, "whole"):
            self.assertEqual(answer, "whole")
        self.group_of(ranks)
        self.finalize(ranks)

    def test_a_rank_that_leaves_is_no_death(self) -> None:
        ranks = self.world()
        self.group_of(ranks)
        self.finalize([ranks[3]])
        for rank in ranks[:3]:
            self.assertRegex(rank.ask("await 3 left", NOTICED_S), "state 3 left")
            self.assertEqual(rank.ask("whole"), "whole")
            answer = rank.ask("group 0,1,2,3")
            self.assertRegex(answer, r"group PS_ERR_PEER_FAILED: .*rank 3 \(pid \d+ on host .*\) left by psFinalize")
        self.finalize(ranks[:3])

    def expect_cut(self, ranks) -> None:
        self.expect_failure(ranks[:2], r"rank [23] \(pid \d+ on host .*\) is lost: no heartbeat for 3.0 s")
        self.expect_failure(ranks[2:], r"rank 0 \(pid \d+ on host .*\) is lost: no heartbeat for 3.0 s")
        for rank in ranks:
            for other in ranks:
                if other.host != rank.host:
                    rank.ask(f"await {other.number} dead", NOTICED_S)
                else:
                    rank.expect_alive(other.number)
        self.group_of(ranks[:2])
        self.expect_works(ranks[:2])
        # The store is behind the cut.
        self.assertRegex(ranks[2].ask("group 2,3"), "group PS_ERR_PEER_FAILED: .*store's host")
        self.assertRegex(ranks[3].ask("get key"), "get PS_ERR_PEER_FAILED: .*store's host")

    def test_a_link_that_goes_down(self) -> None:
        for host in (0, 1):
            ranks = self.world()
            self.group_of(ranks)
            self.hosts.set_link(host, "down")
            self.expect_cut(ranks)
            self.finalize(ranks)
            self.hosts.mend()

    def test_a_silent_cut(self) -> None:
        ranks = self.world()
        self.group_of(ranks)
        self.hosts.drop(1, [0])
        with self.soon():
            self.expect_failure(ranks)
        self.expect_cut(ranks)
        self.finalize(ranks)

    def test_a_cut_while_all_wait(self) -> None:
        ranks = self.world()
        self.group_of(ranks)
        for rank in ranks[:3]:
            rank.tell("group 3,2,1,0")
        self.hosts.drop(0, [1])
        for rank in ranks[:3]:
            answer = rank.hear(NOTICED_S)
            self.assertTrue(answer.startswith("group PS_ERR_PEER_FAILED: "), answer)
        self.finalize(ranks)

    def test_the_stores_host_dies_by_its_process_alone(self) -> None:
        ranks = self.world()
        self.group_of(ranks[2:])
        here, there = ranks[1], ranks[2:]
        self.expect_works(there)
        ranks[0].kill()
        for rank in [here, *there]:
            rank.ask("await 0 dead", NOTICED_S)
        self.expect_works(there)
        for rank in [here, *there]:
            rank.expect_alive(1, 2, 3)
            self.assertRegex(rank.ask("group 1,2,3" if rank is not here else "get key"), "PS_ERR_PEER_FAILED")
        # The next death is noticed without the store.
        ranks[3].kill()
        for rank in ranks[1:3]:
            rank.ask("await 3 dead", NOTICED_S)
            rank.expect_alive(2)
        self.finalize(ranks[1:3])

    def test_a_world_on_one_host_has_no_watch_between_hosts(self) -> None:
        ranks = self.world()
        for rank in ranks:
            self.assertIn("ps-watch", rank.ask("threads"))
        self.finalize(ranks)
        program = os.path.join(os.path.dirname(launching.RANK), "watch_rank")
        for process in [self.start_on(0, [program], {"stdin": subprocess.PIPE}, PS_RANK=str(number), PS_WORLD_SIZE="2",
                                      PS_JOB="one host") for number in range(2)]:
            rank = Rank(self, 0, process, 0)
            ranks.append(rank)
        for rank in ranks[4:]:
            self.assertEqual(rank.hear(), "joined PS_OK")
            self.assertNotIn("ps-watch", rank.ask("threads"))
        self.finalize(ranks[4:])


class ThreeHosts(WatchTest):
    HOSTS = 3

    def expect_split(self, ranks, side, other) -> None:
        """Groups of one side go on, those across fail on both."""
        self.expect_failure(ranks, r"rank \d \(pid \d+ on host .*\) is lost: no heartbeat for 3.0 s")
        for mine, theirs in ((side, other), (other, side)):
            for rank in (r for r in ranks if r.host in mine):
                for number in (r.number for r in ranks if r.host in theirs):
                    rank.ask(f"await {number} dead", NOTICED_S)
                rank.expect_alive(*(r.number for r in ranks if r.host in mine))

    def test_a_host_cut_off_from_the_store_and_the_rest(self) -> None:
        ranks = self.world()
        self.group_of(ranks)
        self.hosts.drop(2, [0, 1])
        self.expect_split(ranks, {0, 1}, {2})
        self.group_of(ranks[:4])
        self.finalize(ranks)

    def test_the_stores_host_cut_off_from_the_rest(self) -> None:
        ranks = self.world()
        self.group_of(ranks)
        self.hosts.drop(0, [1, 2])
        self.expect_split(ranks, {0}, {1, 2})
        # The store is lost, but not who is left: a later cut between them is noticed as well.
        self.hosts.drop(1, [2])
        for rank in ranks[2:4]:
            for other in (4, 5):
                rank.ask(f"await {other} dead", NOTICED_S)
        for rank in ranks[4:]:
            for other in (2, 3):
                rank.ask(f"await {other} dead", NOTICED_S)
        self.finalize(ranks)

    def expect_reduces(self, ranks) -> None:
        """A new group of the ranks moves data, at the latest when those that were cut off have found each other again."""
        until = time.monotonic() + launching.LIMIT_S
        while True:
            self.group_of(ranks)
            answers = self.ask_all(ranks, "reduce")
            if all(answer == "reduce PS_OK" for answer in answers):
                return
            for answer in answers:
                self.assertRegex(answer, "^reduce (PS_OK|PS_ERR_PEER_FAILED: .* cannot be reached from )")
            self.assertLess(time.monotonic(), until, answers)

    def test_a_cut_between_two_hosts_that_the_store_hears(self) -> None:
        ranks = self.world()
        flat = ranks[::PER_HOST]
        self.group_of(flat)
        self.expect_works(flat)
        self.hosts.drop(1, [2])
        lost = (r"rank [24] \(pid \d+ on host .*\) cannot be reached from rank [24] \(pid .* \(10\.77\.0\.[23] and "
                r"10\.77\.0\.[23]\), though the store hears both; check the link")
        with self.soon():
            answers = self.ask_all(flat, "reduce", NOTICED_S)
            self.expect_failure(flat, lost)
        for answer in answers[1:]:  # rank 0 has heard all
            self.assertRegex(answer, "^reduce PS_ERR_PEER_FAILED: .*" + lost)
        # The same for ranks that have not met before.
        strangers = [ranks[3], ranks[5]]
        self.group_of(strangers)
        with self.soon():
            for answer in self.ask_all(strangers, "reduce", NOTICED_S):
                self.assertRegex(answer, "^reduce PS_ERR_PEER_FAILED: .*rank [35] .* cannot be reached from rank [35] ")
        # Nobody is dead, and who does not need the link goes on.
        for rank in ranks:
            rank.expect_alive(*(other.number for other in ranks))
        for members in (ranks[:4], ranks[:2] + ranks[4:], ranks[2:4], ranks[4:]):
            self.group_of(members)
            self.expect_works(members)
        self.hosts.mend()
        self.expect_reduces(ranks)
        self.finalize(ranks)

    def test_a_wait_for_a_stopped_rank_is_no_cut(self) -> None:
        ranks = self.world()
        pair = [ranks[2], ranks[4]]
        self.group_of(pair)
        self.expect_works(pair)
        pair[1].signal(signal.SIGSTOP)
        pair[0].tell("reduce")
        time.sleep(NOT_CUT_S)
        pair[1].signal(signal.SIGCONT)
        pair[1].tell("reduce")
        for rank in pair:
            self.assertEqual(rank.hear(), "reduce PS_OK")
        self.finalize(ranks)

    def test_a_wait_behind_a_firewall_is_no_cut(self) -> None:
        """What stands passes, and one side may not begin anything new."""
        ranks = self.world()
        pair = [ranks[2], ranks[4]]
        self.group_of(pair)
        self.expect_works(pair)
        self.hosts.refuse_new(1, [2])
        for first, late in (pair, pair[::-1]):
            first.tell("reduce")
            time.sleep(NOT_CUT_S)
            late.tell("reduce")
            for rank in pair:
                self.assertEqual(rank.hear(), "reduce PS_OK")
        self.finalize(ranks)

    def test_a_death_is_told_to_all_hosts(self) -> None:
        ranks = self.world()
        self.group_of(ranks)
        ranks[2].kill()
        others = [rank for rank in ranks if rank.number != 2]
        self.expect_failure(others, r"rank 2 \(pid \d+ on host .*\) ended without psFinalize")
        self.finalize(others)


if __name__ == "__main__":
    launching.skip_unless_root("network namespaces")
    launching.main()
