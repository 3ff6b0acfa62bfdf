"""Every row of the table that all bindings share (tests/conformance/table.txt), whose head explains the rows.

    conformance.py table.txt                                 four threads of this process are the ranks
    psctl run -n 4 -- python3 conformance.py table.txt

Prints what is not as the table says, and last, for each rank, how many rows were. Exit status 0: all of them.
"""

import array
import os
import struct
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import parallelstate as ps  # noqa: E402

RANKS = 4
TAG = 5
UNTOUCHED = 0xA5
COLUMNS = ("name", "ranks", "operation", "dtype", "reduction", "root", "counts", "input", "output", "result")
# Elements travel as unsigned integers of their size; dtype= says what they are.
CARRIER = {1: "B", 2: "H", 4: "I", 8: "Q"}
FLOATS = {ps.FLOAT16: "e", ps.FLOAT32: "f", ps.FLOAT64: "d"}


class Failure(Exception):
    pass


def say(line):
    sys.stdout.write(line + "\n")  # at once: the ranks may be threads
    sys.stdout.flush()


def read_table(path):
    with open(path, encoding="utf-8") as file:
        lines = [line.split() for line in file if line.strip() and not line.startswith("#")]
    for cells in lines:
        if len(cells) != len(COLUMNS):
            raise Failure(f"{path}: a row has {len(cells)} cells, not {len(COLUMNS)}: {' '.join(cells)}")
    return [dict(zip(COLUMNS, cells)) for cells in lines]


def cell(row, column, rank):
    parts = row[column].split("/")
    return parts[rank] if len(parts) > 1 else parts[0]


def counts_of(row, rank):
    text = cell(row, "counts", rank)
    return [] if text == "-" else [int(number) for number in text.split(",")]


def bits_of(text, dtype):
    if text.startswith("0x"):
        return int(text, 16)
    if dtype in FLOATS:
        return int.from_bytes(struct.pack("<" + FLOATS[dtype], float(text)), "little")
    return int(text) & ((1 << 8 * dtype.size) - 1)


