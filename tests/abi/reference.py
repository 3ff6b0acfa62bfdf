"""The API reference leaves nothing out: Doxygen runs without a warning, and every function, type, struct, field, constant
and macro of the header has words in what it writes.

usage: reference.py doxygen Doxyfile parallelstate.h XML_FOLDER"""

import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree
from pathlib import Path

doxygen, doxyfile, header, folder = sys.argv[1:5]

shutil.rmtree(folder, ignore_errors=True)
made = subprocess.run([doxygen, doxyfile], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=100)
if made.returncode != 0 or made.stdout.strip():
    sys.exit(f"doxygen ended with {made.returncode}:\n{made.stdout}")


def has_words(element):
    return any("".join(part.itertext()).strip() for kind in ("briefdescription", "detaileddescription")
               for part in element.findall(kind))


documented = set()
for file in Path(folder).glob("*.xml"):
    for compound in xml.etree.ElementTree.parse(file).getroot().iter("compounddef"):
        kind, name = compound.get("kind"), compound.findtext("compoundname")
        if kind == "struct" and has_words(compound):
            documented.add(name)
        for member in compound.iter("memberdef"):
            prefix = f"{name}." if kind == "struct" else ""
            documented |= {prefix + member.findtext("name")} if has_words(member) else set()
            documented |= {value.findtext("name") for value in member.iter("enumvalue") if has_words(value)}

code = re.sub(r"/\*.*?\*/", "", Path(header).read_text(encoding="utf-8"), flags=re.S)
structs = dict(re.findall(r"^typedef struct (\w+) \{(.*?)\}", code, re.M | re.S))
expected = {
    "functions": re.findall(r"^PS_API [^(]*?\b(ps\w+)\(", code, re.M),
    "types": re.findall(r"^typedef [\w* ]+? \(?\*?(ps\w+)(?:;|\)\()", code, re.M),
    "structs": list(structs),
    "fields": [f"{name}.{field}" for name, body in structs.items() for field in re.findall(r"(\w+);", body)],
    "constants": [name for body in re.findall(r"^enum \{(.*?)\}", code, re.M | re.S) for name in re.findall(r"PS_\w+", body)],
    "macros": [name for name in re.findall(r"^#define (PS_\w+)", code, re.M) if name != "PS_API"],
}
faults = [f"no {kind} were found in the header: its form has changed" for kind, names in expected.items() if not names]
faults += [f"{name} has no words in the reference" for names in expected.values() for name in names
           if name not in documented]
print("\n".join(faults) or ", ".join(f"{len(names)} {kind}" for kind, names in expected.items()))
sys.exit(bool(faults))
