"""The calls of c_calls.c from Python, through the binding. Run by psctl run.

usage: python_calls.py FOLDER_OF_PROGRAMS SHARED
"""

import ctypes
import itertools
import sys
from pathlib import Path

import numpy
import parallelstate as ps

MAKE_CALLS = ctypes.CFUNCTYPE(None, ctypes.c_int64)


def main():
    programs, shared = Path(sys.argv[1]), sys.argv[2]
    callers = ctypes.CDLL(str(programs / "libpeer_callers.so"))
    values = numpy.zeros(2, dtype=numpy.float32)
    with ps.init() as context:
        all_reduce = context.world.all_reduce

        def make_calls(count):
            for _ in itertools.repeat(None, count):
                all_reduce(values)

        return callers.peer_time_calls(shared.encode(), context.rank, context.world_size, MAKE_CALLS(make_calls))


if __name__ == "__main__":
    sys.exit(main())
