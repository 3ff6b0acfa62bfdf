"""The goals: what must and what should be reached, as ratios, and what was measured. A goal over several sizes is as
good as its worst one; a size that was not measured leaves the goal unjudged only when none of its sizes was."""

from dataclasses import dataclass
from typing import Callable

from plan import KIB, MIB, size_text


@dataclass(frozen=True)
class Goal:
    name: str
    must: float
    aim: float
    measure: Callable      # (points, extras) -> [(value, where), ...]
    unit: str = ""


def where_of(point):
    return f"{size_text(point['bytes'])}, {point['mode']}" if point["bytes"] else point["mode"]


def over(field, op, low, high, registered=False, ranks=2):
    """The values of a field of all points of an operation with sizes from low to high."""
    def values(points, _):
        return [(point[field], where_of(point)) for point in points
                if (point["op"], point["ranks"], point["registered"]) == (op, ranks, registered)
                and low <= point["bytes"] <= high and point.get(field) is not None]
    return values


def over_openmpi(low, high):
    """Four ranks on two processors, where Open MPI's default is the peer: MPICH spins there for whole ticks."""
    def values(points, _):
        return [(point["ratio_to_openmpi"], size_text(point["bytes"])) for point in points
                if (point["op"], point["ranks"], point["registered"]) == ("all_reduce", 4, False)
                and low <= point["bytes"] <= high and point["ratio_to_openmpi"] is not None]
    return values


def extra(name):
    """What is no point of an operation over sizes: one value, or one for each placement."""
    def values(_, extras):
        return [(value, where) for where, value in extras.get(name, {}).items()]
    return values


TO_MPI, TO_LIMIT, TAIL = "ratio_to_best_mpi", "ratio_to_limit", "p99_over_median"
GOALS = (
    Goal("all_reduce 8 B / cache-line latency", 2.0, 1.4, over(TO_LIMIT, "all_reduce", 8, 8)),
    Goal("all_reduce <= 1 KiB / best MPI", 0.7, 0.5, over(TO_MPI, "all_reduce", 1, KIB)),
    Goal("all_reduce 8-64 KiB / best MPI", 0.7, 0.5, over(TO_MPI, "all_reduce", 8 * KIB, 64 * KIB)),
    Goal("all_reduce 8-64 KiB registered / best MPI", 0.4, 0.28, over(TO_MPI, "all_reduce", 8 * KIB, 64 * KIB, True)),
    Goal("all_reduce 1-64 MiB / best MPI", 0.75, 0.55, over(TO_MPI, "all_reduce", MIB, 64 * MIB)),
    Goal("all_reduce 16-64 MiB registered / memcpy bound", 1.7, 1.2,
         over(TO_LIMIT, "all_reduce", 16 * MIB, 64 * MIB, True)),
    Goal("barrier / best MPI", 0.75, 0.55, over(TO_MPI, "barrier", 0, 0)),
    Goal("ping-pong 8 B / best MPI", 0.6, 0.4, over(TO_MPI, "send_recv", 8, 8)),
    Goal("ping-pong 64 KiB-64 MiB / best MPI", 0.5, 0.35, over(TO_MPI, "send_recv", 64 * KIB, 64 * MIB)),
    Goal("broadcast 64 KiB-64 MiB / best MPI", 0.75, 0.45, over(TO_MPI, "broadcast", 64 * KIB, 64 * MIB)),
    Goal("reduce_scatter >= 1 MiB / best MPI", 0.5, 0.25, over(TO_MPI, "reduce_scatter", MIB, 64 * MIB)),
    Goal("all_gather 16-64 MiB / best MPI", 0.9, 0.65, over(TO_MPI, "all_gather", 16 * MIB, 64 * MIB)),
    Goal("all_to_all 16-64 MiB / best MPI", 0.9, 0.65, over(TO_MPI, "all_to_all", 16 * MIB, 64 * MIB)),
    Goal("4 ranks on 2 cores, all_reduce <= 1 KiB / Open MPI", 1.2, 0.8, over_openmpi(1, KIB)),
    Goal("4 ranks on 2 cores, all_reduce 8 KiB-64 MiB / Open MPI", 0.6, 0.4, over_openmpi(8 * KIB, 64 * MIB)),
    Goal("Python all_reduce 8 B, added per call over C", 1.5, 1.0, extra("python_added_us"), "us"),
    Goal("two namespaces, all_reduce 64 MiB / Gloo's minimum", 1.1, 0.8, extra("namespaces_over_gloo")),
    Goal("two namespaces, 2 x 2 ranks hierarchical / flat Gloo", 0.6, 0.5, extra("hierarchical_over_gloo")),
    Goal("p99 / median of all_reduce", 3.0, 2.0, over(TAIL, "all_reduce", 1, 64 * MIB)),
)


def judge(points, extras):
    """One dictionary a goal, in the order above."""
    rows = []
    for goal in GOALS:
        found = goal.measure(points, extras)
        measured, where = max(found, default=(None, "not measured"))
        verdict = "unknown" if measured is None else \
            "aim" if measured <= goal.aim else "ok" if measured <= goal.must else "missed"
        rows.append({"goal": goal.name, "must": goal.must, "aim": goal.aim, "unit": goal.unit, "measured": measured,
                     "where": where, "ok": None if measured is None else measured <= goal.must, "verdict": verdict})
    return rows
