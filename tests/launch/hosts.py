"""Several hosts on one machine: network namespaces, cabled to a bridge in one more. What runs in one sees that one's
addresses alone, and shares no abstract socket with the others, so the ranks there share no memory. Their links can be
taken down, slowed, made lossy, and what they send each other dropped. A second network, of TUN devices, is a delay
away."""

import errno
import json
import os
import re
import subprocess
import sys
import uuid
from typing import List

from launching import LIMIT_S, LaunchTest, program


class Hosts:
    """Host i has the addresses 10.77.0.(i + 1) and fd77::(i + 1), 10.79.0.(i + 1) while there is a far network and
    10.80.0.(i + 1) while there is a second interface."""

    def __init__(self, count: int = 2) -> None:
        self.names = [f"ps-{os.getpid()}-{i}" for i in range(count)]
        self.switch = f"ps-{os.getpid()}-{count}"
        self.ip = program("ip", "iproute2")
        # `ip netns exec` would remount /sys, which not every container lets it.
        self.nsenter = program("nsenter", "util-linux")

    def run(self, command: List[str]) -> None:
        done = subprocess.run(command, text=True, capture_output=True, timeout=LIMIT_S)
        if done.returncode != 0:
            raise AssertionError(f"{' '.join(command)}: {done.stderr}")

    def output(self, command: List[str]) -> str:
        return subprocess.run(command, text=True, stdout=subprocess.PIPE, timeout=LIMIT_S, check=True).stdout

    def make(self) -> None:
        self.remove_forgotten()
        for name in (self.switch, *self.names):
            self.run([self.ip, "netns", "add", name])
        self.run([self.ip, "-n", self.switch, "link", "add", "bridge", "type", "bridge"])
        self.run([self.ip, "-n", self.switch, "link", "set", "bridge", "up"])
        for i, name in enumerate(self.names):
            self.run([self.ip, "link", "add", f"port{i}", "netns", self.switch, "type", "veth", "peer", "name", "eth0",
                      "netns", name])
            self.run([self.ip, "-n", self.switch, "link", "set", f"port{i}", "master", "bridge", "up"])
            for change in ("link set lo up", f"address add {self.address(i)}/24 dev eth0",
                           f"address add 10.78.0.{i + 1}/24 dev eth0", f"-6 address add fd77::{i + 1}/64 dev eth0 nodad",
                           "link set eth0 up"):
                self.run(self.on(i, [self.ip, *change.split()]))

    def remove_forgotten(self) -> None:
        """Those of a test that was killed: its process is in their names."""
        listed = subprocess.run([self.ip, "netns", "list"], text=True, capture_output=True, timeout=LIMIT_S).stdout
        for name in re.findall(r"^ps-\d+-\d+\b", listed, re.M):
            if not os.path.exists(f"/proc/{name.split('-')[1]}"):
                subprocess.run([self.ip, "netns", "delete", name], stderr=subprocess.DEVNULL, timeout=LIMIT_S)

    def remove(self) -> None:
        for name in (*self.names, self.switch):
            subprocess.run([self.ip, "netns", "delete", name], stderr=subprocess.DEVNULL, timeout=LIMIT_S)

    def set_link(self, host: int, state: str) -> None:
        self.run(self.on(host, [self.ip, "link", "set", "eth0", state]))

    def drop(self, host: int, others: List[int]) -> None:
        """From now on nothing passes between the host and the others, and neither is told."""
        nft = program("nft", "nftables")
        rules = ["table inet cut {"]
        for hook, side in (("input", "saddr"), ("output", "daddr")):
            addresses = ", ".join(self.address(other) for other in others)
            rules.append(f"chain {hook} {{ type filter hook {hook} priority 0; ip {side} {{ {addresses} }} drop; }}")
        self.run(self.on(host, [nft, "\n".join([*rules, "}"])]))

    def refuse_new(self, host: int, others: List[int]) -> None:
        """From now on the others' attempts to connect to the host are lost there. What is connected stays so."""
        addresses = ", ".join(self.address(other) for other in others)
        rule = f"ip saddr {{ {addresses} }} tcp flags & (syn | ack) == syn drop"
        lines = ["table inet cut {", f"chain input {{ type filter hook input priority 0; {rule}; }}", "}"]
        self.run(self.on(host, [program("nft", "nftables"), "\n".join(lines)]))

    def limit_rate(self, mbit: int) -> None:
        """From now on no host sends faster. What a short queue does not hold is lost, as in a switch."""
        for name in self.names:
            self.run([program("tc", "iproute2"), "-n", name, "qdisc", "add", "dev", "eth0", "root", "tbf", "rate",
                      f"{mbit}mbit", "burst", "64kb", "latency", "20ms"])

    def held_back(self) -> int:
        """How often a packet had to wait for the rate."""
        command = [program("tc", "iproute2"), "-j", "-s", "-n"]
        return sum(json.loads(self.output([*command, name, "qdisc", "show", "dev", "eth0"]))[0]["overlimits"]
                   for name in self.names)

    def lose(self, percent: int) -> None:
        """From now on that many of the packets that reach a host are lost there, unseen by who sent them."""
        rule = f'iifname "eth0" numgen random mod 100 < {percent} counter name lost drop'
        lines = ["table inet loss {", "counter lost { }",
                 f"chain input {{ type filter hook input priority 0; {rule}; }}", "}"]
        for i in range(len(self.names)):
            self.run(self.on(i, [program("nft", "nftables"), "\n".join(lines)]))

    def lost(self) -> int:
        """How many packets were."""
        listed = [json.loads(self.output(self.on(i, [program("nft", "nftables"), "-j", "list", "counters"])))
                  for i in range(len(self.names))]
        return sum(entry["counter"]["packets"] for host in listed for entry in host["nftables"] if "counter" in entry)

    def mend(self) -> None:
        """Undoes every cut, limit and loss."""
        for i, name in enumerate(self.names):
            self.set_link(i, "up")
            for command in (self.on(i, [program("nft", "nftables"), "delete", "table", "inet", "cut"]),
                            self.on(i, [program("nft", "nftables"), "delete", "table", "inet", "loss"]),
                            [program("tc", "iproute2"), "-n", name, "qdisc", "delete", "dev", "eth0", "root"]):
                subprocess.run(command, stderr=subprocess.DEVNULL, timeout=LIMIT_S)

    def add_interface(self, test: LaunchTest, name: str) -> None:
        """Until the test ends: one more of each host, with an address of its own, cabled to the same bridge."""
        # A host answers for all of its addresses on every interface, so others may know the first by the second.
        test.addCleanup(self.forget_neighbours)
        for i, host in enumerate(self.names):
            port = f"{name}-port{i}"
            self.run([self.ip, "link", "add", port, "netns", self.switch, "type", "veth", "peer", "name", name, "netns", host])
            test.addCleanup(self.run, [self.ip, "-n", self.switch, "link", "delete", port])
            self.run([self.ip, "-n", self.switch, "link", "set", port, "master", "bridge", "up"])
            for change in (f"address add {self.second_address(i)}/24 dev {name}", f"link set {name} up"):
                self.run([self.ip, "-n", host, *change.split()])

    def forget_neighbours(self) -> None:
        for name in self.names:
            self.run([self.ip, "-n", name, "neigh", "flush", "all"])

    def add_far_network(self, test: LaunchTest, delay_ms: int) -> None:
        """Until the test ends: every packet between the hosts' far addresses takes that long."""
        try:
            os.close(os.open("/dev/net/tun", os.O_RDWR))
        except OSError as why:
            if why.errno not in (errno.ENOENT, errno.ENODEV, errno.ENXIO, errno.EPERM, errno.EACCES):
                raise
            test.skipTest(f"no TUN device can be made here, and so no delay: {why}")
        relay = test.start([sys.executable, os.path.join(os.path.dirname(__file__), "relay.py"), str(delay_ms),
                            *self.names])
        if relay.stdout.readline() != "ready\n":
            test.fail(f"the relay has ended: {relay.stderr.read()}")
        for i, name in enumerate(self.names):
            for change in ("link set tun0 mtu 9000 txqueuelen 10000 up",
                           f"address add {self.far_address(i)}/24 dev tun0"):
                self.run([self.ip, "-n", name, *change.split()])

    @staticmethod
    def address(host: int) -> str:
        return f"10.77.0.{host + 1}"

    @staticmethod
    def second_address(host: int) -> str:
        return f"10.80.0.{host + 1}"

    @staticmethod
    def far_address(host: int) -> str:
        return f"10.79.0.{host + 1}"

    def on(self, host: int, command: List[str]) -> List[str]:
        return [self.nsenter, f"--net=/run/netns/{self.names[host]}", *command]


class HostsTest(LaunchTest):
    HOSTS = 2

    @classmethod
    def setUpClass(cls) -> None:
        cls.hosts = Hosts(cls.HOSTS)
        cls.addClassCleanup(cls.hosts.remove)
        cls.hosts.make()

    def setUp(self) -> None:
        super().setUp()
        self.secret = self.path("secret")
        with open(self.secret, "w") as file:
            os.chmod(self.secret, 0o600)
            file.write(uuid.uuid4().hex + "\n")

    def start_on(self, host: int, command: List[str], options=None, **variables: str):
        return self.start(self.hosts.on(host, command), variables, **(options or {}))
