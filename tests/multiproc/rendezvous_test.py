"""Every way to meet, from psInit to a sum: three processes a world, started by hand.

usage: rendezvous_test.py            the tests
       rendezvous_test.py RANK SIZE  is one rank, with PS_RENDEZVOUS from its environment
       rendezvous_test.py rank       is one rank that its environment describes
"""

import array
import contextlib
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import unittest
from typing import Dict, List, Optional, Tuple

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bindings" / "python"))
import parallelstate as ps  # noqa: E402

SIZE = 3
DEADLINE = 60


def run_rank(rank: Optional[int] = None, size: Optional[int] = None) -> None:
    with ps.init(rank, size, init_timeout=DEADLINE / 2) as context:
        world = context.group("world")
        value = array.array("i", [context.rank + 1])
        world.all_reduce(value)
        print(context.rank, context.world_size, context.node_count, value[0], flush=True)
        world.barrier()


@contextlib.contextmanager
def free_port(family: int, address: str):
    """One that nobody else is given meanwhile; who sets SO_REUSEADDR may listen on it."""
    with socket.socket(family, socket.SOCK_STREAM) as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind((address, 0))
        yield holder.getsockname()[1]


class Rendezvous(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = tempfile.mkdtemp(prefix="ps-rendezvous-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def world(self, url: str, *, first: str = "", descriptors: Tuple[int, ...] = (), **variables: str) -> None:
        """Three ranks; rank 0 is given `first` as its rendezvous, if any, and the descriptors."""
        self.ranks([[str(rank), str(SIZE)] for rank in range(SIZE)],
                   [{"PS_RENDEZVOUS": first if first and rank == 0 else url, **variables} for rank in range(SIZE)],
                   descriptors)

    def ranks(self, arguments: List[List[str]], variables: List[Dict[str, str]], descriptors: Tuple[int, ...] = ()) -> None:
        processes = [subprocess.Popen(
            [sys.executable, __file__, *arguments[rank]], env={**os.environ, **variables[rank]}, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, pass_fds=descriptors if rank == 0 else ()) for rank in range(SIZE)]
        try:
            for rank, process in enumerate(processes):
                output, _ = process.communicate(timeout=DEADLINE)
                self.assertEqual(output, f"{rank} {SIZE} 1 6\n")
                self.assertEqual(process.returncode, 0)
        finally:
            for process in processes:
                process.kill()
                process.communicate()

    def test_unix_socket(self) -> None:
        self.world(f"unix://{self.folder}/socket")
        self.assertEqual(os.listdir(self.folder), [])

    def test_shared_directory(self) -> None:
        self.world(f"file://{self.folder}", PS_SECRET="of this job")
        self.assertEqual(os.listdir(self.folder), [])

    def test_a_stale_file_in_the_directory_is_replaced(self) -> None:
        pathlib.Path(self.folder, "parallelstate-default").write_text(f"unix://{self.folder}/gone\n")
        self.world(f"file://{self.folder}")

    def test_tcp(self) -> None:
        with free_port(socket.AF_INET, "127.0.0.1") as port:
            self.world(f"tcp://127.0.0.1:{port}", PS_SECRET="of this job")

    def test_tcp_over_ipv6(self) -> None:
        with free_port(socket.AF_INET6, "::1") as port:
            self.world(f"tcp://[::1]:{port}")

    def test_inherited_descriptor(self) -> None:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            url = f"tcp://127.0.0.1:{listener.getsockname()[1]}"
            self.world(url, first=f"fd://{listener.fileno()}", descriptors=(listener.fileno(),))

    def test_served_store_for_two_worlds_after_each_other(self) -> None:
        with ps.Store.serve("tcp://127.0.0.1:0", secret="of this job") as store:
            self.world(store.address, PS_SECRET="of this job")
            self.world(store.address, PS_SECRET="of this job")

    def test_torchrun_whose_own_store_listens_on_master_port(self) -> None:
        with socket.socket() as torch:
            torch.bind(("127.0.0.1", 0))
            torch.listen()
            self.ranks([["rank"]] * SIZE, [{
                "RANK": str(rank), "WORLD_SIZE": str(SIZE), "LOCAL_RANK": str(rank), "LOCAL_WORLD_SIZE": str(SIZE),
                "GROUP_RANK": "0", "GROUP_WORLD_SIZE": "1", "MASTER_ADDR": "127.0.0.1",
                "MASTER_PORT": str(torch.getsockname()[1]), "TORCHELASTIC_RUN_ID": "a-run",
                "TORCHELASTIC_RESTART_COUNT": "0", "XDG_RUNTIME_DIR": self.folder} for rank in range(SIZE)])


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1].isdigit():
        run_rank(int(sys.argv[1]), int(sys.argv[2]))
    elif sys.argv[1:] == ["rank"]:
        run_rank()
    else:
        unittest.main()
