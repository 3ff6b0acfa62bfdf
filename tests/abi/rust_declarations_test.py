"""The declarations of the Rust crate parallelstate-sys against the header: every prototype, struct and constant, with
its type. The crate's own test compares sizes, offsets and values as a C compiler has them."""

import re
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HEADER = ROOT / "include" / "parallelstate.h"
CRATE = ROOT / "bindings" / "rust" / "parallelstate-sys" / "src"

TYPES = {"int32_t": "i32", "uint32_t": "u32", "int64_t": "i64", "uint64_t": "u64", "size_t": "usize", "void": "c_void",
         "char": "c_char"}


def header_text():
    return re.sub(r"/\*.*?\*/", " ", HEADER.read_text(), flags=re.S)


def crate_text(name):
    return re.sub(r"//[^\n]*", " ", (CRATE / name).read_text())


def rust_type(declaration):
    """`const void**` as Rust writes it: each pointer says whether what it points to may be written."""
    words = re.findall(r"\w+|\*", declaration)
    constant = "const" in words
    base, *stars = [word for word in words if word != "const"]
    kind = TYPES.get(base, base)
    for depth, _ in enumerate(stars):
        kind = ("*const " if constant and depth == 0 else "*mut ") + kind
    return kind


def parameter(text):
    """(name, type) of a C parameter or field."""
    kind, name = re.match(r"(.*?)(\w+)$", " ".join(text.split())).groups()
    return name, rust_type(kind)


def pairs(text):
    """[(name, type)] of a Rust list `name: type, ...`."""
    return [tuple(re.match(r"(?:pub )?(\w+): (.+)", " ".join(each.split())).groups())
            for each in text.split(",") if each.strip()]


class Declarations(unittest.TestCase):
    maxDiff = None

    def test_every_function(self):
        expected = {}
        for result, name, parameters in re.findall(r"^PS_API\s+([\w ]+?[\s*]+)(\w+)\(([^;]*)\);", header_text(), re.M):
            kinds = [] if parameters.strip() == "void" else [parameter(each)[1] for each in parameters.split(",")]
            expected[name] = (kinds, rust_type(result))
        declared = crate_text("functions.rs").split("\nfunctions! {")[1]
        found = {name: ([kind for _, kind in pairs(parameters)], result)
                 for name, parameters, result in re.findall(r"fn (\w+)\(([^)]*)\) -> ([^;]+);", declared)}
        self.assertGreater(len(found), 50)
        self.assertEqual(found, expected)

    def test_every_struct(self):
        expected = {}
        for body, name in re.findall(r"typedef struct \w+ \{(.*?)\} (\w+);", header_text(), flags=re.S):
            first, *fields = [parameter(each) for each in body.split(";") if each.strip()]
            self.assertEqual(first, ("struct_size", "u32"))  # which the crate's macro writes
            expected[name] = fields
        declared = crate_text("structs.rs").split("\nstructs! {")[1]
        found = {name: pairs(body) for name, body in re.findall(r"struct (\w+) \{(.*?)\}", declared, flags=re.S)}
        self.assertEqual(found, expected)

    def test_every_handle_and_integer_type(self):
        text, crate = header_text(), crate_text("structs.rs")
        handles = dict(re.findall(r"typedef struct (\w+)\* (\w+);", text))
        self.assertEqual({kind: name for name, kind in re.findall(r"^    (\w+) = (\w+Impl);", crate, re.M)}, handles)
        integers = set(re.findall(r"typedef int32_t (\w+);", text))
        self.assertEqual(set(re.findall(r"pub type (\w+) = i32;", crate)), integers)

    def test_every_constant(self):
        expected = {}
        for kind, body in re.findall(r"(?:typedef int32_t (\w+);\s*)?enum \{(.*?)\}", header_text(), flags=re.S):
            for name, value in re.findall(r"(PS_\w+)\s*=\s*(-?\w+)", body):
                # Flags are bits of unsigned fields, the other nameless ones are ranks.
                expected[name] = (kind or ("u32" if value.startswith("0x") else "i32"), int(value, 0))
        for name, value in re.findall(r"#define (PS_VERSION_\w+) (\d+)", header_text()):
            expected[name] = ("i32", int(value))
        found = {name: (kind, int(value, 0))
                 for name, kind, value in re.findall(r"pub const (\w+): (\w+) = (-?\w+);", crate_text("constants.rs"))}
        self.assertGreater(len(found), 80)
        self.assertEqual(found, expected)


if __name__ == "__main__":
    unittest.main()
