"""`psctl run --nnodes`: two hosts, a psctl on each and no other launcher."""

import os
import re
import signal
import time

import launching
from hosts import HostsTest

PORT = "29400"
PYTHON = "/usr/bin/python3"


class PsctlNodes(HostsTest):
    def psctl(self, node, ranks, *command, options=(), host=None, nnodes=2, **variables):
        place = f"{self.hosts.address(0)}:{PORT}"
        return self.start_on(node if host is None else host,
                             [launching.PSCTL, "run", "-n", str(ranks), "--nnodes", str(nnodes), "--node-rank",
                              str(node), "--rendezvous", place, "--secret-file", self.secret, *options, "--", *command],
                             **variables)

    def test_ranks_are_numbered_by_node_whatever_their_number(self) -> None:
        nodes = [self.psctl(1, 3, launching.RANK, "hosts"), self.psctl(0, 2, launching.RANK, "hosts")]
        out = "".join(self.finish(node) for node in nodes)
        found = sorted(re.findall(r"(\[\d\]) (rank=.*) by=PS_\* moved=gloo", out))
        self.assertEqual(found, [(f"[{rank}]", f"rank={rank} size=5 local={local}/{count} nodes=2") for
                                 rank, local, count in ((0, 0, 2), (1, 1, 2), (2, 0, 3), (3, 1, 3), (4, 2, 3))], out)

    def test_runs_after_each_other(self) -> None:
        for _ in range(20):  # of ends, which come together on both nodes
            for node in [self.psctl(node, 1, launching.RANK, "hosts") for node in range(2)]:
                self.finish(node)

    def test_variables(self) -> None:
        show = ("sh", "-c", "echo $PS_JOB $RANK $WORLD_SIZE $LOCAL_RANK $LOCAL_WORLD_SIZE $GROUP_RANK $MASTER_ADDR "
                "$MASTER_PORT $PS_RENDEZVOUS $PS_SECRET_FILE .$PS_SECRET.")
        nodes = [self.psctl(node, 1, *show, PS_SECRET="of another job") for node in range(2)]
        words = [self.finish(node).split()[1:] for node in nodes]
        for node in range(2):
            self.assertEqual(words[node][1:7], [str(node), "2", "0", "1", str(node), "10.77.0.1"])
            self.assertEqual(words[node][8:], [f"tcp://10.77.0.1:{PORT}", self.secret, ".."])
        self.assertEqual((words[0][0], words[0][7]), (words[1][0], words[1][7]))

    def test_a_failure_on_one_node_ends_the_ranks_on_the_other(self) -> None:
        for failing in range(2):
            commands = [("sleep", "1000"), ("sleep", "1000")]
            commands[failing] = ("sh", "-c", "exit 7")
            nodes = [self.psctl(node, 1, *commands[node]) for node in range(2)]
            for node in nodes:
                self.finish(node, code=7)
            text = rf"on node {failing} \(host .*\): rank {failing} \(pid \d+\) exited with code 7; ending the 1 "
            self.assertRegex(nodes[1 - failing].said, text)

    def test_a_failure_after_the_other_node_is_done_is_its_failure_too(self) -> None:
        go = self.path("go")
        os.mkfifo(go)
        first = self.psctl(0, 1, "sh", "-c", f"read line < {go}; exit 9")
        second = self.psctl(1, 1, "true")
        for line in second.stderr:
            if "exited with code 0" in line:
                break
        with open(go, "w") as file:
            file.write("now\n")
        self.finish(first, code=9)
        self.finish(second, code=9)

    def test_keep_going(self) -> None:
        go = self.path("go")
        os.mkfifo(go)
        first = self.psctl(0, 1, "sh", "-c", f"read line < {go}; echo went on", options=["--keep-going"])
        second = self.psctl(1, 1, "sh", "-c", "exit 4", options=["--keep-going"])
        for line in first.stderr:
            if "exited with code 4" in line:
                break
        with open(go, "w") as file:
            file.write("now\n")
        self.assertEqual(self.finish(first, code=4), "[0] went on\n")
        self.finish(second, code=4)

    def test_an_interrupt_on_one_node_ends_all(self) -> None:
        patient = (PYTHON, "-c", "import signal, sys\n"
                   "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])\n"
                   "print('ready', flush=True)\n"
                   "signal.sigwait([signal.SIGINT]); sys.exit(0)\n")
        for command, code in ((patient, 0), (("sh", "-c", "echo ready; exec sleep 1000"), 130)):
            for interrupted in range(2):
                nodes = [self.psctl(node, 1, *command) for node in range(2)]
                for node in nodes:
                    self.assertIn("ready", node.stdout.readline())
                os.kill(self.psctl_of(nodes[interrupted]), signal.SIGINT)
                for node in nodes:
                    self.finish(node, code=code)

    @staticmethod
    def psctl_of(process) -> int:
        return process.pid  # setpriv and ip become it by exec

    def test_a_time_limit_of_one_node_ends_all(self) -> None:
        nodes = [self.psctl(0, 1, "sleep", "1000"), self.psctl(1, 1, "sleep", "1000", options=["--timeout", "0.5"])]
        for node in nodes:
            self.finish(node, code=124)
        self.assertIn("the time limit of 0.5 s has passed and rank 1 is still running", nodes[0].said)

    def test_a_killed_psctl_ends_the_other(self) -> None:
        for killed in range(2):
            nodes = [self.psctl(node, 1, "sh", "-c", "echo ready; exec sleep 1000") for node in range(2)]
            for node in nodes:
                self.assertIn("ready", node.stdout.readline())
            nodes[killed].kill()
            other = nodes[1 - killed]
            other.wait(launching.LIMIT_S)
            self.assertNotEqual(other.returncode, 0)
            self.end(nodes[killed])

    def test_a_node_that_vanishes_ends_all(self) -> None:
        for cut in range(2):
            self.addCleanup(self.hosts.mend)
            nodes = [self.psctl(node, 1, "sh", "-c", "echo ready; exec sleep 1000") for node in range(2)]
            for node in nodes:
                self.assertIn("ready", node.stdout.readline())
            self.hosts.drop(cut, [1 - cut])
            for node in nodes:
                self.finish(node, code=1, limit=20)
            self.assertRegex(nodes[0].said, r"node 1 \(host .*\) has not been heard of for 4 s")
            self.assertIn("contact with node 0 was lost", nodes[1].said)
            self.hosts.mend()

    def test_a_command_that_is_not_there(self) -> None:
        nodes = [self.psctl(0, 1, "sleep", "1000"), self.psctl(1, 1, "no-such-command")]
        for node in nodes:
            self.finish(node, code=127)
        self.assertIn('could not run "no-such-command"', nodes[0].said)

    def test_ctrl_c_while_waiting_for_the_other_node(self) -> None:
        node = self.psctl(1, 1, "true")
        while len(os.listdir(f"/proc/{node.pid}/task")) and not self.children(node.pid):
            time.sleep(0.001)
        os.kill(node.pid, signal.SIGINT)
        self.finish(node, code=130)
        self.assertIn("before the other nodes had come", node.said)

    @staticmethod
    def children(pid) -> str:
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            return file.read()

    # What is wrong is said.

    def test_a_node_that_does_not_come_is_named(self) -> None:
        node = self.psctl(0, 1, "true", options=["--meet-timeout", "0.2"])
        self.finish(node, code=1)
        self.assertIn(f"node 1 has not come to tcp://10.77.0.1:{PORT}", node.said)
        node = self.psctl(1, 1, "true", options=["--meet-timeout", "0.2"])
        self.finish(node, code=1)
        self.assertIn("found no node 0 at", node.said)

    def test_a_number_that_is_taken(self) -> None:
        first = self.psctl(0, 1, "sleep", "1000")
        second = self.psctl(0, 1, "true", host=1)
        self.finish(second, code=1)
        self.assertIn("is no address of this host", second.said)
        third = self.psctl(1, 1, "sleep", "1000")
        fourth = self.psctl(1, 1, "true")
        losers = []
        while not losers:
            losers = [node for node in (third, fourth) if node.poll() is not None]
            time.sleep(0.001)
        self.finish(losers[0], code=1)
        self.assertIn("--node-rank 1 is taken by a psctl on host", losers[0].said)
        os.kill(self.psctl_of(first), signal.SIGINT)
        self.finish(first, code=130)

    def test_different_numbers_of_nodes(self) -> None:
        nodes = [self.psctl(0, 1, "true"), self.psctl(1, 1, "true", nnodes=3)]
        for node in nodes:
            self.finish(node, code=1)
        # The first to see it says it, and leaves; node 1 may have learnt of that alone.
        said = nodes[0].said + nodes[1].said
        self.assertIn("with --nnodes 2", said)
        self.assertIn("with --nnodes 3", said)

    def test_wrong_secret(self) -> None:
        other = self.path("other")
        with open(other, "w") as file:
            os.chmod(other, 0o600)
            file.write("guessed")
        first = self.psctl(0, 1, "true")
        second = self.start_on(1, [launching.PSCTL, "run", "--nnodes", "2", "--node-rank", "1", "--rendezvous",
                                   f"10.77.0.1:{PORT}", "--secret-file", other, "true"])
        self.finish(second, code=1)
        self.assertIn("secret", second.said)
        os.kill(self.psctl_of(first), signal.SIGINT)
        self.finish(first, code=130)

    def test_no_secret_and_other_wrong_command_lines(self) -> None:
        several = ("--nnodes", "2", "--rendezvous", "10.77.0.1:29400")
        for options, parts in (
                (several, ("needs a secret", "--secret-file", "PS_SECRET_FILE", "/dev/urandom")),
                (("--nnodes", "2"), ("--rendezvous HOST:PORT",)),
                (("--nnodes", "2", "--rendezvous", "node0"), ('"node0" is not HOST:PORT',)),
                ((*several, "--node-rank", "2"), ("--node-rank 2", "--nnodes 2")),
                (("--rendezvous", "h:1"), ("--nnodes",))):
            done = self.start([launching.PSCTL, "run", *options, "--", "true"])
            self.finish(done, code=2)
            for part in parts:
                self.assertIn(part, done.said)


if __name__ == "__main__":
    launching.skip_unless_root("network namespaces")
    launching.main()
