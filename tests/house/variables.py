"""Every environment variable is in the tables of docs/launching.md, and every variable there is read by something.

usage: variables.py SOURCE"""

import re
import sys
from pathlib import Path

SOURCE = Path(sys.argv[1])
PAGE = "docs/launching.md"
# Where a quoted "PS_X" is a variable, unless the header knows it as a constant.
READERS = ("src/**/*.cc", "src/**/*.h", "tools/**/*.cc", "tools/**/*.h", "bindings/python/parallelstate/*.py",
           "bindings/python/backend/*.py", "bindings/rust/*/src/*.rs", "bindings/rust/*/examples/*.rs",
           "bindings/go/*.go", "bindings/go/examples/**/*.go", "bench/**/*.cc", "bench/**/*.py")
# Tests also name variables that they set for others, so there only what is asked for counts.
TESTS = ("tests/**/*.cc", "tests/**/*.py", "bindings/python/tests/*.py")
QUOTED = re.compile(r"""["'](PS_[A-Z0-9_]+)["']""")
ASKED = re.compile(r"""(?:getenv|environ\.get|environment_number|environment)\(\s*["'](PS_[A-Z0-9_]+)["']""")


def found(patterns, expression):
    """Each variable with the first file that has it."""
    places = {}
    for pattern in patterns:
        for file in sorted(SOURCE.glob(pattern)):
            for name in expression.findall(file.read_text(encoding="utf-8")):
                places.setdefault(name, file.relative_to(SOURCE))
    return places


header = (SOURCE / "include" / "parallelstate.h").read_text(encoding="utf-8")
constants = set(re.findall(r"\bPS_[A-Z0-9_]+", re.sub(r"/\*.*?\*/", "", header, flags=re.S)))
# What a test tells a process of its own is its affair.
own = set(found(TESTS, re.compile(r"""setenv\("(PS_[A-Z0-9_]+)\"""")))
asked = {name: file for name, file in found(TESTS, ASKED).items() if name not in own}
quoted = found(READERS, QUOTED)
read = {name: file for name, file in {**asked, **quoted}.items() if name not in constants}
rows = re.findall(r"^\| (`[A-Z].*?) \|", (SOURCE / PAGE).read_text(encoding="utf-8"), re.M)
documented = {name for row in rows for name in re.findall(r"`(PS_[A-Z0-9_]+)`", row)}

faults = [f"{file} reads {name}, which is in no table of {PAGE}" for name, file in read.items()
          if name not in documented]
faults += [f"{PAGE} has {name}, which nothing reads" for name in sorted(documented - {*asked, *quoted})]
if len(documented) < 20 or len(read) < 20:
    faults.append(f"only {len(documented)} variables were found in {PAGE} and {len(read)} in the code: "
                  "their form has changed")
print("\n".join(faults) or f"{len(documented)} variables are read and documented")
sys.exit(bool(faults))
