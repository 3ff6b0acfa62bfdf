"""torch.distributed over Gloo as a peer: the shared measurement of libpeer_callers.so, which calls the operations here.

usage: torch_peer.py FOLDER_OF_PROGRAMS ARGUMENTS of a peer's program...
"""

import ctypes
import multiprocessing
import sys
import tempfile
from pathlib import Path

import torch
import torch.distributed as dist

PREPARE = ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_int64, ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p,
                           ctypes.c_int64)
RUN = ctypes.CFUNCTYPE(None)


def tensor(address, size):
    if not size:
        return torch.empty(0)
    return torch.frombuffer((ctypes.c_char * size).from_address(address), dtype=torch.float32)


class Operations:
    """The operation at hand, as a call without arguments."""

    def __init__(self, rank):
        self.rank = rank
        self.call = None

    def prepare(self, op, count, send, send_bytes, recv, recv_bytes):
        source, target = tensor(send, send_bytes), tensor(recv, recv_bytes)
        self.call = getattr(self, op.decode())(source, target, count)

    def all_reduce(self, source, *_):
        return lambda: dist.all_reduce(source)     # in place, as it always is

    def broadcast(self, source, target, _):
        return lambda: dist.broadcast(source if self.rank == 0 else target, 0)

    def all_gather(self, source, target, count):
        parts = list(target.split(count))
        return lambda: dist.all_gather(parts, source)

    def reduce_scatter(self, source, target, _):
        return lambda: dist.reduce_scatter_tensor(target, source)

    def all_to_all(self, source, target, _):
        return lambda: dist.all_to_all_single(target, source)

    def barrier(self, *_):
        return dist.barrier

    def send_recv(self, source, target, _):
        def first():
            dist.send(source, 1)
            dist.recv(target, 1)

        def second():
            dist.recv(target, 0)
            dist.send(source, 0)
        return first if self.rank == 0 else second


def rank_main(rank, ranks, store, programs, arguments):
    dist.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=ranks)
    callers = ctypes.CDLL(str(Path(programs) / "libpeer_callers.so"))
    operations = Operations(rank)
    words = (ctypes.c_char_p * (1 + len(arguments)))(b"torch_peer", *(word.encode() for word in arguments))
    prepare, run = PREPARE(operations.prepare), RUN(lambda: operations.call())
    status = callers.peer_measure(len(words), words, rank, b"torch_gloo", 1, prepare, run)
    dist.destroy_process_group()
    sys.exit(status)


def main():
    programs, arguments = sys.argv[1], sys.argv[2:]
    ranks = int(arguments[arguments.index("--ranks") + 1])
    with tempfile.TemporaryDirectory(prefix="torch-peer-") as folder:
        context = multiprocessing.get_context("fork")   # torch takes seconds to import: once is enough
        processes = [context.Process(target=rank_main, args=(rank, ranks, f"{folder}/store", programs, arguments))
                     for rank in range(ranks)]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
    return max(abs(process.exitcode) for process in processes)


if __name__ == "__main__":
    sys.exit(main())
