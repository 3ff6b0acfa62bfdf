"""The Python binding's mirrors against the header: what a C compiler says about structs and constants, and the
prototypes as the header has them."""

import ctypes
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bindings" / "python"))

from parallelstate import _constants, _prototypes, _structs  # noqa: E402

HEADER = ROOT / "include" / "parallelstate.h"
COMPILER = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")


def header_text():
    return re.sub(r"/\*.*?\*/", " ", HEADER.read_text(), flags=re.S)


def header_structs():
    """{struct name: [field names]} as the header declares them."""
    structs = {}
    for body, name in re.findall(r"typedef struct \w+ \{(.*?)\} (\w+);", header_text(), flags=re.S):
        structs[name] = [line.split()[-1].lstrip("*") for line in body.split(";") if line.strip()]
    return structs


def header_constants():
    """The names of all enumerators."""
    names = []
    for body in re.findall(r"enum \{(.*?)\}", header_text(), flags=re.S):
        names += re.findall(r"(PS_\w+)\s*=", body)
    return names


def binding_constants():
    """{C name: value} of everything in _constants."""
    values = {"PS_VERSION_MAJOR": _constants.VERSION_MAJOR, "PS_VERSION_MINOR": _constants.VERSION_MINOR}
    prefixes = {
        _constants.Result: "", _constants.DataType: "", _constants.ReduceOp: "", _constants.ContentType: "CONTENT_",
        _constants.DeviceType: "DEVICE_", _constants.LogLevel: "LOG_", _constants.CheckMode: "CHECK_", _constants.RankState: "RANK_",
        _constants.Direction: "", _constants.Flag: "",
    }
    for kind, prefix in prefixes.items():
        for name, member in kind.__members__.items():
            values[f"PS_{prefix}{name}"] = int(member)
    for name in ("NO_RANK", "NO_COLOR", "NEXT", "PREV"):
        values[f"PS_{name}"] = getattr(_constants, name)
    return values


def run_c(lines):
    """Compiles and runs a program that prints with these statements; returns its output lines."""
    body = "\n".join(lines)
    source = f"#include <parallelstate.h>\n#include <stdio.h>\nint main(void) {{\n{body}\nreturn 0;\n}}\n"
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "layout"
        subprocess.run([COMPILER, "-x", "c", "-std=c11", "-I", str(HEADER.parent), "-", "-o", str(program)],
                       input=source.encode(), check=True, timeout=60)
        run = subprocess.run([str(program)], check=True, timeout=60, capture_output=True, text=True)
        return run.stdout.splitlines()


@unittest.skipIf(COMPILER is None, "needs a C compiler")
class Layout(unittest.TestCase):
    def test_every_struct_of_the_header_has_a_mirror(self):
        mirrors = {kind.__name__: [name for name, _ in kind._fields_] for kind in _structs.ALL}
        self.assertEqual(mirrors, header_structs())

    def test_sizes_and_offsets_are_the_compilers(self):
        lines, expected = [], []
        for kind in _structs.ALL:
            name = kind.__name__
            lines.append(f'printf("{name} %zu\\n", sizeof({name}));')
            expected.append(f"{name} {ctypes.sizeof(kind)}")
            for field, _ in kind._fields_:
                lines.append(f'printf("{name}.{field} %zu %zu\\n", offsetof({name}, {field}), '
                             f'sizeof((({name}*)0)->{field}));')
                mirror = getattr(kind, field)
                expected.append(f"{name}.{field} {mirror.offset} {mirror.size}")
        self.assertEqual(run_c(lines), expected)

    def test_initialisers_agree(self):
        # The macro and the binding's zeroed struct with its size set are the same bytes.
        macros = {"psConfig": "PS_CONFIG_INIT", "psWorldInfo": "PS_WORLD_INFO_INIT", "psRankInfo": "PS_RANK_INFO_INIT",
                  "psStoreOptions": "PS_STORE_OPTIONS_INIT", "psGroupOptions": "PS_GROUP_OPTIONS_INIT",
                  "psGroupInfo": "PS_GROUP_INFO_INIT", "psMessage": "PS_MESSAGE_INIT",
                  "psLayoutInfo": "PS_LAYOUT_INFO_INIT", "psModelParallelOptions": "PS_MODEL_PARALLEL_OPTIONS_INIT"}
        lines = []
        for kind in _structs.ALL:
            lines.append(f'{{ {kind.__name__} s = {macros[kind.__name__]}; const unsigned char* p = (void*)&s; '
                         f'for (size_t i = 0; i < sizeof s; ++i) printf("%02x", p[i]); printf("\\n"); }}')
        self.assertEqual(run_c(lines), [bytes(kind()).hex() for kind in _structs.ALL])

    def test_constants_are_the_headers(self):
        values = binding_constants()
        self.assertEqual(set(header_constants()) - set(values), set())
        lines = [f'printf("{name} %lld\\n", (long long){name});' for name in values]
        self.assertEqual(run_c(lines), [f"{name} {value}" for name, value in values.items()])


class Prototypes(unittest.TestCase):
    SCALARS = {"psResult": "c_int", "int32_t": "c_int", "int64_t": "c_long", "uint64_t": "c_ulong", "size_t": "c_ulong",
               "psDataType": "c_int", "psReduceOp": "c_int", "psContentType": "c_int", "psDeviceType": "c_int"}
    HANDLES = {"psContext", "psStore", "psGroup", "psWork", "psLayout", "psBytes"}

    def ctype(self, declaration):
        """The name of the ctypes type for a C type such as `const void**`."""
        stars = declaration.count("*")
        base = declaration.replace("const", "").replace("*", "").strip()
        if base in self.HANDLES or base == "void":
            stars += base in self.HANDLES
            return {1: "c_void_p", 2: "LP_c_void_p"}[stars]
        if base == "char":
            return {1: "c_char_p", 2: "LP_c_char_p"}[stars]
        return "LP_" * stars + self.SCALARS.get(base, base)

    def test_every_function_has_the_headers_signature(self):
        expected = {}
        for result, name, parameters in re.findall(r"^PS_API\s+([\w ]+?[\s*]+)(\w+)\(([^;]*)\);", header_text(), re.M):
            kinds = [] if parameters.strip() == "void" else [
                self.ctype(re.match(r"(.*?)\w+$", " ".join(each.split())).group(1)) for each in parameters.split(",")]
            expected[name] = (self.ctype(result), kinds)
        found = {p.name: (p.restype.__name__, [kind.__name__ for kind in p.argtypes]) for p in _prototypes.PROTOTYPES}
        self.assertGreater(len(found), 50)
        self.assertEqual(found, expected)


if __name__ == "__main__":
    unittest.main()
