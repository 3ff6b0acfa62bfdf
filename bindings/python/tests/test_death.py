"""One process of a world is killed; the others' exceptions name it, and a group without it goes on."""

import os
import signal
import subprocess
import sys
import tempfile
import unittest

from support import needs_numpy

PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

RANK = """
import os, signal, sys
import numpy as np
import parallelstate as ps

rank, size, rendezvous = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
victim = size - 1
context = ps.init(rank, size, rendezvous=rendezvous, secret="s", use_environment=False, host_only=True, timeout=60,
                  init_timeout=60)
rest = context.new_group(range(victim), name="rest") if rank != victim else None
context.world.barrier()
if rank == victim:
    os.kill(os.getpid(), signal.SIGKILL)
try:
    while True:
        context.world.all_reduce(np.ones(3))
except ps.PeerFailedError as error:
    assert error.code == ps.Result.ERR_PEER_FAILED
    assert error.failed_global_rank == victim, error.failed_global_rank
    print(error)
assert isinstance(context.world.failure, ps.PeerFailedError)
assert context.rank_info(victim).state == ps.RankState.DEAD
assert rest.all_reduce(np.ones(1))[0] == victim
context.finalize()
"""


@needs_numpy
class Death(unittest.TestCase):
    def test_the_victim_is_named(self):
        with tempfile.TemporaryDirectory() as folder:
            ranks = [subprocess.Popen([sys.executable, "-c", RANK, str(rank), "3", f"unix://{folder}/world"],
                                      env={**os.environ, "PYTHONPATH": PACKAGE}, stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE, text=True) for rank in range(3)]
            ends = [rank.communicate(timeout=100) for rank in ranks]
        self.assertEqual([rank.returncode for rank in ranks], [0, 0, -signal.SIGKILL], ends)
        for out, _ in ends[:2]:
            self.assertIn("rank 2", out)
            self.assertIn(str(ranks[2].pid), out)


if __name__ == "__main__":
    unittest.main()
