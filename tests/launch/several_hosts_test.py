"""One world on two hosts, met by tcp: what moves between hosts, and who may come in."""

import contextlib
import os
import re
import shutil
import socket

import launching
from hosts import HostsTest

PER_HOST = 2
SIZE = 4
PORT = "29400"


class SeveralHosts(HostsTest):
    def world(self, variables, mode="hosts"):
        """Starts the ranks, two on a host; `variables` gives each rank's by its number."""
        return [self.start_on(rank // PER_HOST, [launching.RANK, mode], **variables(rank)) for rank in range(SIZE)]

    def expect_hosts(self, ranks, by):
        texts = []
        for rank, process in enumerate(ranks):
            out = self.finish(process)
            found = re.search(r"rank=.*", out)[0]
            self.assertTrue(found.startswith(
                f"rank={rank} size={SIZE} local={rank % PER_HOST}/{PER_HOST} nodes=2 by={by} moved="), out)
            texts.append(found.split("moved=", 1)[1])
        return texts

    def plain(self, **more):
        return lambda rank: {"PS_RANK": str(rank), "PS_WORLD_SIZE": str(SIZE),
                             "PS_RENDEZVOUS": f"tcp://{self.hosts.address(0)}:{PORT}", "PS_SECRET_FILE": self.secret,
                             **more}

    def torchrun(self, **more):
        return lambda rank: {"RANK": str(rank), "WORLD_SIZE": str(SIZE), "LOCAL_RANK": str(rank % PER_HOST),
                             "LOCAL_WORLD_SIZE": str(PER_HOST), "GROUP_RANK": str(rank // PER_HOST),
                             "GROUP_WORLD_SIZE": "2", "TORCHELASTIC_RUN_ID": "run",
                             "TORCHELASTIC_RESTART_COUNT": str(rank // PER_HOST),
                             "MASTER_ADDR": self.hosts.address(0), "MASTER_PORT": "29500",
                             "PS_SECRET_FILE": self.secret, **more}

    def test_data_goes_between_hosts(self) -> None:
        self.assertEqual(self.expect_hosts(self.world(self.plain()), "PS_*"), ["gloo"] * SIZE)

    def test_the_backend_of_one_host_says_that_it_does_not_reach_the_other(self) -> None:
        for text in self.expect_hosts(self.world(self.plain(PS_BACKEND="shm")), "PS_*"):
            for part in ("psAllReduce", "several hosts", '"shm"', '"gloo"'):
                self.assertIn(part, text)

    def test_where_one_host_lacks_the_plugin_all_are_told_so(self) -> None:
        # A library looks for its plugins beside itself.
        for name in ("libparallelstate.so", "libparallelstate.so.0"):
            shutil.copy(os.path.join(launching.LIBRARY, name), self.folder)
        variables = self.plain()
        ranks = self.world(lambda rank: {**variables(rank), **({"LD_LIBRARY_PATH": self.folder} if rank == 3 else {})})
        for text in self.expect_hosts(ranks, "PS_*"):
            for part in ("psAllReduce", "rank 3 (pid ", "one has no transport", f"{self.folder}/parallelstate/ps_gloo.so"):
                self.assertIn(part, text)

    def test_ranks_that_name_different_backends_are_told(self) -> None:
        variables = self.plain()
        ranks = self.world(lambda rank: {**variables(rank), **({"PS_BACKEND": "gloo"} if rank == 3 else {})})
        for rank in ranks:
            self.finish(rank, code=1)
            self.assertIn("PS_ERR_MISMATCH", rank.said)
            self.assertIn("rank 3 has the backend gloo, rank 0 has auto", rank.said)

    def test_ipv6(self) -> None:
        self.expect_hosts(self.world(self.plain(PS_RENDEZVOUS="tcp://[fd77::1]:29400")), "PS_*")

    def addresses(self, ranks):
        outputs = [self.finish(process) for process in ranks]
        return re.findall(r"address of \d: (.*)", outputs[0])

    def test_ranks_are_known_by_the_address_that_leads_to_the_meeting_place(self) -> None:
        self.assertEqual(self.addresses(self.world(self.plain())), ["10.77.0.1", "10.77.0.2"])

    def test_a_network_by_address_is_used_for_connections_too(self) -> None:
        # The store of a served world tells nobody where its clients come from, but the system does.
        with self.hosts_store() as seen:
            self.start_on(1, [launching.RANK], PS_RANK="1", PS_WORLD_SIZE="2",
                          PS_RENDEZVOUS=f"tcp://10.77.0.1:{seen.port}", PS_NETWORK="10.78.0.2")
            self.assertEqual(seen.client(), "10.78.0.2")

    def test_an_interface_by_name_is_used_for_data_too(self) -> None:
        self.hosts.add_interface(self, "eth1")  # the way to the meeting place is by eth0
        variables = self.plain(PS_WORLD_SIZE="2", PS_NETWORK="eth1")
        ranks = [self.start_on(host, [launching.RANK, "sleep"], **variables(host)) for host in range(2)]
        for host, rank in enumerate(ranks):
            line = rank.stdout.readline()
            self.assertIn(f"rank={host} size=2 local=0/1 nodes=2", line, line or rank.stderr.read())
        own, other = map(self.hosts.second_address, range(2))
        at_store = [connection for connection in connections(ranks[1].pid) if connection[1][1] == PORT]
        self.assertEqual({local[0] for local, _ in at_store}, {other})
        for rank, ends in ((ranks[0], (own, other)), (ranks[1], (other, own))):
            data = [connection for connection in connections(rank.pid) if PORT not in (connection[0][1], connection[1][1])]
            self.assertEqual({(local[0], remote[0]) for local, remote in data}, {ends})

    def test_a_network_that_is_not_there_is_refused_with_those_that_are(self) -> None:
        rank = self.start_on(1, [launching.RANK], PS_RANK="1", PS_WORLD_SIZE="2", PS_RENDEZVOUS="tcp://10.77.0.1:9",
                             PS_NETWORK="ib0")
        self.finish(rank, code=1)
        for part in ('"ib0"', "eth0 10.77.0.2", "lo 127.0.0.1"):
            self.assertIn(part, rank.said)

    def test_without_a_secret_other_hosts_are_refused(self) -> None:
        ranks = [self.start_on(0, [launching.RANK], PS_RANK="0", PS_WORLD_SIZE="2",
                               PS_RENDEZVOUS="tcp://10.77.0.1:29400")]
        self.finish(ranks[0], code=1)
        for part in ("PS_ERR_DENIED", "10.77.0.1:29400", "PS_SECRET_FILE", "PS_ALLOW_UNAUTHENTICATED=1"):
            self.assertIn(part, ranks[0].said)

    def test_without_a_secret_by_permission(self) -> None:
        self.expect_hosts(self.world(self.plain(PS_SECRET_FILE="", PS_ALLOW_UNAUTHENTICATED="1")), "PS_*")

    def test_a_wrong_secret_is_refused_on_the_other_host(self) -> None:
        first = self.start_on(0, [launching.RANK], **self.plain()(0))
        other = self.start_on(1, [launching.RANK], **{**self.plain()(2), "PS_SECRET_FILE": "", "PS_SECRET": "guessed"})
        self.finish(other, code=1)
        self.assertIn("PS_ERR_DENIED", other.said)
        self.assertIsNone(first.poll())

    def test_torchruns_variables(self) -> None:
        self.expect_hosts(self.world(self.torchrun()), "torchrun")

    def test_torchruns_variables_with_a_port_of_our_own(self) -> None:
        self.expect_hosts(self.world(self.torchrun(PS_MASTER_PORT="31000")), "torchrun")

    def test_a_stranger_on_the_port_is_named(self) -> None:
        holder = self.start_on(0, ["/usr/bin/python3", "-c",
                                   "import socket, time\n"
                                   "s = socket.create_server(('10.77.0.1', 29501))\n"
                                   "print('listening', flush=True)\n"
                                   "while True: s.accept()[0].close()\n"])
        self.assertEqual(holder.stdout.readline(), "listening\n")
        ranks = self.world(self.torchrun())
        for rank in ranks:
            self.finish(rank, code=1)
            self.assertIn("10.77.0.1:29501", rank.said)
        self.assertIn(f"in use by python3 (pid {holder.pid})", ranks[0].said)

    # Debian's /etc/hosts: a host's own name is 127.0.1.1 on that host alone.

    def start_with_names(self, host, variables):
        table = self.path(f"hosts{host}")
        with open(table, "w") as file:
            file.write("127.0.0.1 localhost\n" + ("127.0.1.1 node0\n" if host == 0 else "10.77.0.1 node0\n"))
        script = f"mount --bind {table} /etc/hosts && hostname node{host} && exec {launching.RANK} hosts"
        return self.start_on(host, ["unshare", "--mount", "--uts", "sh", "-c", script], **variables)

    def test_a_host_name_that_means_loopback_at_home(self) -> None:
        variables = self.torchrun(MASTER_ADDR="node0")
        ranks = [self.start_with_names(rank // PER_HOST, variables(rank)) for rank in range(SIZE)]
        self.expect_hosts(ranks, "torchrun")

    def test_a_host_name_that_means_loopback_at_home_and_no_secret(self) -> None:
        variables = self.torchrun(MASTER_ADDR="node0", PS_SECRET_FILE="", PS_INIT_TIMEOUT_MS="1000")
        rank = self.start_with_names(0, variables(0))
        self.finish(rank, code=1)
        for part in ("rank 1", "127.0.1.1", "PS_SECRET_FILE"):
            self.assertIn(part, rank.said)

    def hosts_store(self):
        return Listener(self)


def connections(pid: int):
    """What TCP connections over IPv4 a process has: (address, port) of this end, and of the other."""
    inodes = set()
    for entry in os.scandir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            inodes.update(re.findall(r"^socket:\[(\d+)\]$", os.readlink(entry.path)))

    def end(text):
        address, port = text.split(":")
        return socket.inet_ntoa(bytes.fromhex(address)[::-1]), str(int(port, 16))

    with open(f"/proc/{pid}/net/tcp") as table:
        rows = [line.split() for line in table.readlines()[1:]]
    return [(end(row[1]), end(row[2])) for row in rows if row[3] == "01" and row[9] in inodes]


class Listener:
    """Accepts one connection on host 0 and tells where it came from."""

    def __init__(self, test) -> None:
        self.test = test

    def __enter__(self):
        self.process = self.test.start_on(0, ["/usr/bin/python3", "-c",
                                              "import socket\n"
                                              "s = socket.create_server(('10.77.0.1', 0))\n"
                                              "s.settimeout(60)\n"
                                              "print(s.getsockname()[1], flush=True)\n"
                                              "print(s.accept()[1][0], flush=True)\n"])
        self.port = int(self.process.stdout.readline())
        return self

    def __exit__(self, *_):
        self.process.kill()

    def client(self) -> str:
        return self.process.stdout.readline().strip()


if __name__ == "__main__":
    launching.skip_unless_root("network namespaces")
    launching.main()
