"""Runs a program's ranks on two network namespaces with a cable between them, which stand for two hosts: data goes
through TCP from one to the other, while the times are taken on one clock. Needs root.

usage: two_hosts.py RANKS_PER_HOST PSCTL COMMAND...     {shared} in it becomes a fresh folder of both
"""

import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

DEADLINE_S = 75
PORT = 29477


def ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True, timeout=DEADLINE_S)


def make_hosts(stack):
    """Their names; host i has the address 10.77.0.(i + 1) at its eth0."""
    names = [f"ps-peers-{os.getpid()}-{i}" for i in range(2)]
    for name in names:
        ip("netns", "add", name)
        stack.callback(subprocess.run, ["ip", "netns", "delete", name], check=False, timeout=DEADLINE_S)
    ip("link", "add", "eth0", "netns", names[0], "type", "veth", "peer", "name", "eth0", "netns", names[1])
    for i, name in enumerate(names):
        for change in ("link set lo up", f"address add 10.77.0.{i + 1}/24 dev eth0", "link set eth0 up"):
            ip("-netns", name, *change.split())
    return names


def start(psctl, host, name, ranks, secret, command):
    # Not `ip netns exec`: it remounts /sys, which not every container lets it.
    return subprocess.Popen(
        ["nsenter", f"--net=/run/netns/{name}", psctl, "run", "--quiet", "-n", str(ranks), "--nnodes", "2",
         "--node-rank", str(host), "--rendezvous", f"10.77.0.1:{PORT}", "--secret-file", secret, "--timeout",
         str(DEADLINE_S), "--", *command], stdin=subprocess.DEVNULL)


def main():
    ranks, psctl, command = sys.argv[1], sys.argv[2], sys.argv[3:]
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="two-hosts-", dir="/dev/shm"))
        secret = Path(folder) / "secret"
        secret.touch(0o600)
        secret.write_text(os.urandom(16).hex() + "\n")
        names = make_hosts(stack)
        filled = [word.replace("{shared}", folder) for word in command]
        hosts = [start(psctl, i, name, ranks, str(secret), filled) for i, name in enumerate(names)]
        return max(abs(host.wait()) for host in hosts)


if __name__ == "__main__":
    sys.exit(main())
