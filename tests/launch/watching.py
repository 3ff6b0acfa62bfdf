"""Ranks that a test talks to, on several hosts."""

import contextlib
import os
import select
import signal
import subprocess
import time

import launching
from hosts import HostsTest

PORT = "29400"
PER_HOST = 2
# A cut is noticed about 3 s after it; a busy machine may take longer, and nothing here depends on how long.
NOTICED_S = 30
# Where a test says that it does not take the minutes of a transport: a thread that comes late begins its 4 s again.
SOON_S = 20


class Rank:
    """A process of watch_rank, its commands and its answers."""

    def __init__(self, test, number, process, host) -> None:
        self.test, self.number, self.process, self.host = test, number, process, host
        self.rest = b""

    def tell(self, command) -> None:
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()

    def hear(self, limit=launching.LIMIT_S) -> str:
        until = time.monotonic() + limit
        while b"\n" not in self.rest:
            left = until - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                self.test.fail(f"rank {self.number} gave no answer within {limit} s")
            read = os.read(self.process.stdout.fileno(), 65536)
            if not read:
                self.test.fail(f"rank {self.number} has ended: {self.process.stderr.read()}")
            self.rest += read
        line, self.rest = self.rest.split(b"\n", 1)
        return line.decode()

    def ask(self, command, limit=launching.LIMIT_S) -> str:
        self.tell(command)
        return self.hear(limit)

    def expect_alive(self, *numbers) -> None:
        """In the end: who looks a second late takes others for silent until it looks again."""
        for number in numbers:
            self.test.assertRegex(self.ask(f"await {number} alive", NOTICED_S), f"state {number} alive")

    def signal(self, number) -> None:
        os.kill(self.process.pid, number)

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        self.process.wait(launching.LIMIT_S)


class WatchTest(HostsTest):
    def setUp(self) -> None:
        super().setUp()
        self.addCleanup(self.hosts.mend)

    def world(self, placed=None, **variables):
        """Ranks on the hosts `placed`, rank 0 with the store on the first of them; PER_HOST on each otherwise."""
        program = os.path.join(os.path.dirname(launching.RANK), "watch_rank")
        placed = placed or [number // PER_HOST for number in range(self.HOSTS * PER_HOST)]
        ranks = []
        for number, host in enumerate(placed):
            process = self.start_on(host, [program], {"stdin": subprocess.PIPE}, PS_RANK=str(number),
                                    PS_WORLD_SIZE=str(len(placed)), PS_SECRET_FILE=self.secret,
                                    PS_RENDEZVOUS=f"tcp://{self.hosts.address(0)}:{PORT}", **variables)
            ranks.append(Rank(self, number, process, host))
        for rank in ranks:
            self.assertEqual(rank.hear(), "joined PS_OK")
        return ranks

    def ask_all(self, ranks, command, limit=launching.LIMIT_S):
        """One command to all at once, since a collective returns on none before all have called it."""
        for rank in ranks:
            rank.tell(command)
        return [rank.hear(limit) for rank in ranks]

    def finalize(self, ranks) -> None:
        for answer in self.ask_all(ranks, "finalize"):
            self.assertEqual(answer, "finalize PS_OK")
        for rank in ranks:
            self.assertEqual(rank.process.wait(launching.LIMIT_S), 0, rank.process.stderr.read())

    @contextlib.contextmanager
    def soon(self):
        begin = time.monotonic()
        yield
        self.assertLess(time.monotonic() - begin, SOON_S)

    def group_of(self, ranks) -> None:
        for answer in self.ask_all(ranks, "group " + ",".join(str(rank.number) for rank in ranks)):
            self.assertEqual(answer, "group PS_OK")

    def expect_works(self, ranks) -> None:
        """The ranks' group, which is on one host, moves data."""
        for answer in self.ask_all(ranks, "reduce"):
            self.assertEqual(answer, "reduce PS_OK")

    def expect_failure(self, ranks, *patterns):
        for rank, answer in zip(ranks, self.ask_all(ranks, "failure", NOTICED_S)):
            self.assertTrue(answer.startswith("failure PS_ERR_PEER_FAILED: "), answer)
            for pattern in patterns:
                self.assertRegex(answer, pattern, f"on rank {rank.number}")
