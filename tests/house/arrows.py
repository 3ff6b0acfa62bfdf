"""The house is kept: includes point downward only, and no source file is longer than 600 lines.

usage: arrows.py SOURCE_TREE
"""

import pathlib
import re
import sys

ROOMS = ["base", "layout", "control", "host", "group", "api"]  # each may use itself and those before it
NOT_EVEN = {("control", "layout"), ("host", "layout")}          # but these: how ranks meet knows nothing of layouts
LONGEST = 600
INCLUDE = re.compile(r'^\s*#include "([a-z_]+)/', re.MULTILINE)
SOURCES = {".h", ".cc", ".c", ".py"}


def main(tree: pathlib.Path) -> int:
    faults = []
    for path in sorted((tree / "src").rglob("*")):
        if path.suffix not in {".h", ".cc"}:
            continue
        room = path.relative_to(tree / "src").parts[0]
        for used in INCLUDE.findall(path.read_text()):
            if used not in ROOMS:
                faults.append(f"{path}: includes from {used}/, which is no room")
            elif ROOMS.index(used) > ROOMS.index(room) or (room, used) in NOT_EVEN:
                faults.append(f"{path}: {room} includes from {used}, which it may not")
    for folder in ("src", "tools", "bindings", "tests"):
        for path in sorted((tree / folder).rglob("*")):
            if path.suffix in SOURCES and (lines := path.read_text().count("\n")) > LONGEST:
                faults.append(f"{path}: {lines} lines, at most {LONGEST}")
    for path in sorted((tree / "tools").rglob("*.cc")) + sorted((tree / "tools").rglob("*.h")):
        for used in INCLUDE.findall(path.read_text()):
            if used in ROOMS:
                faults.append(f"{path}: includes src/{used}; commands see the public header alone")
    print("\n".join(faults) or "every arrow points downward")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
