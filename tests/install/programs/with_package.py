"""Adds 1 of every rank with the Python package, which finds the library by its name."""

import sys
from array import array

import parallelstate as ps

with ps.init() as context:
    world = context.group("world")
    values = array("q", [1])
    world.all_reduce(values)
    print(f"rank {world.rank} of {world.size}: sum {values[0]}")
    sys.exit(values[0] != world.size)
