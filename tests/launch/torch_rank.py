"""A rank of torchrun that uses torch's gloo and this library side by side.

With "fail-once" rank 1 ends before the world has formed, the first time torchrun starts it."""

import array
import os
import sys

import parallelstate as ps
import torch
import torch.distributed as dist

if "fail-once" in sys.argv and os.environ["TORCHELASTIC_RESTART_COUNT"] == "0" and os.environ["RANK"] == "1":
    sys.exit(1)

with ps.init() as context:
    dist.init_process_group("gloo")
    theirs = torch.tensor([context.rank + 1])
    ours = array.array("i", [context.rank + 1])
    world = context.group("world")
    for _ in range(10):
        dist.all_reduce(theirs.fill_(context.rank + 1))
        ours[0] = context.rank + 1
        world.all_reduce(ours)
    # One write a line: the ranks share a terminal.
    sys.stdout.write(f"rank={context.rank} size={context.world_size} torch={theirs.item()} ours={ours[0]}\n")
    sys.stdout.flush()
    world.barrier()
    dist.destroy_process_group()
