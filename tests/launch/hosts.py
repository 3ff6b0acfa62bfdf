"""Several hosts on one machine: network namespaces, cabled to a bridge in one more. What runs in one sees that one's
addresses alone, and shares no abstract socket with the others, so the ranks there share no memory. Their links can be
taken down, and what they send each other dropped."""

import os
import re
import subprocess
import uuid
from typing import List

from launching import LIMIT_S, LaunchTest, program


class Hosts:
    """Host i has the address 10.77.0.(i + 1), and fd77::(i + 1)."""

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

    def mend(self) -> None:
        """Undoes every cut."""
        for i in range(len(self.names)):
            self.set_link(i, "up")
            subprocess.run(self.on(i, [program("nft", "nftables"), "delete", "table", "inet", "cut"]),
                           stderr=subprocess.DEVNULL, timeout=LIMIT_S)

    @staticmethod
    def address(host: int) -> str:
        return f"10.77.0.{host + 1}"

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
