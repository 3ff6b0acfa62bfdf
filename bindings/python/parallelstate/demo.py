"""One rank of `psctl demo`, in Python: `python3 -m parallelstate.demo`. tools/psctl/demo_rank.cc says what a rank does.

Its buffers are those of the standard library, so that it needs no numpy.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from array import array
from typing import List, NoReturn, Sequence

from . import NEXT, PREV, Context, Error, Group, PeerFailedError, init

RANKS = 4
VICTIM = 2
RING_TAG = 7
RING_TOTAL = 1 + 2 + 3 + 4
LAYOUT = "sglang:tp=2,pp=2"
PIPELINE_TAG = 1
PIPELINE_SUM = 1 + 2
NAME_BYTES = 16
REPORT = 11
LANGUAGE = "Python"


class Pair:
    """A group of two and what came out of it."""

    def __init__(self, context: Context, name: str, members: Sequence[int]) -> None:
        self.group = context.new_group(members, name=name)
        self.members = list(members)
        self.gathered: List[int] = []
        self.sum = 0
        self.as_expected = True

    def add(self, rank: int) -> None:
        values = array("f", [rank + 1] * 4)
        self.group.all_reduce(values)
        self.sum = int(values[0])
        expected = sum(member + 1 for member in self.members)
        self.as_expected = self.as_expected and all(value == expected for value in values)

    def collect(self, rank: int) -> None:
        gathered = array("i", [0] * len(self.members))
        self.group.all_gather(array("i", [rank]), gathered)
        self.gathered = list(gathered)
        self.as_expected = self.as_expected and self.gathered == self.members


def say(text: str) -> None:
    print(text, flush=True)


def pass_token(world: Group) -> int:
    token, received = array("q", [0]), array("q", [0])
    for _ in range(RANKS):
        world.send_recv(token, NEXT, received, PREV, RING_TAG)
        token[0] = received[0] + world.rank + 1
    return token[0]


def run_pipeline(context: Context) -> int:
    with context.model_parallel(LAYOUT):
        total = array("q", [context.rank + 1])
        context.group("tp").all_reduce(total)
        stage = context.group("pp")
        if stage.rank == 0:
            stage.send(total, NEXT, PIPELINE_TAG)
        else:
            stage.recv(total, PREV, PIPELINE_TAG)
    return total[0]


def print_table(reports: Sequence[int], names: bytes) -> None:
    lines = ["", "rank  language  process   tp group  its sum   dp group  its sum   ring token  pipeline  as expected"]
    for row in (reports[start:start + REPORT] for start in range(0, len(reports), REPORT)):
        rank, process, tp_sum, dp_sum, tp0, tp1, dp0, dp1, token, pipeline, as_expected = row
        language = names[rank * NAME_BYTES:(rank + 1) * NAME_BYTES].rstrip(b"\0").decode("utf-8", "replace")
        lines.append(f"{rank:4d}  {language:<8s}  {process:7d}   [{tp0}, {tp1}]    {tp_sum:7d}   [{dp0}, {dp1}]    "
                     f"{dp_sum:7d}   {token:10d}  {pipeline:8d}  {'yes' if as_expected == 1 else 'NO'}")
    lines += ["",
              "Every rank gave its number + 1 to a sum in two groups; a token went round the ring and gained the same",
              f"from each rank: 1 + 2 + 3 + 4 = {RING_TOTAL}; in the layout {LAYOUT} the first stage's sum, "
              f"{PIPELINE_SUM}, went", "down the pipeline.", ""]
    say("\n".join(lines))


def die(rank: int) -> NoReturn:
    say(f"rank {rank} kills its own process now (SIGKILL), while the others wait for it in a barrier")
    time.sleep(0.3)
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("SIGKILL was survived")


def outlive(world: Group) -> bool:
    try:
        while True:
            world.barrier()
    except Error as error:
        name = getattr(error.code, "name", str(int(error.code)))
        say(f"rank {world.rank} got PS_{name}: {error}")
        return isinstance(error, PeerFailedError)


def demonstrate() -> bool:
    with init() as context:
        rank, world = context.rank, context.world
        if context.world_size != RANKS:
            raise SystemExit(f"the demonstration has four ranks, this world has {context.world_size}")
        say(f"rank {rank} of {RANKS}, written in {LANGUAGE}, is process {os.getpid()}")

        names = bytearray(RANKS * NAME_BYTES)
        world.all_gather(LANGUAGE.encode().ljust(NAME_BYTES, b"\0"), names)

        tp = Pair(context, "tp", [0, 1] if rank < 2 else [2, 3])
        dp = Pair(context, "dp", [0, 2] if rank % 2 == 0 else [1, 3])
        for pair in (tp, dp):
            pair.add(rank)
        for pair in (tp, dp):
            pair.collect(rank)
        token = pass_token(world)
        pipeline = run_pipeline(context)
        as_expected = (tp.as_expected and dp.as_expected and token == RING_TOTAL
                       and pipeline == PIPELINE_SUM)

        report = array("q", [rank, os.getpid(), tp.sum, dp.sum, *tp.gathered, *dp.gathered, token, pipeline,
                             int(as_expected)])
        reports = array("q", [0] * (RANKS * REPORT)) if rank == 0 else None
        world.gather(report, reports)
        if reports is not None:
            print_table(reports, bytes(names))
        world.barrier()

        if os.environ.get("PS_DEMO_KILL") == "1":
            if rank == VICTIM:
                die(rank)
            as_expected = outlive(world) and as_expected
        return as_expected


def main() -> int:
    try:
        return 0 if demonstrate() else 1
    except (Error, ImportError) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
