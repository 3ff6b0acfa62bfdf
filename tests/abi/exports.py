"""What the library exports is what the header declares, the version script names and exports.txt keeps: no symbol more,
none fewer, each under the version that the script gives it, none unique to the process (STB_GNU_UNIQUE would defeat
dlclose and mix two copies). The versions PS_<major>.<minor> form one chain and none is newer than the header's.

usage: exports.py libparallelstate.so parallelstate.h exports.map exports.txt"""

import re
import subprocess
import sys

library, header, version_script, kept = sys.argv[1:5]


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


faults = []
exported = {}  # function: its symbol version
symbols = subprocess.run(["nm", "-D", "--defined-only", library], check=True, capture_output=True, text=True).stdout
for line in symbols.splitlines():
    kind, symbol = line.split()[1:]
    name, _, version = symbol.partition("@@")
    if kind == "A" and not version:
        continue  # the version's own name
    if kind != "T":
        faults.append(f"{name} is exported as kind '{kind}'; functions (T) alone should be")
    exported[name] = version

code = re.sub(r"/\*.*?\*/", "", read(header), flags=re.S)
lines = read(kept).split()
if lines != sorted(set(lines)):
    faults.append("exports.txt is not sorted, or repeats a name")

# PS_0.1 { global: psAbort; ... local: *; }; then, each naming the one before: PS_0.2 { global: ... } PS_0.1;
released = tuple(int(re.search(rf"^#define PS_VERSION_{part} (\d+)", code, re.M).group(1)) for part in ("MAJOR", "MINOR"))
nodes = re.findall(r"^(\w[\w.]*) \{(.*?)\}\s*([\w.]*);", read(version_script), re.S | re.M)
scripted = {name: version for version, body, _ in nodes for name in re.findall(r"\b(ps\w+);", body)}
before, last = "", (-1, -1)
for version, _, parent in nodes:
    number = tuple(map(int, re.findall(r"\d+", version)))
    if not re.fullmatch(r"PS_\d+\.\d+", version) or not last < number <= released:
        faults.append(f"{version} is not PS_<major>.<minor> between the version before it and the header's "
                      f"{released[0]}.{released[1]}")
    if parent != before:
        faults.append(f"{version} follows '{parent}' in exports.map, not '{before}'")
    before, last = version, number
faults += [f"{name} is exported as {version}, and is {scripted[name]} in exports.map"
           for name, version in sorted(exported.items()) if scripted.get(name, version) != version]

lists = {
    "parallelstate.h (PS_API)": set(re.findall(r"^PS_API [^(]*?\b(ps\w+)\(", code, re.M)),
    "exports.map": set(scripted),
    "exports.txt": set(lines),
}
declared = len(re.findall(r"^PS_API ", code, re.M))
if declared != len(lists["parallelstate.h (PS_API)"]):
    faults.append(f"{declared} PS_API declarations, of which {len(lists['parallelstate.h (PS_API)'])} could be read")
for where, names in lists.items():
    faults += [f"{name} is in {where} but not exported" for name in sorted(names - set(exported))]
    faults += [f"{name} is exported but not in {where}" for name in sorted(set(exported) - names)]

print("\n".join(faults) or f"{len(exported)} functions of {len(nodes)} version(s), the same in all four places")
sys.exit(bool(faults))