class Part:
    """One rank's share of a row."""

    def __init__(self, row, rank):
        self.rank, self.ranks = rank, int(row["ranks"])
        self.operation = cell(row, "operation", rank)
        name = cell(row, "dtype", rank)
        self.dtype = ps.UINT8 if name == "-" else ps.DataType[name.upper()]
        root = cell(row, "root", rank)
        self.root = None if root == "-" else int(root)
        reduction, _, scalar = cell(row, "reduction", rank).partition("=")
        self.reduction = ps.premul_sum(float(scalar)) if scalar else (
            None if reduction == "-" else ps.ReduceOp[reduction.upper()])
        result = cell(row, "result", rank)
        self.result = ps.Result.OK if result == "ok" else ps.Result[result[len("PS_"):]]
        self.sent = self._sent(row)
        self.received = self._received(row)
        self.input = self._fill(cell(row, "input", rank), self.sent)
        self.expected = self._fill(cell(row, "output", rank), self.received) if self.result == ps.Result.OK else None

    def _sent(self, row):
        """Elements of each block that this rank sends."""
        counts, is_root = counts_of(row, self.rank), self.rank == self.root
        if self.operation == "barrier":
            return []
        if self.operation in ("broadcast", "scatter", "scatter_v") and not is_root:
            return []
        if self.operation in ("scatter", "reduce_scatter", "all_to_all"):
            return counts * self.ranks
        if self.operation in ("scatter_v", "reduce_scatter_v", "all_to_all_v"):
            return counts
        return [counts[self.rank]] if self.operation in ("all_gather_v", "gather_v") else counts

    def _received(self, row):
        counts, is_root = counts_of(row, self.rank), self.rank == self.root
        if self.operation == "barrier":
            return []
        if self.operation in ("reduce", "gather", "gather_v") and not is_root:
            return []
        if self.operation in ("all_gather", "gather", "all_to_all"):
            return counts * self.ranks
        if self.operation in ("scatter_v", "reduce_scatter_v"):
            return [counts[self.rank]]
        if self.operation == "all_to_all_v":
            return [counts_of(row, source)[self.rank] for source in range(self.ranks)]
        return counts

    def array(self, values=()):
        return array.array(CARRIER[self.dtype.size], values)

    def untouched(self, counts):
        return self.array([int.from_bytes(bytes([UNTOUCHED]) * self.dtype.size, "little")]) * sum(counts)

    def _fill(self, text, counts):
        blocks, filled = text.split(";"), self.array()
        for index, count in enumerate(counts):
            if count:
                values = self.array(bits_of(value, self.dtype) for value in blocks[index if len(blocks) > 1 else 0]
                                    .split(","))
                filled.extend((values * (count // len(values) + 1))[:count])
        return filled

    def own_block(self, buffer, counts):
        start = sum(counts[:self.rank])
        return memoryview(buffer)[start:start + counts[self.rank]]

    def buffers(self, in_place):
        """What is given as send and as out, and the array that holds the input apart, if there is one."""
        send, recv = self.array(self.input), self.untouched(self.received)
        is_root = self.rank == self.root
        if in_place:
            if (self.operation in ("all_reduce", "all_to_all") or self.operation in ("reduce", "broadcast") and is_root
                    or self.operation == "all_to_all_v" and self.sent == self.received):
                return send, send, None
            if self.operation.startswith("all_gather") or self.operation.startswith("gather") and is_root:
                own = self.own_block(recv, self.received)
                own[:] = send
                return own, recv, None
            if self.operation.startswith("reduce_scatter") or self.operation.startswith("scatter") and is_root:
                return send, self.own_block(send, self.sent), None
        return send if self.sent else None, recv if self.received else None, send

    def call(self, group, send, recv, async_):
        """The binding's own words for each operation."""
        kind = {"dtype": self.dtype, "async_": async_}
        if self.operation == "barrier":
            return group.barrier(async_=async_)
        if self.operation == "send_recv":
            return group.send_recv(send, ps.NEXT, recv, ps.PREV, TAG, **kind)
        if self.operation == "all_to_all_v":
            return group.all_to_all_v(send, self.sent, self.received, recv, **kind)
        function = getattr(group, self.operation)
        if self.root is not None:
            kind["root"] = self.root
        if self.reduction is not None:
            kind["op"] = self.reduction
        if self.operation.endswith("_v"):
            kind["counts"] = self.sent if "scatter" in self.operation else self.received
        return function(send, out=recv, **kind)


def run_round(group, part, async_=False, in_place=False):
    send, recv, apart = part.buffers(in_place)
    result, text = ps.Result.OK, ""
    try:
        done = part.call(group, send, recv, async_)
        if async_:
            done.wait()
    except ps.Error as error:
        result, text = error.code, str(error)
    if result != part.result:
        raise Failure(f"{result!r} instead of {part.result!r}: {text}")
    expected = part.untouched(part.received) if part.expected is None else part.expected
    found = part.array() if recv is None else part.array(recv)
    if found != expected:
        index = next(i for i in range(len(expected)) if found[i] != expected[i])
        raise Failure(f"output element {index} is {found[index]:#x}, expected {expected[index]:#x}")
    if apart is not None and apart != part.input:
        raise Failure("the input was written to")


def run_row(context, row):
    part = Part(row, context.rank)
    with context.new_group(range(part.ranks), name=row["name"]) as group:
        run_round(group, part)
        if part.result == ps.Result.OK:
            run_round(group, part, async_=True)
            run_round(group, part, in_place=True)


def run_rank(rows, *where, **how):
    ok = wrong = 0
    with ps.init(*where, host_only=True, timeout=60, init_timeout=60, **how) as context:
        if context.world_size != RANKS:
            raise Failure("the table needs four ranks; try psctl run -n 4")
        for row in rows:
            if context.rank >= int(row["ranks"]):
                continue
            try:
                run_row(context, row)
                ok += 1
            except Exception as error:
                say(f"rank {context.rank}: row {row['name']}: {error}")
                wrong += 1
        say(f"rank {context.rank}: {ok} rows ok")
    return wrong == 0


def run_threads(rows):
    passed = [False] * RANKS

    def rank_main(rank):
        passed[rank] = run_rank(rows, rank, RANKS, rendezvous="mem://conformance", use_environment=False)

    threads = [threading.Thread(target=rank_main, args=(rank,)) for rank in range(RANKS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return all(passed)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} table.txt")
    TABLE = read_table(sys.argv[1])
    sys.exit(0 if (run_rank(TABLE) if "PS_RANK" in os.environ else run_threads(TABLE)) else 1)
