"""What the library needs and how it is bound: the C and C++ runtimes only, so that one build runs everywhere; a SONAME
that changes with the interface; never unloaded, because threads may still be inside; bound fully at load.

usage: linkage.py libparallelstate.so SONAME"""

import re
import subprocess
import sys

library, soname = sys.argv[1:3]
runtimes = re.compile(r"(linux-vdso|libstdc\+\+|libm|libgcc_s|libc|ld-linux-[\w-]+)\.so\.\d+")


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


faults = []
for line in output("ldd", library).splitlines():
    name = line.split()[0].rsplit("/", 1)[-1]
    if not runtimes.fullmatch(name):
        faults.append(f"ldd shows {line.strip()}")

dynamic = output("readelf", "-dW", library)
found = re.findall(r"\(SONAME\).*\[(.*)\]", dynamic)
if found != [soname]:
    faults.append(f"SONAME is {found}, not {soname}")
for flag in ("NODELETE", "NOW"):
    if not re.search(rf"\(FLAGS_1\).*\b{flag}\b", dynamic):
        faults.append(f"{flag} is not set")
if not re.search(r"\(FLAGS\).*\bBIND_NOW\b", dynamic):
    faults.append("BIND_NOW is not set")
for tag in ("RPATH", "RUNPATH", "TEXTREL"):
    if f"({tag})" in dynamic:
        faults.append(f"{tag} is set")
if re.search(r"GNU_STACK.*\bRWE\b", output("readelf", "-lW", library)):
    faults.append("the stack is executable")

print("\n".join(faults) or f"{soname}: the runtimes alone, NODELETE, BIND_NOW")
sys.exit(bool(faults))
