"""One layout, one hash, one list of groups in every language: each program says what its binding has of every golden
spec, the refused ones too, and the lines are compared with the C functions' own.

    test_layouts_alike.py INCLUDE_FOLDER LIBRARY LANGUAGE=PROGRAM ...

A program reads lines `WORLD SPEC` and prints `HASH SPEC NAME=RANK,RANK/... ALIAS(NAME)=... AXIS:SIZE ...`, or `refused`
and the error's text.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from support import ps

COMPILER = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
GOLDEN = Path(__file__).resolve().parents[3] / "tests" / "golden" / "layouts.json"
MORE = [(6, "grid:a.b=2"), (4, "vllm:tp=*,pp=*"), (4, "nonsense:tp=2"), (0, "grid:a=1"), (4096, "megatron:tp=8,pp=4")]
FOLDER = LIBRARY = None
PROGRAMS = {}

SOURCE = r'''
#include <inttypes.h>
#include <parallelstate.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(call) \
  do { \
    if ((call) < 0) { \
      fprintf(stderr, "%s\n", psLastError()); \
      exit(1); \
    } \
  } while (0)

static void print_groups(psLayout layout, const char* name) {
  size_t count, size;
  CHECK(psLayoutGroupCount(layout, name, &count));
  for (size_t index = 0; index < count; ++index) {
    CHECK(psLayoutGroupRanks(layout, name, index, NULL, 0, &size));
    int32_t* ranks = malloc(size * sizeof *ranks);
    CHECK(psLayoutGroupRanks(layout, name, index, ranks, size, &size));
    for (size_t i = 0; i < size; ++i) printf("%c%" PRId32, i > 0 ? ',' : index > 0 ? '/' : '=', ranks[i]);
    free(ranks);
  }
}

static void print_layout(psLayout layout) {
  psLayoutInfo info = PS_LAYOUT_INFO_INIT;
  CHECK(psGetLayoutInfo(layout, &info));
  printf("%016" PRIx64 " %s", info.hash, info.spec);
  for (size_t index = 0; index < info.name_count; ++index) {
    const char *name, *alias_of;
    CHECK(psLayoutName(layout, index, &name, &alias_of));
    printf(alias_of != NULL ? " %s(%s)" : " %s", name, alias_of);
    print_groups(layout, name);
  }
  for (size_t index = 0; index < info.axis_count; ++index) {
    const char* name;
    int32_t size;
    CHECK(psLayoutAxis(layout, index, &name, &size));
    printf(" %s:%" PRId32, name, size);
  }
  putchar('\n');
}

int main(void) {
  static char line[8192];
  while (fgets(line, sizeof line, stdin) != NULL) {
    char* spec;
    const int32_t world = (int32_t)strtol(line, &spec, 10);
    spec[strcspn(spec, "\n")] = '\0';
    psLayout layout = NULL;
    if (psLayoutCreate(spec + 1, world, &layout) < 0) {
      printf("refused %s\n", psLastError());
    } else {
      print_layout(layout);
      CHECK(psLayoutFree(layout));
    }
  }
  return 0;
}
'''


def python_line(world, spec):
    try:
        layout = ps.Layout(spec, world)
    except ps.Error as error:
        return f"refused {error}"
    words = [f"{layout.hash:016x}", str(layout)]
    for name in layout:
        alias = f"({layout.aliases[name]})" if name in layout.aliases else ""
        words.append(f"{name}{alias}=" + "/".join(",".join(map(str, group)) for group in layout[name]))
    return " ".join(words + [f"{name}:{size}" for name, size in layout.axes.items()])


def comparable(line):
    return line.replace("refused psLayoutCreate: ", "refused ", 1)  # which Go replaces by its own name


class Alike(unittest.TestCase):
    maxDiff = 2000

    @classmethod
    def setUpClass(cls):
        cls.cases = [(case["world"], case["spec"]) for case in json.loads(GOLDEN.read_text())]
        cls.cases += MORE
        cls.input = "".join(f"{world} {spec}\n" for world, spec in cls.cases)
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        program = str(Path(folder.name) / "layouts")
        subprocess.run([COMPILER, "-x", "c", "-std=c11", "-I", FOLDER, "-", "-x", "none", LIBRARY, "-o", program,
                        f"-Wl,-rpath,{Path(LIBRARY).parent}"], input=SOURCE.encode(), check=True, timeout=60)
        cls.expected = cls.lines(program)

    @classmethod
    def lines(cls, program):
        done = subprocess.run([program], input=cls.input, capture_output=True, text=True, timeout=100, check=True)
        return [comparable(line) for line in done.stdout.splitlines()]

    def test_c(self):
        self.assertEqual(len(self.expected), len(self.cases))
        accepted = [line for line in self.expected if not line.startswith("refused ")]
        self.assertGreater(len(accepted), 100)
        self.assertGreater(len(self.expected) - len(accepted), 10)
        # A hash says canonical spec and world, and nothing else.
        kinds = {(line.split()[1], world) for line, (world, _) in zip(self.expected, self.cases) if line in accepted}
        self.assertEqual(len({line.split()[0] for line in accepted}), len(kinds))

    def test_python(self):
        for case, expected in zip(self.cases, self.expected):
            self.assertEqual(comparable(python_line(*case)), expected, case)

    def test_others(self):
        for language, program in PROGRAMS.items():
            found = self.lines(program)
            self.assertEqual(len(found), len(self.cases), language)
            for case, line, expected in zip(self.cases, found, self.expected):
                with self.subTest(language, case=case):
                    self.assertEqual(line, expected)


if __name__ == "__main__":
    FOLDER, LIBRARY = sys.argv[1:3]
    PROGRAMS = dict(argument.split("=", 1) for argument in sys.argv[3:])
    unittest.main(argv=sys.argv[:1])
