"""From samples to points. A virtual machine's processors move, between neighbours that share a cache and cores that do
not, every few tens of seconds; the same program is then several times slower. So each sample carries the cache-line
latency probed beside it, and only samples of the same placement are compared."""

import statistics
from dataclasses import dataclass

from plan import MPI

NEAR_NS = 120   # one way, below it the two processors share a cache
GAP = 1.4       # between the latencies of two placements; within one they differ less
DISTURBED_NS = 1000   # no placement is that slow: somebody else had the processor


@dataclass(frozen=True)
class Sample:
    """One size in one run of one competitor's program."""
    competitor: str
    op: str
    ranks: int
    bytes: int
    registered: bool
    median_us: float
    p99_us: float
    line_ns: float
    min_us: float = 0
    round: int = 0


def placement_split(latencies):
    """The latency that divides near from far: the middle of the widest gap around NEAR_NS, or None when the samples
    are all of one placement."""
    known = sorted(latencies)
    best = None
    for low, high in zip(known, known[1:]):
        if high / low >= GAP and low < 2 * NEAR_NS and high > NEAR_NS / 2 and (best is None or high / low > best[0]):
            best = (high / low, (low * high) ** 0.5)
    return best[1] if best else None


def mode_of(sample, split, typical):
    """`typical`: the median latency of all samples, which names the one placement when there is no split."""
    if sample.ranks > 2:
        return "shared"     # ranks that take turns on two processors: there is no placement to speak of
    if not 0 < sample.line_ns < DISTURBED_NS:
        return "disturbed"
    if split is None:
        return "near" if typical < NEAR_NS else "far"
    return "near" if sample.line_ns < split else "far"


class Table:
    """All samples of a run, by what they measured, placement and competitor."""

    def __init__(self, samples):
        latencies = [sample.line_ns for sample in samples if sample.ranks == 2 and 0 < sample.line_ns < DISTURBED_NS]
        self.split = placement_split(latencies)
        typical = statistics.median(latencies) if latencies else 0
        self.cells = {}
        for sample in samples:
            mode = mode_of(sample, self.split, typical)
            if mode == "disturbed":
                continue
            who = "ours_registered" if sample.competitor == "ours" and sample.registered else sample.competitor
            modes = self.cells.setdefault((sample.op, sample.ranks, sample.bytes), {})
            modes.setdefault(mode, {}).setdefault(who, []).append(sample)

    def complete(self, work, competitors):
        """Whether every size of this work has one placement with enough samples of all these competitors."""
        def enough(found):
            return all(len(found.get(who, [])) >= (1 if who in work.lenient else work.rounds) for who in competitors)
        return all(any(enough(found) for found in self.cells.get((work.op, work.ranks, size), {}).values())
                   for size in work.sizes)

    def points(self):
        """One dictionary a point, as `--format json` prints it. Placements without ours or any peer are left out."""
        points = []
        for (op, ranks, size), modes in self.cells.items():
            for mode, found in sorted(modes.items()):
                for who in ("ours", "ours_registered"):
                    if who in found and any(name in found for name in found if not is_ours(name) and name != "limit"):
                        points.append(point(op, ranks, size, mode, who, found))
        return points


def is_ours(name):
    return name in ("ours", "ours_registered")


def middle(samples):
    return statistics.median(sample.median_us for sample in samples)


def ratio(ours, other):
    return round(ours / other, 3) if other else None


def point(op, ranks, size, mode, who, found):
    ours = middle(found[who])
    peers = {name: round(middle(samples), 4) for name, samples in found.items()
             if not is_ours(name) and name != "limit"}
    best = min(peers, key=peers.get)
    best_mpi = min((name for name in peers if name in MPI), key=peers.get, default=None)
    everyone = [sample for samples in found.values() for sample in samples]
    line_ns = statistics.median(sample.line_ns for sample in everyone)
    # Nothing is faster than one line on its way and the copies that are left when all else is free.
    copies = middle(found["limit"]) if "limit" in found else 0
    limit = max(line_ns / 1000 if mode != "shared" else 0, copies)
    return {
        "op": op, "ranks": ranks, "bytes": size, "registered": who == "ours_registered",
        "mode": mode, "line_ns": round(line_ns, 1),
        "ours_us": round(ours, 4), "peers": peers,
        "best_peer": best, "ratio": ratio(ours, peers[best]),
        "best_mpi": best_mpi, "ratio_to_best_mpi": ratio(ours, peers[best_mpi]) if best_mpi else None,
        "ratio_to_openmpi": ratio(ours, peers.get("openmpi")),
        "limit_us": round(limit, 4) if limit else None, "ratio_to_limit": ratio(ours, limit),
        "p99_over_median": round(statistics.median(s.p99_us / s.median_us for s in found[who] if s.median_us), 2),
        "rounds": {name: len(samples) for name, samples in found.items() if not is_ours(name) or name == who},
    }
