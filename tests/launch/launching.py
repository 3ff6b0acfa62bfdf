"""What the tests of launchers share: a clean environment, bounded processes, and the line that each rank prints."""

import fcntl
import glob
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from typing import Dict, List, Optional

LIMIT_S = 60
SKIPPED = 77  # ctest's SKIP_RETURN_CODE
ENDS_WITH_ITS_PARENT = ["setpriv", "--pdeathsig", "KILL", "--"]
LAUNCHERS = r"(PS_|OMPI_|PMIX?_|MPI|SLURM_|TORCHELASTIC_|MASTER_|(LOCAL_|GROUP_|ROLE_)?(RANK|WORLD_SIZE)$)"

# Set by main from the command line.
RANK = ""
PSCTL = ""
INCLUDE = ""
LIBRARY = ""


def clean_environment() -> Dict[str, str]:
    """The caller's, without what an outer launcher has left in it."""
    kept = {name: value for name, value in os.environ.items()
            if not re.match(LAUNCHERS, name) or name == "PS_TEST_FULL"}
    kept["PATH"] = kept.get("PATH", "") + ":/usr/sbin:/sbin"
    kept["PS_INIT_TIMEOUT_MS"] = str(LIMIT_S * 1000 // 2)
    return kept


def program(name: str, package: str) -> str:
    path = shutil.which(name, path=clean_environment()["PATH"])
    if path is None:
        raise AssertionError(f"{name} is not installed; it is in Debian's package {package}")
    return path


def free_port(address: str = "127.0.0.1") -> int:
    with socket.socket() as probe:
        probe.bind((address, 0))
        return probe.getsockname()[1]


def hold_port(add_cleanup, address: str = "127.0.0.1") -> int:
    """One that nobody else is given meanwhile; who sets SO_REUSEADDR may listen on it."""
    holder = socket.socket()
    add_cleanup(holder.close)
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind((address, 0))
    return holder.getsockname()[1]


def lock_folder(path: str) -> int:
    """By a file in it, as the library locks folders itself. Held by the descriptor, and so until its process ends at
    the latest. Throws OSError when somebody else has it."""
    descriptor = os.open(os.path.join(path, "owner"), os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def remove_forgotten_folders() -> None:
    """Those of tests that were killed: nobody holds their locks."""
    for path in glob.glob(os.path.join(tempfile.gettempdir(), "ps-launch-*")):
        try:
            if time.time() - os.stat(path).st_mtime < LIMIT_S:  # perhaps not locked yet
                continue
            descriptor = lock_folder(path)
        except OSError:
            continue
        shutil.rmtree(path, ignore_errors=True)
        os.close(descriptor)


def make_folder(add_cleanup) -> str:
    """Removed when the test ends; if it is killed, by the next one."""
    remove_forgotten_folders()
    folder = tempfile.mkdtemp(prefix="ps-launch-")
    add_cleanup(os.close, lock_folder(folder))
    add_cleanup(shutil.rmtree, folder, ignore_errors=True)
    return folder


class LaunchTest(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = make_folder(self.addCleanup)
        self.environment = clean_environment()
        self.environment["XDG_RUNTIME_DIR"] = self.folder

    def path(self, name: str) -> str:
        return os.path.join(self.folder, name)

    def start(self, command: List[str], environment: Optional[Dict[str, str]] = None, **options) -> subprocess.Popen:
        """A process in a group of its own, which is killed when the test ends."""
        process = subprocess.Popen([*ENDS_WITH_ITS_PARENT, *command], env={**self.environment, **(environment or {})},
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
                                   **{"stdin": subprocess.DEVNULL, **options})
        self.addCleanup(self.end, process)
        return process

    @staticmethod
    def end(process: subprocess.Popen) -> None:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                stream.close()
        process.wait(LIMIT_S)

    def finish(self, process: subprocess.Popen, code: int = 0, limit: int = LIMIT_S) -> str:
        """Its stdout; its exit code must be `code`. What it said on stderr is in `process.said`."""
        try:
            out, process.said = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            out, said = process.communicate()
            self.fail(f"{process.args} did not end within {limit} s\n{out}{said}")
        self.assertEqual(process.returncode, code, f"{process.args}\n{out}{process.said}")
        return out

    def run_command(self, command: List[str], environment: Optional[Dict[str, str]] = None, code: int = 0) -> str:
        return self.finish(self.start(command, environment), code)

    def expect_world(self, output: str, size: int, by: str) -> None:
        """`output` holds the lines of `rank` for one world on one host, each once, in any order, perhaps prefixed."""
        found = sorted(re.findall(r"rank=\d+ .*", output), key=lambda line: int(re.search(r"\d+", line)[0]))
        total = size * (size + 1) // 2
        self.assertEqual(found, [f"rank={rank} size={size} local={rank}/{size} nodes=1 by={by} sum={total}"
                                 for rank in range(size)], output)


def skip_unless_root(what: str) -> None:
    if os.geteuid() != 0:
        print(f"skipped: {what} need root")
        sys.exit(SKIPPED)


def main() -> None:
    """Arguments: the rank program, psctl, the header's folder, the library's folder, then unittest's."""
    global RANK, PSCTL, INCLUDE, LIBRARY
    RANK, PSCTL, INCLUDE, LIBRARY = sys.argv[1:5]
    del sys.argv[1:5]
    unittest.main(module="__main__", verbosity=2)
