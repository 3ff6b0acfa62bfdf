"""Interleaving: a round starts every competitor's program once, shortly, so that what the machine does to one it does
to all; rounds go on until every size has one placement with enough samples of everybody."""

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

from samples import Sample, Table

DEADLINE_S = 80       # of one program
FAILURES = 2          # a competitor that fails this often in one work is left out of it
_numbers = itertools.count()


class Failed(Exception):
    pass


@contextmanager
def shared_path():
    """A fresh name at which the ranks of one program find memory that they share for measuring."""
    path = Path(f"/dev/shm/bench-peers-{os.getpid()}-{next(_numbers)}")
    try:
        yield str(path)
    finally:
        path.unlink(missing_ok=True)


def run_program(command, environment):
    """What it printed. A program that fails, or does not end in time, is ended with all it started."""
    process = subprocess.Popen(command, env={**os.environ, **environment}, stdin=subprocess.DEVNULL, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    try:
        out, err = process.communicate(timeout=DEADLINE_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise Failed(f"did not end within {DEADLINE_S} s") from None
    if process.returncode != 0:
        raise Failed(f"exit status {process.returncode}: {why_of(err, out)}")
    return out


def why_of(err, out):
    """The last line that tells a cause: what launchers add about ending the other ranks comes after it."""
    lines = [line.strip() for line in (err + out).splitlines() if line.strip() and not line.startswith("{")]
    telling = [line for line in lines if not line.startswith("psctl run:")]
    return (telling or lines or ["no output"])[-1][:300]


def parse(out, competitor, number):
    samples = []
    for line in out.splitlines():
        start = line.find("{")     # psctl run puts the rank before it
        if start < 0:
            continue
        found = json.loads(line[start:])
        if not found.get("verified", False):
            raise Failed(f"wrong result of {found.get('op')} at {found.get('bytes')} bytes")
        samples.append(Sample(competitor, found["op"], found["ranks"], found["bytes"], bool(found.get("registered")),
                              found["median_us"], found["p99_us"], found.get("line_ns") or 0,
                              found.get("min_us") or found["median_us"], number))
    if not samples:
        raise Failed("it printed no measurement")
    return samples


class Rounds:
    """Runs works on a machine. What failed and why is kept in `faults`, for the report."""

    def __init__(self, machine, prefix, run=run_program, until=None, show=sys.stderr):
        self.machine = machine
        self.prefix = prefix
        self.run = run
        self.until = until       # a time after which nothing is tried again
        self.show = show
        self.faults = {}
        self.samples = []        # of all works: placements are told apart by all latencies seen

    def measure(self, work):
        names = ["ours"] + (["ours_registered"] if work.registered else []) + ["limit"]
        self.alternate(work, names + [name for name in work.peers if name in self.machine.competitors])

    def alternate(self, work, names):
        """Rounds of these competitors, until there is enough of all of them."""
        failures = dict.fromkeys(names, 0)
        for number in range(work.attempts):
            # Another one is first in each round: nobody always runs after the same neighbour.
            turn = number % len(names)
            for name in names[turn:] + names[:turn]:
                if failures[name] >= FAILURES:
                    continue
                try:
                    self.samples += self._once(name, work, number)
                except Failed as failure:
                    failures[name] += 1
                    self.faults[f"{name}, {work.title}"] = str(failure)
            working = [name for name in names if failures[name] < FAILURES]
            self._progress(work, number)
            if number + 1 >= 3 and (self._late() or Table(self.samples).complete(work, working)):
                break

    def _once(self, name, work, number):
        who = "ours" if name == "ours_registered" else name
        competitor = self.machine.competitors[who]
        with shared_path() as shared:
            command = competitor.command(work, shared, name == "ours_registered")
            out = self.run(self.prefix + self.machine.crowd(work) + command, competitor.environment)
        return parse(out, who, number)

    def _late(self):
        return self.until is not None and time.monotonic() > self.until

    def _progress(self, work, number):
        lines = sorted(sample.line_ns for sample in self.samples if
                       (sample.op, sample.ranks, sample.round) == (work.op, work.ranks, number))
        between = f", line {lines[0]:.0f}-{lines[-1]:.0f} ns" if lines else ""
        print(f"==> {work.title}: round {number + 1}{between}", file=self.show, flush=True)
