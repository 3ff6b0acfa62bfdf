"""An installed tree, moved: what a user has who unpacked the library somewhere. Nothing of the source tree and of the
build's own environment is in reach of the commands that run here."""

import os
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

SECONDS = 100


class MovedTree:
    """`stage` (from `cmake --install`) copied below a new folder outside of the source tree, which goes with this
    object. Its name begins with `name`."""

    def __init__(self, stage: Path, name: str):
        self.folder = Path(tempfile.mkdtemp(prefix=name))
        self.prefix = self.folder / "prefix"
        shutil.copytree(stage, self.prefix, symlinks=True)
        (pc,) = self.prefix.rglob("parallelstate.pc")
        self.libdir = pc.parent.parent
        self.environment = {"PATH": "/usr/bin:/bin", "HOME": str(self.folder), "LC_ALL": "C.UTF-8",
                            "PKG_CONFIG_PATH": str(pc.parent)}

    def close(self) -> None:
        shutil.rmtree(self.folder)

    def attempt(self, *command, folder=None, **environment) -> subprocess.CompletedProcess:
        """Runs a command in the new folder, or in one below it. Output of both kinds is in stdout."""
        return subprocess.run([str(part) for part in command], cwd=folder or self.folder, timeout=SECONDS, text=True,
                              env={**self.environment, **environment}, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def run(self, *command, folder=None, **environment) -> str:
        """Runs a command that has to succeed; returns its output."""
        done = self.attempt(*command, folder=folder, **environment)
        if done.returncode != 0:
            raise AssertionError(f"{shlex.join(done.args)} ended with {done.returncode}:\n{done.stdout}")
        return done.stdout

    def pkg_config(self, *options: str) -> list:
        # pkg-config quotes blanks for a shell, which $(...) does not undo.
        return shlex.split(self.run("pkg-config", *options, "parallelstate"))

    def world(self, *command, **environment) -> None:
        """Two ranks of a program that adds up 1 of every rank: each has to have found 2."""
        psctl = self.prefix / "bin" / "psctl"
        output = self.run(psctl, "run", "-n", "2", "--timeout", "60", "--", *command, **environment)
        if output.count("of 2: sum 2") != 2:
            raise AssertionError(f"two lines '... of 2: sum 2' are expected:\n{output}")

    def library_of(self, program: Path, **environment) -> Path:
        """The libparallelstate that the loader gives `program`."""
        (line,) = [line for line in self.run("ldd", program, **environment).splitlines() if "libparallelstate" in line]
        return Path(line.split("=>")[1].rsplit("(", 1)[0].strip())


def outside(*folders: Path) -> bool:
    """Whether the folder for temporary files is none of these and below none of them."""
    temporary = Path(os.path.realpath(tempfile.gettempdir()))
    return not any(temporary.is_relative_to(folder) for folder in folders)
