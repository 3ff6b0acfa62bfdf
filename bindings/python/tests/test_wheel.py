"""The wheel in an empty virtual environment: built, looked into, installed, used from elsewhere, uninstalled.

    test_wheel.py LIBRARY FOLDER      packs LIBRARY; FOLDER is where everything is made

With PS_TEST_FULL set, the library is compiled once more by the wheel's own build.
"""

import os
import re
import shutil
import subprocess
import sys
import unittest
import zipfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
LIBRARY = FOLDER = PLUGINS = None
TAG = r"parallelstate-0\.1\.0-py3-none-linux_\w+\.whl"

PROGRAM = """
import array, sys, threading
assert "numpy" not in sys.modules
import parallelstate as ps

with ps.init() as context:
    x = array.array("f", [1.5])
    assert context.world.all_reduce(x)[0] == 1.5 and context.world_size == 1

sums = {}
def rank_main(rank, backend):
    with ps.init(rank, 2, rendezvous="mem://" + backend, backend=backend, timeout=60, init_timeout=60) as context:
        sums[rank, backend] = list(context.world.all_reduce(array.array("i", [rank, 10])))
ranks = [threading.Thread(target=rank_main, args=(rank, backend)) for rank in range(2) for backend in sys.argv[1:]]
for rank in ranks: rank.start()
for rank in ranks: rank.join()
assert len(sums) == len(ranks) and all(sum == [1, 20] for sum in sums.values()), sums

try:
    with ps.init() as context:
        context.world.all_gather(array.array("i", [1]))
except ps.ArgumentError as error:
    assert "numpy is not installed; pass out=" in str(error), error

with open("/proc/self/maps") as maps:
    mapped = {line.split()[-1] for line in maps if "libparallelstate" in line}
assert mapped == {ps.library_path()}, mapped
print(ps.__file__, ps.library_path(), sep="\\n")
"""


def run(*command, fails=False, **environment):
    """Its output; nothing of this process's environment but the path to the tools is passed on."""
    done = subprocess.run([str(part) for part in command], cwd=FOLDER, text=True, timeout=600, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={
                              "PATH": os.environ["PATH"], "HOME": str(FOLDER), "PIP_NO_CACHE_DIR": "1",
                              "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INDEX": "1",
                              "PYTHONDONTWRITEBYTECODE": "1", **environment})
    if (done.returncode != 0) != fails:
        raise AssertionError(f"{command} ended with {done.returncode}\n{done.stdout}")
    return done.stdout


class Wheel(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        shutil.rmtree(FOLDER, ignore_errors=True)
        FOLDER.mkdir(parents=True)
        run(sys.executable, "-m", "venv", "venv")
        cls.python = FOLDER / "venv" / "bin" / "python3"

    def installed(self):
        return {path for path in (FOLDER / "venv").rglob("*") if "__pycache__" not in path.parts}

    def build(self, folder, **environment):
        run(self.python, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", folder, PROJECT, **environment)
        [wheel] = (FOLDER / folder).iterdir()
        self.assertRegex(wheel.name, TAG)
        return wheel

    def use(self, wheel):
        before = self.installed()
        run(self.python, "-m", "pip", "install", wheel)
        # An empty environment: what is found is found in the package.
        backends = ["shm", *(path.stem.replace("ps_", "") for path in PLUGINS)]
        done = subprocess.run([str(self.python), "-c", PROGRAM, *backends], cwd="/", env={}, text=True,
                              capture_output=True, timeout=120)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        module, library = (Path(line) for line in done.stdout.split())
        self.assertIn(FOLDER / "venv", module.parents)
        self.assertEqual(library, module.parent / "lib" / "libparallelstate.so.0")
        run(self.python, "-m", "pip", "check")
        run(self.python, "-m", "pip", "uninstall", "--yes", "parallelstate")
        self.assertEqual(self.installed(), before)

    def test_prebuilt(self):
        wheel = self.build("prebuilt", PS_PREBUILT_LIBRARY=str(LIBRARY))
        with zipfile.ZipFile(wheel) as archive:
            names = set(archive.namelist())
            metadata = archive.read("parallelstate-0.1.0.dist-info/METADATA").decode()
        modules = {f"parallelstate/{path.name}" for path in (PROJECT / "parallelstate").glob("*.py")}
        about = "parallelstate-0.1.0.dist-info"
        others = {name for name in names - modules if not name.startswith(f"{about}/licenses/")}
        plugins = {f"parallelstate/lib/parallelstate/{path.name}" for path in PLUGINS}
        self.assertEqual(others, {"parallelstate/py.typed", "parallelstate/lib/libparallelstate.so.0", *plugins,
                                  f"{about}/METADATA", f"{about}/WHEEL", f"{about}/RECORD"})
        self.assertLessEqual(modules, names)
        self.assertIn(f"{about}/licenses/LICENSE", names)
        self.assertIn('\nRequires-Dist: numpy; extra == "numpy"\n', metadata)
        self.assertIn('\nRequires-Dist: ml_dtypes>=0.2; extra == "ml_dtypes"\n', metadata)
        self.use(wheel)
        self.assertEqual(self.build("again", PS_PREBUILT_LIBRARY=str(LIBRARY)).read_bytes(), wheel.read_bytes())

    @unittest.skipUnless(os.environ.get("PS_TEST_FULL"), "compiling the library again is for scripts/test --full")
    def test_compiled(self):
        self.use(self.build("compiled"))

    def test_what_cannot_be_built_says_why(self):
        def refused(project, **environment):
            text = run(self.python, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", "none", project, fails=True,
                       **environment)
            return re.sub(r"\s+", " ", text)

        self.assertIn("PS_PREBUILT_LIBRARY is /nonexistent.so, and there is no such file",
                      refused(PROJECT, PS_PREBUILT_LIBRARY="/nonexistent.so"))
        self.assertIn("not a ParallelState library", refused(PROJECT, PS_PREBUILT_LIBRARY=sys.executable))
        alone = FOLDER / "a" / "b" / "python"
        shutil.copytree(PROJECT, alone, ignore=shutil.ignore_patterns("lib", ".mypy_cache", "__pycache__"))
        self.assertIn("the C++ sources are not there", refused(alone))
        text = run(self.python, "-c", "import parallelstate_wheel as w; w.build_sdist('.')", fails=True,
                   PYTHONPATH=str(PROJECT / "backend"))
        self.assertIn("pip wheel ./bindings/python", text)


if __name__ == "__main__":
    LIBRARY, FOLDER = (Path(path).resolve() for path in sys.argv[1:3])
    PLUGINS = sorted((LIBRARY.parent / "parallelstate").glob("*.so"))
    unittest.main(argv=sys.argv[:1])
