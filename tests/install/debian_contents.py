"""Makes the Debian packages as a user does, `cpack -G DEB` in the build folder, and looks into them: names, contents,
owners and permissions, control fields. They are left in OUTPUT.

usage: debian_contents.py BUILD VERSION OUTPUT"""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

BUILD, VERSION, OUTPUT = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
MAJOR = VERSION.split(".")[0]


def output(*command) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout


def fields(deb: Path) -> dict:
    return dict(re.findall(r"^([\w-]+): (.*)$", output("dpkg-deb", "-f", deb), re.M))


architecture = output("dpkg", "--print-architecture").strip()
lib = f"./usr/lib/{output('gcc', '-print-multiarch').strip()}"
library = f"libparallelstate{MAJOR}"
expected = {
    library: {f"{lib}/libparallelstate.so.{MAJOR}", f"{lib}/libparallelstate.so.{VERSION}",
              f"{lib}/parallelstate/ps_gloo.so"},
    "libparallelstate-dev": {
        "./usr/include/parallelstate.h", "./usr/include/parallelstate_plugin.h", f"{lib}/libparallelstate.so", f"{lib}/pkgconfig/parallelstate.pc",
        *(f"{lib}/cmake/ParallelState/ParallelState{part}.cmake"
          for part in ("Config", "ConfigVersion", "Targets", "Targets-BUILDTYPE"))},
    "psctl": {"./usr/bin/psctl"},
}
runtimes = {"libc6", "libgcc-s1", "libstdc++6"}
dependencies = {library: runtimes | {"libgloo0"}, "libparallelstate-dev": {library, "libc6-dev"}, "psctl": runtimes | {library}}

faults = []
with tempfile.TemporaryDirectory() as folder:
    made = subprocess.run(["cpack", "-G", "DEB", "-B", folder], cwd=BUILD, text=True, timeout=200,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if made.returncode != 0:
        sys.exit(f"cpack failed:\n{made.stdout}")
    shutil.rmtree(OUTPUT, ignore_errors=True)
    OUTPUT.mkdir(parents=True)
    for deb in Path(folder).glob("*.deb"):
        shutil.copy(deb, OUTPUT)

names = {f"{package}_{VERSION}_{architecture}.deb": package for package in expected}
if {deb.name for deb in OUTPUT.iterdir()} != set(names):
    faults.append(f"cpack made {sorted(deb.name for deb in OUTPUT.iterdir())}, not {sorted(names)}")
for name, package in names.items():
    deb = OUTPUT / name
    documents = {f"./usr/share/doc/{package}/copyright", f"./usr/share/doc/{package}/changelog.gz"}
    found = set()
    for line in output("dpkg-deb", "-c", deb).splitlines():
        mode, owner, _, _, _, path = line.split(maxsplit=5)
        path = path.split(" -> ")[0]
        program = path.startswith("./usr/bin/") or mode.startswith("d")
        if owner != "root/root" or not (mode.startswith("l") or mode.endswith("rwxr-xr-x" if program else "rw-r--r--")):
            faults.append(f"{name}: {mode} {owner} {path}")
        if not mode.startswith("d"):
            found.add(re.sub(r"(Targets-)\w+(\.cmake)", r"\1BUILDTYPE\2", path))
    if found != expected[package] | documents:
        faults.append(f"{name}: unexpected {sorted(found - expected[package] - documents)}, "
                      f"missing {sorted((expected[package] | documents) - found)}")

    control = fields(deb)
    depends = {part.split()[0] for part in control["Depends"].split(", ")}
    if depends != dependencies[package]:
        faults.append(f"{name}: depends on {sorted(depends)}, not {sorted(dependencies[package])}")
    if package != library and f"{library} (= {VERSION})" not in control["Depends"]:
        faults.append(f"{name}: does not depend on {library} of its own version")
    for field, value in (("Package", package), ("Version", VERSION), ("Architecture", architecture)):
        if control[field] != value:
            faults.append(f"{name}: {field} is {control[field]}, not {value}")
    faults += [f"{name}: no {field}" for field in ("Maintainer", "Description", "Section") if not control.get(field)]

deb = OUTPUT / f"{library}_{VERSION}_{architecture}.deb"
if output("dpkg-deb", "-I", deb, "triggers").split() != ["activate-noawait", "ldconfig"]:
    faults.append("the library's package does not activate ldconfig's trigger")
if output("dpkg-deb", "-I", deb, "shlibs").split() != ["libparallelstate", MAJOR, library, "(>=", f"{VERSION})"]:
    faults.append(f"shlibs: {output('dpkg-deb', '-I', deb, 'shlibs')}")

print("\n".join(faults) or f"{', '.join(sorted(names))}: as they should be")
sys.exit(bool(faults))
