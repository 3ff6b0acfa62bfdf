"""Two hosts on one machine: network namespaces with a cable between them. What runs in one sees that one's addresses
alone, and shares no abstract socket with the other, so the ranks there share no memory."""

import os
import re
import subprocess
import uuid
from typing import List

from launching import LIMIT_S, LaunchTest, program


class Hosts:
    """Host i has the address 10.77.0.(i + 1), and fd77::(i + 1)."""

    def __init__(self) -> None:
        self.names = [f"ps-{os.getpid()}-{i}" for i in range(2)]
        self.ip = program("ip", "iproute2")
        # `ip netns exec` would remount /sys, which not every container lets it.
        self.nsenter = program("nsenter", "util-linux")

    def run(self, command: List[str]) -> None:
        done = subprocess.run(command, text=True, capture_output=True, timeout=LIMIT_S)
        if done.returncode != 0:
            raise AssertionError(f"{' '.join(command)}: {done.stderr}")

    def make(self) -> None:
        self.remove_forgotten()
        for name in self.names:
            self.run([self.ip, "netns", "add", name])
        self.run([self.ip, "link", "add", "eth0", "netns", self.names[0], "type", "veth", "peer", "name", "eth0", "netns",
                  self.names[1]])
        for i in range(len(self.names)):
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
        for name in self.names:
            subprocess.run([self.ip, "netns", "delete", name], stderr=subprocess.DEVNULL, timeout=LIMIT_S)

    @staticmethod
    def address(host: int) -> str:
        return f"10.77.0.{host + 1}"

    def on(self, host: int, command: List[str]) -> List[str]:
        return [self.nsenter, f"--net=/run/netns/{self.names[host]}", *command]


class HostsTest(LaunchTest):
    @classmethod
    def setUpClass(cls) -> None:
        cls.hosts = Hosts()
        cls.addClassCleanup(cls.hosts.remove)
        cls.hosts.make()

    def setUp(self) -> None:
        super().setUp()
        self.secret = self.path("secret")
        with open(self.secret, "w") as file:
            os.chmod(self.secret, 0o600)
            file.write(uuid.uuid4().hex + "\n")

    def start_on(self, host: int, command: List[str], **variables: str):
        return self.start(self.hosts.on(host, command), variables)
