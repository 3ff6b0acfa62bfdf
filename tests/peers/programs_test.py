"""bench-peers with the programs of this build: every MPI that is installed takes part in the shortest run there is.

usage: programs_test.py SOURCE_TREE BUILD
"""

import json
import os
import subprocess
import sys
import unittest
from pathlib import Path

BUILD = Path(sys.argv.pop(2))
DRIVER = Path(sys.argv.pop(1)) / "bench" / "peers"
DEADLINE_S = 200


class Programs(unittest.TestCase):
    def test_each_has_a_place_in_a_run(self):
        run = subprocess.run(
            ["/usr/bin/python3", str(DRIVER), "--build", str(BUILD), "--quick", "--op", "barrier", "--format", "json"],
            text=True, capture_output=True, check=False, timeout=DEADLINE_S, stdin=subprocess.DEVNULL,
            env={name: value for name, value in os.environ.items() if not name.startswith("PS_")})
        self.assertEqual(run.returncode, 0, run.stderr)
        document = json.loads(run.stdout)
        self.assertEqual(document["faults"], {})
        for peer in ("openmpi", "mpich"):
            self.assertTrue(peer in document["versions"] or peer in document["skipped"], document)


if __name__ == "__main__":
    unittest.main()
