"""Measures this library and its peers at the same work, interleaved, and prints points and goals. Run by
scripts/bench-peers, which builds the programs first."""

import argparse
import datetime
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from pathlib import Path

import competitors
import extras
import goals
import plan
import pooled
import report_markdown
import report_svg
from rounds import Rounds
from samples import Table

QUICK_S = 140   # after which the short edition tries nothing again


def machine_of(machine):
    cpuinfo = Path("/proc/cpuinfo").read_text()
    names = [line.split(":", 1)[1].strip() for line in cpuinfo.splitlines() if line.startswith("model name")]
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    release = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line)
    return {"processor": names[0] if names else platform.machine(), "processors": len(machine.processors),
            "memory_gib": round(pages / 2 ** 30), "kernel": platform.release(),
            "system": release.get("PRETTY_NAME", "Linux").strip('"')}


def commit():
    if not shutil.which("git"):
        return "a tree without git"
    shown = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=Path(__file__).parent, text=True,
                           capture_output=True, check=False)
    return shown.stdout.strip() or "without a commit"


def measure(arguments):
    machine = competitors.Machine(arguments.build)
    for name, why in machine.skipped.items():
        print(f"==> {name} is left out: {why}", file=sys.stderr)
    prefix = plan.prefix_of(os.environ)
    started = time.monotonic()
    rounds = Rounds(machine, prefix, until=started + QUICK_S if arguments.quick else None)
    for work in plan.works(arguments.quick):
        if not arguments.op or work.op in arguments.op:
            rounds.measure(work)
    found = extras.measure(machine, rounds, arguments.op)
    table = Table(rounds.samples)
    points = table.points()
    return {
        "date": datetime.date.today().isoformat(), "commit": commit(),
        "edition": "quick" if arguments.quick else "full",
        "took_s": round(time.monotonic() - started), "machine": machine_of(machine),
        "versions": competitors.versions(machine), "skipped": {**machine.skipped, **found.skipped},
        "faults": rounds.faults, "points": points, "between_hosts": found.between, "extras": found.values,
        "goals": goals.judge(points, found.values),
    }


def measured_apart(arguments):
    """That many runs with so many minutes between their beginnings, one of them after another."""
    documents = []
    for number in range(arguments.runs):
        began = time.monotonic()
        if arguments.runs > 1:
            print(f"==> Run {number + 1} of {arguments.runs}", file=sys.stderr)
        documents.append(measure(arguments))
        left = began + 60 * arguments.apart - time.monotonic()
        if number + 1 < arguments.runs and left > 0:
            at = (datetime.datetime.now() + datetime.timedelta(seconds=left)).strftime("%H:%M")
            print(f"==> The next run begins at {at}", file=sys.stderr)
            time.sleep(left)
    return documents


def as_json(document):
    """One document, with a line for each point and goal, so that it reads and compares well as text."""
    def value_of(value):
        if isinstance(value, list):
            return "[\n" + ",\n".join("    " + json.dumps(item) for item in value) + "\n  ]"
        return json.dumps(value)
    return "{\n" + ",\n".join(f"  {json.dumps(key)}: {value_of(value)}" for key, value in document.items()) + "\n}\n"


RENDERINGS = {"json": as_json, "markdown": report_markdown.render, "svg": report_svg.render}


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench-peers", description="This library and its peers at the same "
                                     "work, in one interleaved run, compared at equal cache-line latency.")
    parser.add_argument("--quick", action="store_true", help="few sizes and rounds, about three minutes")
    parser.add_argument("--format", choices=RENDERINGS, default="markdown", help="what is printed (markdown)")
    parser.add_argument("--op", action="append", metavar="OP", help="only this operation; may be repeated")
    parser.add_argument("--runs", type=int, default=1, metavar="N", help="measure N times; figures are medians of runs")
    parser.add_argument("--apart", type=float, default=30, metavar="MIN", help="minutes from run to run (30)")
    parser.add_argument("--save", type=Path, metavar="FILE", help="also write the result as JSON")
    parser.add_argument("--from", type=Path, dest="kept", action="append", metavar="FILE",
                        help="measure nothing: print a run that was written as JSON; of several, their medians")
    parser.add_argument("--build", default="build", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    documents = [json.loads(kept.read_text()) for kept in arguments.kept or []] or measured_apart(arguments)
    document = pooled.pool(documents)
    if arguments.save:
        arguments.save.write_text(as_json(document))
    sys.stdout.write(RENDERINGS[arguments.format](document))
    wrong = [what for what, why in document["faults"].items() if what.startswith("ours") and "wrong" in why]
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
