"""Every way the library is found, from an installed tree that has been moved: one test each, without the source tree.

usage: install_test.py STAGE SOURCE BUILD VERSION [test...]"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from moved import MovedTree, outside

STAGE, SOURCE, BUILD = map(Path, sys.argv[1:4])
VERSION = sys.argv[4]
PROGRAMS = Path(__file__).resolve().parent / "programs"


class Moved(unittest.TestCase):
    folder_name = "parallelstate moved "  # with a blank, for what can take one

    def setUp(self):
        self.assertTrue(outside(SOURCE, BUILD), f"{tempfile.gettempdir()} is in the source or build tree: set TMPDIR")
        self.tree = MovedTree(STAGE, self.folder_name)
        self.addCleanup(self.tree.close)
        self.libdir = self.tree.libdir
        self.program = self.tree.folder / "sum"

    def copy(self, name):
        """A file or folder of programs/, copied beside the moved tree."""
        copied = self.tree.folder / name
        (shutil.copytree if (PROGRAMS / name).is_dir() else shutil.copyfile)(PROGRAMS / name, copied)
        return copied

    def assert_uses_moved_library(self, program, **environment):
        library = self.tree.library_of(program, **environment)
        self.assertTrue(library.resolve().is_relative_to(self.tree.prefix.resolve()), library)


class Programs(Moved):
    def test_c_by_pkg_config(self):
        self.tree.run("gcc", self.copy("sum.c"), *self.tree.pkg_config("--cflags", "--libs"), "-o", self.program,
                      f"-Wl,-rpath,{self.libdir}")
        self.assert_uses_moved_library(self.program)
        self.tree.world(self.program)

    def test_the_plugin_for_other_hosts_moves_with_the_library(self):
        self.tree.run("gcc", self.copy("sum.c"), *self.tree.pkg_config("--cflags", "--libs"), "-o", self.program,
                      f"-Wl,-rpath,{self.libdir}")
        self.tree.world(self.program, PS_BACKEND="gloo")

    @unittest.skipUnless(os.environ.get("PS_TEST_FULL"), "Gloo's source is downloaded in scripts/test --full")
    def test_the_plugin_with_gloo_built_from_source(self):
        build = tempfile.mkdtemp(prefix="ps-gloo-source-")
        self.addCleanup(shutil.rmtree, build)
        for command in (["cmake", "-G", "Ninja", "-S", SOURCE, "-B", build, "-DPS_TESTS=OFF", "-DPS_GLOO_SOURCE=ON"],
                        ["cmake", "--build", build, "--target", "ps_gloo"]):
            subprocess.run(command, check=True, timeout=200)
        plugin = self.libdir / "parallelstate" / "ps_gloo.so"
        plugin.parent.mkdir(exist_ok=True)
        shutil.copyfile(Path(build) / "lib" / "parallelstate" / "ps_gloo.so", plugin)
        self.assertNotIn("libgloo", self.tree.run("readelf", "--dynamic", plugin))
        self.tree.run("gcc", self.copy("sum.c"), *self.tree.pkg_config("--cflags", "--libs"), "-o", self.program,
                      f"-Wl,-rpath,{self.libdir}")
        self.tree.world(self.program, PS_BACKEND="gloo")

    def test_without_the_plugin_the_library_says_so_when_asked_for_it(self):
        for plugin in (self.libdir / "parallelstate").glob("ps_gloo.so"):
            plugin.unlink()
        self.tree.run("gcc", self.copy("sum.c"), *self.tree.pkg_config("--cflags", "--libs"), "-o", self.program,
                      f"-Wl,-rpath,{self.libdir}")
        self.tree.world(self.program)
        elsewhere = self.tree.folder / "elsewhere"
        for asked in ({"PS_BACKEND": "gloo"}, {"PS_BACKEND": "gloo", "PS_PLUGIN_PATH": str(elsewhere)}):
            refused = self.tree.attempt(self.program, PS_RANK="0", PS_WORLD_SIZE="1", **asked)
            self.assertEqual(refused.returncode, 1, refused.stdout)
            places = [self.libdir / "parallelstate" / "ps_gloo.so"]
            places += [elsewhere / "ps_gloo.so"] if "PS_PLUGIN_PATH" in asked else []
            for part in ("PS_ERR_UNSUPPORTED", '"gloo"', "libgloo-dev", "PS_PLUGIN_PATH", '"shm"', *map(str, places)):
                self.assertIn(part, refused.stdout)

    def test_cxx_by_pkg_config(self):
        self.tree.run("g++", "-std=c++17", self.copy("sum.cc"), *self.tree.pkg_config("--cflags", "--libs"),
                      "-o", self.program)
        path = {"LD_LIBRARY_PATH": str(self.libdir)}
        self.assert_uses_moved_library(self.program, **path)
        self.tree.world(self.program, **path)

    def test_c_by_cmake(self):
        major, minor = map(int, VERSION.split(".")[:2])
        self.copy("sum.c")
        project = self.copy("cmake")

        def configure(wanted, build):
            return self.tree.attempt("cmake", "-G", "Ninja", "-S", project, "-B", self.tree.folder / build,
                                     f"-DWANTED_VERSION={wanted}", f"-DCMAKE_PREFIX_PATH={self.tree.prefix}")

        newer = configure(f"{major}.{minor + 1}", "newer")
        self.assertNotEqual(newer.returncode, 0)
        self.assertIn(f"version: {VERSION}", newer.stdout, "what was found is told")
        same = configure(f"{major}.{minor}", "build")
        self.assertEqual(same.returncode, 0, same.stdout)
        self.tree.run("cmake", "--build", self.tree.folder / "build")
        program = self.tree.folder / "build" / "sum"
        self.assert_uses_moved_library(program)
        self.tree.world(program)

    def test_dlopen_by_soname(self):
        self.tree.run("gcc", self.copy("loaded.c"), *self.tree.pkg_config("--cflags"), "-o", self.program)
        self.assertNotIn("libparallelstate", self.tree.run("ldd", self.program))
        self.tree.world(self.program, LD_LIBRARY_PATH=str(self.libdir))

    def test_ctypes_by_name(self):
        self.tree.world("/usr/bin/python3", self.copy("by_name.py"), LD_LIBRARY_PATH=str(self.libdir))

    def test_python_package_by_name(self):
        package = SOURCE / "bindings" / "python" / "parallelstate"
        shutil.copytree(package, self.tree.folder / "packages" / "parallelstate",
                        ignore=shutil.ignore_patterns("__pycache__", "lib"))
        self.tree.world("/usr/bin/python3", self.copy("with_package.py"), LD_LIBRARY_PATH=str(self.libdir),
                        PYTHONPATH=str(self.tree.folder / "packages"))


class Bindings(Moved):
    # Go 1.19 splits what pkg-config says at every blank.
    folder_name = "parallelstate-moved-"

    def assert_adds_up(self):
        path = {"LD_LIBRARY_PATH": str(self.libdir)}
        self.assert_uses_moved_library(self.program, **path)
        self.tree.world(self.program, **path)

    def test_go_by_pkg_config(self):
        shutil.copytree(SOURCE / "bindings" / "go", self.tree.folder / "binding")
        self.tree.run("go", "build", "-o", self.program, folder=self.copy("go"), GOFLAGS="-mod=mod", GOPROXY="off",
                      GOTOOLCHAIN="local", GOPATH=str(self.tree.folder / "path"),
                      GOCACHE=str(self.tree.folder / "cache"))
        self.assert_adds_up()

    def test_rust_by_pkg_config(self):
        shutil.copytree(SOURCE / "bindings" / "rust", self.tree.folder / "binding",
                        ignore=shutil.ignore_patterns("target"))
        crates = BUILD / "crates"  # pinned, from scripts/crates: nothing is fetched
        self.tree.run("cargo", "build", "--offline", "--config", 'source.crates-io.replace-with="pinned"',
                      "--config", f'source.pinned.directory="{crates}"', folder=self.copy("rust"),
                      CARGO_HOME=str(self.tree.folder / "cargo"), CARGO_TARGET_DIR=str(self.tree.folder / "target"))
        (self.tree.folder / "target" / "debug" / "sum").rename(self.program)
        self.assert_adds_up()


class Tree(Moved):
    def test_psctl_finds_its_library(self):
        self.assert_uses_moved_library(self.tree.prefix / "bin" / "psctl")
        self.assertIn(VERSION, self.tree.run(self.tree.prefix / "bin" / "psctl", "--version"))

    def test_binaries_name_no_place(self):
        for binary in (self.tree.prefix / "bin" / "psctl", self.libdir / "libparallelstate.so"):
            dynamic = self.tree.run("readelf", "-dW", binary)
            self.assertRegex(dynamic, r"\(NEEDED\)")
            self.assertEqual(re.findall(r"\((?:NEEDED|SONAME)\).*\[(.*/.*)\]", dynamic), [])
            for path in re.findall(r"\((?:RPATH|RUNPATH)\).*\[(.*)\]", dynamic):
                self.assertRegex(path, r"^\$ORIGIN/[^:]*$", binary)

    def test_texts_name_no_place(self):
        (pc,) = self.tree.prefix.rglob("*.pc")
        values = re.findall(r"^(\w+)=(.*)$", pc.read_text(), re.M)
        self.assertEqual([name for name, _ in values], ["prefix", "libdir", "includedir"])
        for name, value in values:
            self.assertTrue(value.startswith("${pcfiledir}/.."), f"{name}={value}")

        cmake = sorted(self.tree.prefix.rglob("*.cmake"))
        located = [line for file in cmake for line in re.findall(r"IMPORTED_LOCATION\w* \"(.*)\"", file.read_text())]
        self.assertTrue(located)
        for path in located:
            self.assertTrue(path.startswith("${_IMPORT_PREFIX}/"), path)
        for file in (*cmake, pc, self.tree.prefix / "include" / "parallelstate.h"):
            for folder in (SOURCE, BUILD, STAGE):
                self.assertNotIn(str(folder), file.read_text(), file)


class LibraryFolder(unittest.TestCase):
    def test_pkg_config_follows_the_architectures_folder(self):
        # Another configuration of the same sources, which takes the binaries that are built already.
        with tempfile.TemporaryDirectory(prefix="parallelstate multiarch ") as folder:
            build, stage = Path(folder) / "build", Path(folder) / "stage"
            configure = ["cmake", "-G", "Ninja", "-S", SOURCE, "-B", build, "-DPS_TESTS=OFF",
                         "-DCMAKE_INSTALL_LIBDIR=lib/x86_64-linux-gnu"]
            subprocess.run(configure, check=True, stdout=subprocess.DEVNULL, timeout=60)
            shutil.copytree(BUILD / "lib", build / "lib", symlinks=True, dirs_exist_ok=True)
            for component in ("library", "development"):
                subprocess.run(["cmake", "--install", build, "--component", component, "--prefix", stage], check=True,
                               stdout=subprocess.DEVNULL, timeout=60)
            tree = MovedTree(stage, "parallelstate moved ")
            self.addCleanup(tree.close)
            self.assertEqual(tree.libdir, tree.prefix / "lib" / "x86_64-linux-gnu")
            program = tree.folder / "sum"
            tree.run("gcc", PROGRAMS / "sum.c", *tree.pkg_config("--cflags", "--libs"), "-o", program)
            tree.run(program, LD_LIBRARY_PATH=str(tree.libdir))


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[5:]])
