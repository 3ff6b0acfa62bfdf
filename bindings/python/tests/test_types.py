"""The package's types: strict within, and true for a program that uses the installed package (py.typed).

    test_types.py MYPY FOLDER
"""

import shutil
import subprocess
import sys
import unittest
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
MYPY = FOLDER = None

STRANGER = '''
from array import array
from typing import List, Optional

import parallelstate as ps
from parallelstate import Context, Group, Work


def log(level: int, text: str) -> None:
    print(level, text)


def work_of(group: Group, values: "array[float]") -> Work:
    return group.all_reduce(values, op=ps.premul_sum(0.5), dtype=ps.FLOAT32, async_=True)


def main() -> int:
    context: Context
    with ps.init(0, 1, rendezvous="mem://types", log=log, log_level=ps.LogLevel.WARN, timeout=1.5) as context:
        values = array("f", [1, 2])
        context.world.all_reduce(values, op=ps.MAX)
        with work_of(context.world, values) as work:
            done: bool = work.done
        part: Optional[Group] = context.world.split(None)
        ranks: List[int] = list(context.new_group([0], name="all", warm_up=True).global_ranks)
        value: bytes = context.store.get("key", timeout=0)
        context.world.batch([ps.Send(values, ps.NEXT), ps.Recv(values, ps.PREV, tag=3)], async_=True).wait(10)
        failure: Optional[ps.Error] = context.failure
        hosts: int = context.world.info().host_count
        planned = ps.Layout("sglang:tp=1", 1)
        members: List[List[int]] = planned["tp"]
        index, place = planned.group_of("tp", 0)
        stages: List[range] = ps.pipeline_layers("vllm", 61, 8, partition=None)
        with context.model_parallel(planned, warm_up=True) as layout:
            names: List[str] = [*layout, *layout.aliases]
        with context.world.allocate((2, 3), ps.FLOAT32) as memory, context.world.register(memory.buffer):
            size: int = memory.nbytes
            context.world.all_reduce(memory)
        context.ensure_model_parallel("sglang:tp=1", backend_options=None)
    try:
        context.world.barrier()
    except ps.PeerFailedError as error:
        rank: Optional[int] = error.failed_global_rank
    except (TimeoutError, ps.Error) as error:
        print(error)
    return 0
'''

WRONG = '''
import parallelstate as ps

with ps.init(rank="0", world_size=1) as context:
    context.world.all_reduce(b"", async_=True).wiat()
    context.world.all_reduce(b"", op="sum")
    context.new_group(3)
    context.store.set("key", 3)
    context.world.size.upper()
    context.init_model_parallel(["tp"])
    ps.Layout("vllm:tp=2")
'''


def check(*arguments):
    """The lines that mypy prints."""
    done = subprocess.run([MYPY, "--strict", "--cache-dir", FOLDER / "cache", *arguments], cwd=FOLDER, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
    return done.stdout.splitlines()


class Types(unittest.TestCase):
    def test_the_package_is_strict(self):
        self.assertIn("Success: no issues found", check(PROJECT / "parallelstate", PROJECT / "backend")[-1])

    def test_a_program_that_uses_it(self):
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", FOLDER / "venv"], check=True, timeout=60)
        [site] = (FOLDER / "venv").glob("lib/python3*/site-packages")
        shutil.copytree(PROJECT / "parallelstate", site / "parallelstate",
                        ignore=shutil.ignore_patterns("__pycache__"))
        python = ["--python-executable", FOLDER / "venv" / "bin" / "python3"]
        (FOLDER / "stranger.py").write_text(STRANGER)
        self.assertEqual(check(*python, "stranger.py"), ["Success: no issues found in 1 source file"])
        (FOLDER / "wrong.py").write_text(WRONG)
        lines = [line.split(":")[1] for line in check(*python, "wrong.py") if ": error:" in line]
        self.assertEqual(lines, [str(number) for number in range(4, 12)])


if __name__ == "__main__":
    MYPY, FOLDER = sys.argv[1], Path(sys.argv[2]).resolve()
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    unittest.main(argv=sys.argv[:1])
