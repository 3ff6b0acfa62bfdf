"""psctl run, variables by hand, and torchrun's variables with torch's own store on MASTER_PORT; the real torchrun where
PS_TEST_FULL asks for everything."""

import os
import pathlib
import re
import socket
import subprocess
import unittest

import launching
from launching import LIMIT_S, LaunchTest, free_port

SIZE = 4
TORCH = pathlib.Path(__file__).with_name("torch_rank.py")
BINDING = pathlib.Path(__file__).resolve().parents[2] / "bindings" / "python"


class Environment(LaunchTest):
    def start_world(self, variables, size=SIZE):
        return [self.start([launching.RANK], variables(rank)) for rank in range(size)]

    def finish_world(self, ranks, by) -> None:
        self.expect_world("".join(self.finish(rank) for rank in ranks), len(ranks), by)

    def test_psctl_run(self) -> None:
        self.expect_world(self.run_command([launching.PSCTL, "run", "-n", str(SIZE), launching.RANK]), SIZE, "PS_*")

    def test_variables_by_hand(self) -> None:
        def variables(rank):
            return {"PS_RANK": str(rank), "PS_WORLD_SIZE": str(SIZE), "PS_RENDEZVOUS": f"unix://{self.path('socket')}"}
        self.finish_world(self.start_world(variables), "PS_*")

    def test_variables_by_hand_with_no_place_but_a_job(self) -> None:
        def variables(rank):
            return {"PS_RANK": str(rank), "PS_WORLD_SIZE": str(SIZE), "PS_JOB": "of this test"}
        self.finish_world(self.start_world(variables), "PS_*")

    def torchrun(self, rank, port, **more):
        return {"RANK": str(rank), "WORLD_SIZE": str(SIZE), "LOCAL_RANK": str(rank), "LOCAL_WORLD_SIZE": str(SIZE),
                "GROUP_RANK": "0", "GROUP_WORLD_SIZE": "1", "ROLE_RANK": str(rank), "ROLE_WORLD_SIZE": str(SIZE),
                "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "TORCHELASTIC_RUN_ID": "a-run",
                "TORCHELASTIC_RESTART_COUNT": "0", "TORCHELASTIC_MAX_RESTARTS": "3",
                "TORCHELASTIC_USE_AGENT_STORE": "True", **more}

    def test_torchruns_variables_where_its_own_store_listens(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as torch:
            torch.settimeout(0)
            port = torch.getsockname()[1]
            self.finish_world(self.start_world(lambda rank: self.torchrun(rank, port)), "torchrun")
            with self.assertRaises(BlockingIOError, msg="nobody has bothered torch's store"):
                torch.accept()

    def test_two_runs_of_torchrun_at_once(self) -> None:
        port = free_port()
        runs = [self.start_world(lambda rank: self.torchrun(rank, port, TORCHELASTIC_RUN_ID=name))
                for name in ("a", "b")]
        for run in runs:
            self.finish_world(run, "torchrun")

    def test_a_restarted_worker_group_does_not_meet_the_one_before(self) -> None:
        port = free_port()
        stale = self.start([launching.RANK], self.torchrun(1, port))
        restarted = self.start_world(lambda rank: self.torchrun(rank, port, TORCHELASTIC_RESTART_COUNT="1"))
        self.finish_world(restarted, "torchrun")
        self.assertIsNone(stale.poll(), "the stale rank waits for ranks of its own attempt")

    def test_two_launchers_that_contradict(self) -> None:
        rank = self.start([launching.RANK], self.torchrun(1, 29500, OMPI_COMM_WORLD_RANK="0", OMPI_COMM_WORLD_SIZE="2"))
        self.finish(rank, code=1)
        for part in ("torchrun says rank 1 of 4 (RANK=1, WORLD_SIZE=4)",
                     "Open MPI says rank 0 of 2 (OMPI_COMM_WORLD_RANK=0, OMPI_COMM_WORLD_SIZE=2)"):
            self.assertIn(part, rank.said)


@unittest.skipUnless(os.environ.get("PS_TEST_FULL"), "the real torchrun runs in scripts/test --full")
class Torchrun(LaunchTest):
    def torchrun(self, *arguments, code=0):
        interpreter = "/usr/bin/python3"
        if subprocess.run([interpreter, "-c", "import torch"], capture_output=True, timeout=LIMIT_S).returncode != 0:
            raise AssertionError("torch is not installed; it is in Debian's package python3-torch")
        # Debian's torch 1.13 under Python 3.11 takes no stream that is not redirected; "tee" shows it all the same.
        launcher = [interpreter, "-m", "torch.distributed.run", "--log_dir", self.path("log"), "--redirects", "1",
                    "--tee", "1", *arguments]
        environment = {"PYTHONPATH": str(BINDING), "PS_LIBRARY": f"{launching.LIBRARY}/libparallelstate.so",
                       "OMP_NUM_THREADS": "1"}
        return self.run_command(launcher, environment, code)

    def test_torch_and_this_library_in_the_same_processes(self) -> None:
        out = self.torchrun("--nproc_per_node", str(SIZE), "--master_port", str(free_port()), str(TORCH))
        self.assertEqual(sorted(re.findall("rank=.* torch=.*", out)),
                         [f"rank={rank} size={SIZE} torch=10 ours=10" for rank in range(SIZE)], out)

    def test_c_ranks(self) -> None:
        out = self.torchrun("--no_python", "--standalone", "--nproc_per_node", str(SIZE), launching.RANK)
        self.expect_world(out, SIZE, "torchrun")

    def test_a_restart(self) -> None:
        out = self.torchrun("--nproc_per_node", "2", "--max_restarts", "1", "--master_port", str(free_port()),
                            str(TORCH), "fail-once")
        self.assertEqual(sorted(re.findall("rank=.* torch=.*", out)),
                         [f"rank={rank} size=2 torch=3 ours=3" for rank in range(2)], out)


if __name__ == "__main__":
    launching.main()
