"""Every rank contributes its number to a sum, and learns everyone's.

    psctl run -n 4 -- python3 hello.py
"""

import numpy

import parallelstate as ps

with ps.init() as context:
    world = context.world
    mine = numpy.full(3, context.rank, dtype=numpy.float32)
    everyone = world.all_gather(mine[:1])
    try:
        world.all_reduce(mine, op=ps.SUM)
    except ps.PeerFailedError as error:
        raise SystemExit(f"world rank {error.failed_global_rank} is gone: {error}")
    print(f"rank {context.rank} of {context.world_size}: the sum is {mine[0]:g}, of {everyone.tolist()}")
