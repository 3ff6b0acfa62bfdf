"""What is no operation over sizes: what Python adds to a call, and groups that span hosts."""

import json
import os
import shutil
import statistics
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from plan import KIB, MIB, Work
from samples import Table

# Python takes twice as long while a stranger's thread shares the core, which it does for seconds at a time, and these
# programs take half a second: enough of them for a median that says the same twice.
CALLS = Work("call", 2, (8,), False, (), rounds=9, attempts=15)
# Not "all_reduce", so that they do not mix with those of one host; two ranks a host need the hierarchy. The goals speak of
# the largest size.
BETWEEN = {"namespaces_over_gloo": Work("between_hosts", 2, (8, 64 * KIB, MIB, 64 * MIB), False, (), attempts=5),
           "hierarchical_over_gloo": Work("between_hosts", 4, (8, 64 * KIB, MIB, 64 * MIB), False, (), attempts=5)}


@dataclass
class Extras:
    values: dict = field(default_factory=dict)     # name -> {where: value}
    skipped: dict = field(default_factory=dict)
    between: list = field(default_factory=list)    # all_reduce between hosts, a row for each number of ranks and size


def measure(machine, rounds, only):
    found = Extras()
    if not only or "call" in only:
        python_calls(machine, rounds, found)
    if not only or "between_hosts" in only:
        why = why_not_between_hosts(machine)
        if why:
            found.skipped["between two network namespaces"] = why
        else:
            between_hosts(machine, rounds, found)
    return found


def python_calls(machine, rounds, found):
    """all_reduce of 8 B again and again, in C and in Python over ctypes: the difference is what Python adds."""
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


def why_not_between_hosts(machine):
    info = subprocess.run([str(machine.build / "bin" / "psctl"), "info", "--format", "json"], text=True,
                          capture_output=True, check=True)
    if not any(known["name"] == "gloo" and known["available"] for known in json.loads(info.stdout)["backends"]):
        return "this build of the library has no gloo backend"
    if "gloo" not in machine.competitors:
        return "Gloo is not installed"
    if os.geteuid() != 0 or not (shutil.which("ip") and shutil.which("nsenter")):
        return "network namespaces need root, iproute2 and util-linux"
    return None


def sizes_of(work):
    return ",".join(str(size) for size in work.sizes)


def between_hosts(machine, rounds, found):
    """all_reduce between two namespaces: ours over Gloo's connections; Gloo called directly, by its fastest time, as its
    median is at the mercy of the scheduler."""
    hosts = ["/usr/bin/python3", str(Path(__file__).with_name("two_hosts.py"))]
    psctl = str(machine.build / "bin" / "psctl")

    def start(work):
        return hosts + [str(work.ranks // 2), psctl]

    machine.define("ours_between", lambda work, shared, registered: start(work) + [
        psctl, "bench-rank", "--op", "all_reduce", "--sizes", sizes_of(work), "--format", "json", "--rounds", "1"])
    machine.define("gloo_between", lambda work, shared, registered: start(work) + [
        "env", "PEER_GLOO_STORE={shared}/store", "PEER_GLOO_INTERFACE=eth0", str(machine.programs / "peer_gloo"),
        "--op", "all_reduce", "--ranks", str(work.ranks), "--sizes", sizes_of(work), "--shared", "{shared}/memory"])
    for name, work in BETWEEN.items():
        before = len(rounds.samples)
        rounds.alternate(work, ["ours_between", "gloo_between"])
        mine = rounds.samples[before:]
        rounds.samples[before:] = []     # TCP between processes: the placement is not what decides
        for size in work.sizes:
            ours = [s.median_us for s in mine if (s.competitor, s.bytes) == ("ours_between", size)]
            gloo = [s for s in mine if (s.competitor, s.bytes) == ("gloo_between", size)]
            if not ours or not gloo:
                continue
            least = min(s.min_us for s in gloo)
            found.between.append({"ranks": work.ranks, "bytes": size, "ours_us": statistics.median(ours),
                                  "gloo_min_us": least, "gloo_us": statistics.median(s.median_us for s in gloo)})
            if size == max(work.sizes):
                found.values[name] = {f"{work.ranks // 2} rank(s) a host": round(statistics.median(ours) / least, 3)}
