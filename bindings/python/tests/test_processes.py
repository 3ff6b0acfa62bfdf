"""Every check with processes as ranks: `psctl run -n 4 -- python3 test_processes.py`."""

import os
import unittest

import checks
from support import ps


class Processes(unittest.TestCase):
    """Every check in one world; the methods are added below, and their order is the same on every rank."""

    @classmethod
    def setUpClass(cls):
        cls.context = ps.init(timeout=60, init_timeout=60, host_only=True)

    @classmethod
    def tearDownClass(cls):
        cls.context.finalize()

    def test_environment(self):
        self.assertGreater(self.context.world_size, 1, "run this under psctl run")
        self.assertEqual(self.context.local_rank, self.context.rank)
        self.assertEqual(self.context.rank_info(self.context.rank).pid, os.getpid())


def _add(name, check):
    setattr(Processes, f"test_{name[len('check_'):]}", lambda self: check(self.context))


for _name, _check in checks.ALL.items():
    _add(_name, _check)


if __name__ == "__main__":
    unittest.main(verbosity=2 if os.environ.get("PS_TEST_VERBOSE") else 1)
