"""Data between hosts over links that are slow, that lose packets, and that are long: every result is right, and nobody
is taken for dead."""

import errno
import os
import time

import launching
from hosts import HostsTest

PER_HOST = 2
PORT = "29400"
CASES = r"swept [1-9]\d* cases\n$"


class TwoHosts(HostsTest):
    HOSTS = 2

    def setUp(self) -> None:
        super().setUp()
        self.addCleanup(self.hosts.mend)

    def sweep(self, largest, address=None) -> None:
        """PER_HOST ranks on each host move blocks of up to that many bytes."""
        program = os.path.join(os.path.dirname(launching.RANK), "sweep_rank")
        size = self.HOSTS * PER_HOST
        ranks = [self.start_on(number // PER_HOST, [program, str(largest)], PS_RANK=str(number),
                               PS_WORLD_SIZE=str(size), PS_SECRET_FILE=self.secret,
                               PS_RENDEZVOUS=f"tcp://{address or self.hosts.address(0)}:{PORT}")
                 for number in range(size)]
        for rank in ranks:
            self.assertRegex(self.finish(rank), CASES)

    def test_a_link_of_limited_rate(self) -> None:
        self.hosts.limit_rate(200)
        self.sweep(1 << 20)
        self.assertGreater(self.hosts.held_back(), 0)

    def test_what_a_rank_sent_before_it_left_goes_on_arriving(self) -> None:
        """For seconds after the last rank has left, which is not the one that serves the store."""
        self.hosts.limit_rate(3)
        ranks = [self.start_on(host, [launching.RANK, "last"], PS_RANK=str(host), PS_WORLD_SIZE=str(self.HOSTS),
                               PS_SECRET_FILE=self.secret, PS_RENDEZVOUS=f"tcp://{self.hosts.address(0)}:{PORT}")
                 for host in range(self.HOSTS)]
        for rank in ranks:
            self.assertEqual(self.finish(rank), "sent\n" if rank is ranks[-1] else "received\n")

    def test_a_link_that_loses_packets(self) -> None:
        for percent in (1, 2):
            self.hosts.lose(percent)
            self.sweep(1 << 20)
            self.assertGreater(self.hosts.lost(), 0)
            self.hosts.mend()

    def test_a_long_link(self) -> None:
        delay_ms = 20
        self.hosts.add_far_network(self, delay_ms)
        begin = time.monotonic()
        knock = f"import socket; print(socket.socket().connect_ex(('{self.hosts.far_address(1)}', 9)))"
        refused = self.finish(self.start_on(0, ["/usr/bin/python3", "-c", knock]))
        self.assertEqual(refused, f"{errno.ECONNREFUSED}\n")
        self.assertGreaterEqual(time.monotonic() - begin, 2 * delay_ms / 1000)
        self.sweep(1 << 20, self.hosts.far_address(0))


class ThreeHosts(TwoHosts):
    HOSTS = 3


if __name__ == "__main__":
    launching.skip_unless_root("network namespaces")
    launching.main()
