"""The binary interface as abidiff (libabigail) sees it, against the description kept beside this file: functions with
their symbol versions, and every type that the header lets them reach. What they have in common with the rest of the
library stays out, so the description is small and says the same on every machine.

Before version 1.0 differences are reported; from 1.0 on they are refused. After a change that docs/compatibility.md
allows, the description is renewed on purpose, in the commit that makes the change.

usage: abidiff.py check|renew libparallelstate.so parallelstate.h parallelstate.abi"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

# abidiff's exit status is a set of bits: usage and other errors, and that the interface differs.
ERRORS, DIFFERS = 1 | 2, 4


def describe(library: Path, header: Path) -> str:
    """abidw's description of what `header` makes public in `library`, without what varies from build to build."""
    options = ["--exported-interfaces-only", "--drop-private-types", "--no-parameter-names", "--no-show-locs",
               "--no-architecture", "--no-corpus-path", "--no-comp-dir-path", "--no-elf-needed"]
    xml = subprocess.run(["abidw", *options, "--headers-dir", header.parent, library], check=True, capture_output=True,
                         text=True).stdout
    exported, described = xml.count("<elf-symbol "), xml.count("<function-decl ")
    # With line numbers alone, functions are there and their types are not.
    typed = xml.count("<parameter ") > 0
    if not typed or described != exported:
        sys.exit(f"{library} exports {exported} functions, and its debug information describes {described if typed else 0}: "
                 "build it with -g (CMAKE_BUILD_TYPE=RelWithDebInfo) and do not strip it")
    return re.sub(r"(<abi-instr [^>]*? path=')[^']*/", r"\1", xml)


def differences(kept: Path, found: Path) -> str:
    """abidiff's report, "" when nothing differs."""
    run = subprocess.run(["abidiff", kept, found], capture_output=True, text=True)
    if run.returncode & ERRORS:
        sys.exit(f"abidiff {kept} {found} failed:\n{run.stdout}{run.stderr}")
    return run.stdout if run.returncode & DIFFERS else ""


def major_version(header: Path) -> int:
    return int(re.search(r"^#define PS_VERSION_MAJOR (\d+)", header.read_text(encoding="utf-8"), re.M).group(1))


def main(action: str, library: Path, header: Path, kept: Path) -> int:
    described = describe(library, header)
    with tempfile.TemporaryDirectory() as folder:
        found = Path(folder) / kept.name
        found.write_text(described, encoding="utf-8")
        report = differences(kept, found) if kept.exists() else f"{kept} does not exist\n"
    print(report or "the binary interface is as described")
    if action == "renew":
        kept.write_text(described, encoding="utf-8")
        print(f"{kept} is renewed")
        return 0
    if not report:
        return 0
    print(f"{kept} describes another interface.")
    if major_version(header) == 0:
        print("Before version 1.0 this is allowed. Renew the description: the build's target abi_description.")
        return 0
    print("From version 1.0 on it is refused, unless docs/compatibility.md allows the change and the description is "
          "renewed with it: the build's target abi_description.")
    return 1


if __name__ == "__main__":
    if len(sys.argv) != 5 or sys.argv[1] not in ("check", "renew"):
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], *map(Path, sys.argv[2:])))
