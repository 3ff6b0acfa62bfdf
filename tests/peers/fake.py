#!/usr/bin/env python3
"""Stands for every program that bench-peers starts, under the name it is started by: prints what that competitor would,
on a machine whose processors move apart every few starts. Within a placement the figures are exact multiples of each
other, so that a comparison across placements shows."""

import fcntl
import json
import os
import sys
from pathlib import Path

US = {"ours": 1.0, "ours_registered": 0.5, "openmpi": 2.5, "openmpi_sm": 2.0, "mpich": 5.0, "gloo": 400.0, "limit": 0.4,
      "c": 2.0, "python": 2.9}
FAR = 3.0         # times slower
STARTS = 7        # until the placement changes: rounds are cut in the middle


def role(name, arguments):
    if name == "psctl":
        if arguments[0] == "run":
            return "python" if any(argument.endswith("python_calls.py") for argument in arguments) else "c"
        return "ours_registered" if "--registered" in arguments else "ours"
    if name == "nsenter":
        return "gloo" if any(argument.endswith("peer_gloo") for argument in arguments) else "ours"
    if name == "mpirun.openmpi":
        return "openmpi_sm" if "coll_sm_priority" in arguments else "openmpi"
    return {"mpirun.mpich": "mpich", "peer_gloo": "gloo", "peer_limits": "limit"}[name]


def option(arguments, name, otherwise):
    return arguments[arguments.index(name) + 1] if name in arguments else otherwise


def count_starts(path):
    with open(path, "a+", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write("x")
        file.flush()
        return os.fstat(file.fileno()).st_size


def main():
    name, arguments = Path(sys.argv[0]).name, sys.argv[1:]
    if arguments[:1] == ["info"]:
        print(json.dumps({"backends": [{"name": "gloo", "available": "FAKE_GLOO" in os.environ}]}))
        return 0
    if option(arguments, "--node-rank", "0") != "0":
        return 0     # rank 0 prints
    who = role(name, arguments)
    starts = count_starts(os.environ["FAKE_STARTS"])
    far = (starts // STARTS) % 2 == 1
    op, ranks = option(arguments, "--op", "call"), int(option(arguments, "--ranks", "2"))
    if os.environ.get("FAKE_BROKEN") == who:
        print("no such device", file=sys.stderr)
        return 3
    for size in map(int, option(arguments, "--sizes", "8" if op == "call" else "0").split(",")):
        us = US[who] * (FAR if far else 1) * (1 + size / 1000)
        print("[0] " * (op == "call") + json.dumps({
            "op": op, "ranks": ranks, "bytes": size, "registered": "--registered" in arguments, "median_us": us,
            "p99_us": us * 1.5, "line_ns": 5000 if ranks > 2 else (240 if far else 50) + starts % 5,
            "verified": os.environ.get("FAKE_WRONG") != who}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
