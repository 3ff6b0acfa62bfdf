"""What the library exports is what the header declares, the version script names and exports.txt keeps: no symbol more,
none fewer, all of one version, none unique to the process (STB_GNU_UNIQUE would defeat dlclose and mix two copies).

usage: exports.py libparallelstate.so parallelstate.h exports.map exports.txt"""

import re
import subprocess
import sys

library, header, version_script, kept = sys.argv[1:5]


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


faults = []
exported = set()
versions = set()
symbols = subprocess.run(["nm", "-D", "--defined-only", library], check=True, capture_output=True, text=True).stdout
for line in symbols.splitlines():
    kind, symbol = line.split()[1:]
    name, _, version = symbol.partition("@@")
    if kind == "A" and not version:
        continue  # the version's own name
    if kind != "T":
        faults.append(f"{name} is exported as kind '{kind}'; functions (T) alone should be")
    exported.add(name)
    versions.add(version)
if len(versions) != 1:
    faults.append(f"symbols of versions {sorted(versions)}: one is expected")

code = re.sub(r"/\*.*?\*/", "", read(header), flags=re.S)
lines = read(kept).split()
if lines != sorted(set(lines)):
    faults.append("exports.txt is not sorted, or repeats a name")
lists = {
    "parallelstate.h (PS_API)": set(re.findall(r"^PS_API [^(]*?\b(ps\w+)\(", code, re.M)),
    "exports.map": set(re.findall(r"\b(ps\w+);", read(version_script))),
    "exports.txt": set(lines),
}
declared = len(re.findall(r"^PS_API ", code, re.M))
if declared != len(lists["parallelstate.h (PS_API)"]):
    faults.append(f"{declared} PS_API declarations, of which {len(lists['parallelstate.h (PS_API)'])} could be read")
for where, names in lists.items():
    faults += [f"{name} is in {where} but not exported" for name in sorted(names - exported)]
    faults += [f"{name} is exported but not in {where}" for name in sorted(exported - names)]

print("\n".join(faults) or f"{len(exported)} functions, the same in all four places")
sys.exit(bool(faults))
