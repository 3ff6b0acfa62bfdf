"""One world of four processes in four languages goes through the shared table.

    mixed.py --psctl PSCTL --table table.txt [--rotate N] C++=COMMAND Python=COMMAND Rust=COMMAND Go=COMMAND

The languages are ranks 0 to 3 in the given order, rotated by N. A program that was not built is replaced by the first
one, which is said.
"""

import argparse
import os
import re
import shlex
import subprocess
import sys

LIMIT_S = 120


def rows_of(table, rank):
    """How many rows have a group with `rank` in it."""
    with open(table, encoding="utf-8") as file:
        return sum(1 for line in file if line.strip() and not line.startswith("#") and rank < int(line.split()[1]))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--psctl", required=True)
    parser.add_argument("--table", required=True)
    parser.add_argument("--rotate", type=int, default=0)
    parser.add_argument("programs", nargs=4, metavar="LANGUAGE=COMMAND")
    options = parser.parse_args()
    programs = []
    for program in options.programs:
        language, _, command = program.partition("=")
        command = shlex.split(command)
        if not os.path.exists(command[0]):
            print(f"ATTENTION: {command[0]} was not built, so that {programs[0][0]} takes the place of {language}.\n"
                  f"           This run says nothing about {language}.", flush=True)
            language, command = programs[0]
        programs.append((language, command))
    first = options.rotate % len(programs)
    programs = programs[first:] + programs[:first]

    line = [options.psctl, "run", "--quiet", "--timeout", str(LIMIT_S)]
    for rank, (language, command) in enumerate(programs):
        print(f"rank {rank}: {language}", flush=True)
        line += [":"] * (rank > 0) + ["-n", "1", "--", *command, options.table]
    done = subprocess.run(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=LIMIT_S + 30)
    print(done.stdout)
    wrong = []
    for rank, (language, _) in enumerate(programs):
        # Some count the rows whose group they are not in, which they pass over, some do not.
        said = re.search(rf"^\[{rank}\] rank {rank}: (\d+) rows ok$", done.stdout, re.M)
        rows = rows_of(options.table, rank)
        if said is None or int(said[1]) < rows:
            wrong.append(f"rank {rank} ({language}) did not say that its {rows} rows are ok")
    if done.returncode or wrong:
        sys.exit("\n".join([f"psctl run ended with {done.returncode}", *wrong]))


if __name__ == "__main__":
    main()
