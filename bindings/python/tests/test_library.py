"""Finding the library: the order, what is said when none is right. Builds stand-ins with a C compiler."""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import support  # noqa: F401

from parallelstate._prototypes import PROTOTYPES

PACKAGE = Path(__file__).resolve().parents[1]
COMPILER = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")


def stand_in(folder, version, without=()):
    """A library with every function, which answers only psVersion."""
    functions = [f"int {p.name}(void) {{ return 0; }}" for p in PROTOTYPES if p.name not in ("psVersion", *without)]
    path = Path(folder) / "libparallelstate.so.0"
    subprocess.run([COMPILER, "-x", "c", "-shared", "-fPIC", "-", "-o", str(path)], check=True, timeout=60,
                   input="\n".join([f"int psVersion(void) {{ return {version}; }}", *functions]).encode())
    return path


def ask(code, package=PACKAGE, **environment):
    """What a new interpreter prints; PS_LIBRARY is set only if given."""
    env = {**os.environ, "PYTHONPATH": str(package), **environment}
    if "PS_LIBRARY" not in environment:
        env.pop("PS_LIBRARY", None)
    run = subprocess.run([sys.executable, "-c", f"import parallelstate as ps\n{code}"], env=env, capture_output=True,
                         text=True, timeout=60)
    return run.stdout + run.stderr


class Search(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def test_import_needs_no_library(self):
        self.assertEqual(ask("print(ps.__version__)", PS_LIBRARY="/nonexistent.so"), "0.1.0\n")

    def test_failure_lists_every_candidate(self):
        # A copy of the package outside a checkout has no build tree.
        copy = Path(self.folder.name) / "site"
        shutil.copytree(PACKAGE / "parallelstate", copy / "parallelstate", ignore=shutil.ignore_patterns("__pycache__"))
        (copy / "parallelstate" / "lib").mkdir(exist_ok=True)
        (copy / "parallelstate" / "lib" / "libparallelstate.so").write_bytes(b"not a library")
        text = ask("ps.library_version()", package=copy, LD_LIBRARY_PATH="")
        self.assertIn("LoadError: no usable libparallelstate.so; tried", text)
        self.assertRegex(text, r"lib/libparallelstate\.so\.0 \(the package\): no such file")
        self.assertRegex(text, r"lib/libparallelstate\.so \(the package\): .*(invalid ELF header|file too short)")
        self.assertRegex(text, r"\n  libparallelstate\.so\.0 \(the loader's path\): ")
        self.assertRegex(text, "Install the package with pip.*set PS_LIBRARY")

    def test_what_was_chosen_is_not_replaced(self):
        text = ask("ps.library_version()", PS_LIBRARY="/nonexistent/lib.so")
        self.assertIn("/nonexistent/lib.so (PS_LIBRARY): no such file", text)
        self.assertIn("Nothing else was tried, because PS_LIBRARY is set", text)
        self.assertNotIn("(the package)", text)

    @unittest.skipIf(COMPILER is None, "needs a C compiler")
    def test_chosen_library_is_used(self):
        path = stand_in(self.folder.name, 105)
        self.assertEqual(ask("print(ps.library_version(), ps.library_path())", PS_LIBRARY=str(path)),
                         f"(0, 1, 5) {path}\n")

    @unittest.skipIf(COMPILER is None, "needs a C compiler")
    def test_loaders_path(self):
        stand_in(self.folder.name, 100)
        copy = Path(self.folder.name) / "site"
        shutil.copytree(PACKAGE / "parallelstate", copy / "parallelstate", ignore=shutil.ignore_patterns("lib", "__pycache__"))
        text = ask("print(ps.library_path())", package=copy, LD_LIBRARY_PATH=self.folder.name)
        self.assertEqual(text, "libparallelstate.so.0\n")

    @unittest.skipIf(COMPILER is None, "needs a C compiler")
    def test_another_version_is_refused(self):
        for version, name in ((200, "0.2.0"), (10000, "1.0.0")):
            with self.subTest(name):
                path = stand_in(self.folder.name, version)
                text = ask("ps.library_version()", PS_LIBRARY=str(path))
                self.assertIn(f"it is version {name}, this binding is made for 0.1.x", text)

    @unittest.skipIf(COMPILER is None, "needs a C compiler")
    def test_a_missing_function_is_named(self):
        path = stand_in(self.folder.name, 100, without=("psBatch",))
        self.assertIn("it has no function psBatch", ask("ps.library_version()", PS_LIBRARY=str(path)))


class Errors(unittest.TestCase):
    def test_each_is_also_the_builtin(self):
        ps = support.ps
        for kind, builtin in ((ps.ArgumentError, ValueError), (ps.UnsupportedError, NotImplementedError),
                              (ps.NoMemoryError, MemoryError), (ps.SystemError_, OSError),
                              (ps.PeerFailedError, ConnectionError), (ps.TimeoutError_, TimeoutError),
                              (ps.NotFoundError, LookupError), (ps.DeniedError, PermissionError)):
            with self.subTest(kind.__name__), self.assertRaisesRegex(builtin, "^a text$") as caught:
                raise kind("a text")
            self.assertIsInstance(caught.exception, ps.Error)
            self.assertEqual(caught.exception.code, kind.default_code)

    def test_an_unknown_code_is_kept(self):
        from parallelstate._errors import error_of
        error = error_of(-99, "from the future")
        self.assertEqual((type(error), error.code), (support.ps.Error, -99))


if __name__ == "__main__":
    unittest.main()
