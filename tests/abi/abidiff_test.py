"""The guard of the binary interface guards: on small libraries it lets changes pass before version 1.0, telling them,
and refuses each of them from 1.0 on."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

GUARD = Path(__file__).resolve().parent / "abidiff.py"

FIELDS = "int rank; int size;"
FUNCTIONS = "int psRank(psThing* thing); int psSize(psThing* thing);"
CODE = "int psRank(psThing* t) { return t->rank; } int psSize(psThing* t) { return t->size; }"


class Guard(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.library = self.folder / "libthing.so"
        self.header = self.folder / "include" / "thing.h"
        self.kept = self.folder / "thing.abi"
        self.header.parent.mkdir()

    def build(self, major, fields=FIELDS, functions=FUNCTIONS, code=CODE, flags=("-g",)):
        self.header.write_text(f"#define PS_VERSION_MAJOR {major}\ntypedef struct psThing {{ {fields} }} psThing;\n"
                               f"{functions}\n")
        subprocess.run(["gcc", "-shared", "-fPIC", *flags, "-I", self.header.parent, "-x", "c", "-", "-o", self.library],
                       input=f"#include <thing.h>\n{code}\n", text=True, check=True, timeout=60)

    def run_guard(self, action):
        run = subprocess.run([sys.executable, GUARD, action, self.library, self.header, self.kept],
                             capture_output=True, text=True, timeout=60)
        return run.returncode, run.stdout + run.stderr

    def assert_reported_then_refused(self, expected, **change):
        """Built with `change`, the library passes as version 0 and fails as version 1; both times `expected` is told."""
        self.build(major=0)
        self.assertEqual(self.run_guard("renew")[0], 0)
        for major, status in ((0, 0), (1, 1)):
            self.build(major=major, **change)
            returned, output = self.run_guard("check")
            self.assertEqual(returned, status, output)
            self.assertRegex(output, expected)

    def test_the_same_interface_passes_in_every_version(self):
        self.build(major=0)
        self.assertEqual(self.run_guard("renew")[0], 0)
        for major in (0, 1):
            self.build(major=major)
            returned, output = self.run_guard("check")
            self.assertEqual(returned, 0, output)
            self.assertIn("the binary interface is as described", output)

    def test_a_field_of_another_type(self):
        self.assert_reported_then_refused("psThing.*changed", fields="long rank; int size;")

    def test_fields_in_another_order(self):
        self.assert_reported_then_refused("offset changed", fields="int size; int rank;")

    def test_a_parameter_added(self):
        self.assert_reported_then_refused("parameter 2 of type 'int' was added",
                                          functions=FUNCTIONS.replace("psSize(psThing* thing", "psSize(psThing* t, int u"),
                                          code=CODE.replace("psSize(psThing* t", "psSize(psThing* t, int u"))

    def test_a_function_removed(self):
        self.assert_reported_then_refused("psSize", functions=FUNCTIONS.split(";")[0] + ";", code=CODE.split("}")[0] + "}")

    def test_a_function_added_is_to_be_described(self):
        self.assert_reported_then_refused("psMore", functions=FUNCTIONS + "int psMore(void);",
                                          code=CODE + "int psMore(void) { return 0; }")

    def test_renewing_ends_the_refusal(self):
        self.build(major=0)
        self.run_guard("renew")
        self.build(major=1, fields=FIELDS + "int more;")
        self.assertEqual(self.run_guard("check")[0], 1)
        self.assertEqual(self.run_guard("renew")[0], 0)
        self.assertEqual(self.run_guard("check")[0], 0)

    def test_a_library_without_types_in_its_debug_information_does_not_pass(self):
        self.build(major=0)
        self.run_guard("renew")
        for flags in (("-s",), ("-g1",)):
            self.build(major=0, flags=flags)
            returned, output = self.run_guard("check")
            self.assertEqual(returned, 1, flags)
            self.assertIn("build it with -g", output)


if __name__ == "__main__":
    unittest.main()
