"""Installs the Debian packages, builds and runs programs as their user would, purges them, and finds nothing left.

This needs root. Where the kernel allows it, all happens in mounts that only this process and its children see, so the
machine itself is not changed; in a container that may not mount, the packages are really installed and removed, unless
some are there already.

usage: debian_install.py PACKAGES PROGRAMS RECORD"""

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PACKAGES, PROGRAMS, RECORD = map(Path, sys.argv[1:4])
SKIPPED = 77
MOUNTS = "PARALLELSTATE_TEST_MOUNTS"  # where to mount, for the process that has its own mounts
ENVIRONMENT = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive",
               "HOME": "/root"}


def attempt(*command, **options) -> subprocess.CompletedProcess:
    return subprocess.run([str(part) for part in command], env=ENVIRONMENT, stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=100, **options)


def run(*command, **options) -> str:
    done = attempt(*command, **options)
    if done.returncode != 0:
        sys.exit(f"{' '.join(done.args)} ended with {done.returncode}:\n{done.stdout}")
    return done.stdout


def skip(reason: str) -> None:
    print(f"skipped: {reason}")
    sys.exit(SKIPPED)


def private_mounts(scratch: str) -> bool:
    """Lays a layer in memory over each folder that dpkg writes to; False where that is not allowed."""
    if attempt("mount", "-t", "tmpfs", "tmpfs", scratch).returncode != 0:
        return False
    for folder in ("/usr", "/etc", "/var"):
        upper, work = (Path(scratch) / kind / folder[1:] for kind in ("upper", "work"))
        upper.mkdir(parents=True)
        work.mkdir(parents=True)
        options = f"lowerdir={folder},upperdir={upper},workdir={work}"
        if attempt("mount", "-t", "overlay", "overlay", "-o", options, folder).returncode != 0:
            return False
    return True


def main() -> None:
    debs = sorted(PACKAGES.glob("*.deb"))
    names = [deb.name.split("_")[0] for deb in debs]
    files = [Path("/") / line.split(maxsplit=5)[5].split(" -> ")[0]
             for deb in debs for line in run("dpkg-deb", "-c", deb).splitlines() if not line.startswith("d")]
    purge = ["dpkg", "--purge", *names]

    private = MOUNTS in os.environ and private_mounts(os.environ[MOUNTS])
    if not private:
        if RECORD.exists():  # of a run that was killed
            run(*purge)
            RECORD.unlink()
        present = [name for name in names if "install ok installed" in attempt("dpkg", "-s", name).stdout]
        if present:
            skip(f"{', '.join(present)} is installed here, and this process may not mount")
        RECORD.touch()
        atexit.register(lambda: attempt(*purge).returncode == 0 and RECORD.unlink())
    print("packages in private mounts" if private else "packages on this machine itself, for a moment")

    run("dpkg", "-i", *debs)
    if "libparallelstate.so.0" not in run("ldconfig", "-p"):
        sys.exit("the loader's cache does not have the library")
    with tempfile.TemporaryDirectory() as user:
        shutil.copytree(PROGRAMS, user, dirs_exist_ok=True)
        run("sh", "-c", "gcc sum.c $(pkg-config --cflags --libs parallelstate) -o sum", cwd=user)
        run("cmake", "-G", "Ninja", "-S", "cmake", "-B", "build", cwd=user)
        run("cmake", "--build", "build", cwd=user)
        for program in ("./sum", "build/sum"):
            output = run("psctl", "run", "-n", "2", "--timeout", "60", "--", program, cwd=user)
            if output.count("of 2: sum 2") != 2:
                sys.exit(f"psctl run {program}: {output}")
    # Small images of Debian tell dpkg to leave documentation out.
    missing = [str(file) for file in files if not os.path.lexists(file) and not file.is_relative_to("/usr/share/doc")]
    if missing:
        sys.exit(f"not installed: {missing}")

    run(*purge)
    left = [str(file) for file in files if os.path.lexists(file)]
    left += [str(folder) for folder in {file.parent for file in files}
             if {"ParallelState", *names} & set(folder.parts) and folder.exists()]
    left += [str(file) for name in names for file in Path("/var/lib/dpkg/info").glob(f"{name}[.:]*")]
    left += [line.strip() for line in run("ldconfig", "-p").splitlines() if "libparallelstate" in line]
    if left:
        sys.exit(f"left after dpkg --purge: {left}")
    print(f"{len(files)} files of {', '.join(names)} came and went")


if __name__ == "__main__":
    if os.geteuid() != 0:
        skip("installing packages needs root")
    if MOUNTS not in os.environ and attempt("unshare", "--mount", "true").returncode == 0:
        with tempfile.TemporaryDirectory() as scratch:
            command = ["unshare", "--mount", sys.executable, *sys.argv]
            sys.exit(subprocess.run(command, env={**os.environ, MOUNTS: scratch}, timeout=170).returncode)
    main()
