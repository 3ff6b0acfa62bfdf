"""What is no operation over sizes: what Python adds to a call, and groups that span hosts."""

import statistics
from dataclasses import dataclass, field
from pathlib import Path

from plan import Work
from samples import Table

CALLS = Work("call", 2, (8,), False, ())


@dataclass
class Extras:
    values: dict = field(default_factory=dict)     # name -> {where: value}
    skipped: dict = field(default_factory=dict)


def measure(machine, rounds, only):
    found = Extras()
    if not only or "call" in only:
        python_calls(machine, rounds, found)
    return found


def python_calls(machine, rounds, found):
    """all_reduce of 8 B again and again, in C and in Python over ctypes: the difference is what Python adds to a call."""
    psctl, bindings = machine.build / "bin" / "psctl", Path(__file__).parents[2] / "bindings" / "python"
    run = [str(psctl), "run", "-n", "2", "--"]
    machine.define("c", lambda work, shared, registered: run + [str(machine.programs / "peer_c_calls"), shared])
    machine.define("python", lambda work, shared, registered: run + [
        "/usr/bin/python3", str(Path(__file__).with_name("python_calls.py")), str(machine.programs), shared],
        {"PYTHONPATH": str(bindings), "PS_LIBRARY": str(machine.build / "lib" / "libparallelstate.so")})
    rounds.alternate(CALLS, ["c", "python"])
    modes = Table(rounds.samples).cells.get(("call", 2, 8), {})
    added = {mode: round(statistics.median(s.median_us for s in seen["python"]) -
                         statistics.median(s.median_us for s in seen["c"]), 3)
             for mode, seen in modes.items() if "python" in seen and "c" in seen}
    if added:
        found.values["python_added_us"] = added
