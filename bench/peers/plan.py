"""What is measured: the operations, sizes and competitors that the goals speak of, in a long and a short edition."""

import shlex
from dataclasses import dataclass

KIB, MIB = 1024, 1024 * 1024
MPI = ("openmpi", "openmpi_sm", "mpich")
SIZES = (8, KIB, 8 * KIB, 64 * KIB, MIB, 16 * MIB, 64 * MIB)
COLL_SM = ("all_reduce", "barrier", "broadcast")   # what Open MPI's coll/sm implements; elsewhere it is default
SLOW_START = ("torch_gloo",)                       # seconds to start: the short edition asks them for all_reduce alone


@dataclass(frozen=True)
class Work:
    """One operation at several sizes: what each competitor's program is started once for in a round."""
    op: str
    ranks: int
    sizes: tuple
    registered: bool     # ours also from registered buffers
    peers: tuple
    rounds: int = 3      # samples each competitor needs at one placement
    attempts: int = 7    # rounds at most, to find them
    # Gloo takes whole scheduler ticks an operation and says nothing about MPI: some of its samples are enough.
    lenient: tuple = ("gloo", "torch_gloo", "oneccl")

    @property
    def title(self):
        return f"{self.op}, {self.ranks} ranks, {', '.join(size_text(size) for size in self.sizes)}"


def size_text(size):
    for unit, name in ((MIB, "MiB"), (KIB, "KiB")):
        if size >= unit and size % unit == 0:
            return f"{size // unit} {name}"
    return f"{size} B"


def peers_of(op, quick):
    peers = ["openmpi", "mpich", "gloo", "oneccl", "torch_gloo"]
    if op in COLL_SM:
        peers.insert(1, "openmpi_sm")
    if quick and op != "all_reduce":
        peers = [peer for peer in peers if peer in MPI]
    return tuple(peers)


def works(quick):
    """The long edition measures every size; the short one the ends of what each goal covers."""
    short = {
        "all_reduce": (8, KIB, 64 * KIB, MIB, 16 * MIB),
        "barrier": (0,),
        "send_recv": (8, 64 * KIB, 16 * MIB),
        "broadcast": (64 * KIB, 16 * MIB),
        "reduce_scatter": (MIB, 16 * MIB),
        "all_gather": (16 * MIB,),
        "all_to_all": (16 * MIB,),
    }
    effort = {"rounds": 2, "attempts": 3} if quick else {}
    made = []
    for op, sizes in short.items():
        if not quick and op != "barrier":
            sizes = SIZES
        made.append(Work(op, 2, sizes, op not in ("barrier", "send_recv"), peers_of(op, quick), **effort))
    crowded = (8, 64 * KIB, MIB) if quick else SIZES
    made.append(Work("all_reduce", 4, crowded, not quick, ("openmpi",) if quick else ("openmpi", "openmpi_sm", "gloo"),
                     **effort))
    return made


def prefix_of(environment):
    """PS_BENCH_PREFIX: a command put before every measured program, such as one that keeps the machine quiet."""
    return shlex.split(environment.get("PS_BENCH_PREFIX", ""))
