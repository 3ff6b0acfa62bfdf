"""The tests of the header leave nothing out: every initialiser, struct field and constant of it is looked at, and it
includes no more than it says.

usage: header.py HEADER.h header.c layout.c [include...]; without more it includes the two of parallelstate.h"""

import re
import sys

header, snippet, layout = (open(path, encoding="utf-8").read() for path in sys.argv[1:4])
header = re.sub(r"/\*.*?\*/", "", header, flags=re.S)
faults = []

includes = re.findall(r"^#include\s+(\S+)", header, re.M)
promised = sys.argv[4:] or ["<stddef.h>", "<stdint.h>"]
if includes != promised:
    faults.append(f"the header includes {includes}; {promised} is what it promises")

initialisers = re.findall(r"^#define (PS_\w+_INIT)\b", header, re.M)
faults += [f"{name} is not used in header.c" for name in initialisers if name not in snippet]

structs = re.findall(r"typedef struct (\w+) \{(.*?)\} \1;", header, re.S)
for name, body in structs:
    # A pointer to a function has its name in the middle.
    fields = [re.search(r"\(\*(\w+)\)|(\w+)\s*$", declaration) for declaration in body.split(";")[:-1]]
    fields = [found.group(1) or found.group(2) for found in fields]
    if fields[0] != "struct_size":
        faults.append(f"{name} does not begin with struct_size")
    faults += [f"{name}.{field} is not in layout.c" for field in fields if f"FIELD({name}, {field}," not in layout]
    if f"SIZE({name}," not in layout:
        faults.append(f"the size of {name} is not in layout.c")

enums = re.findall(r"\benum \{(.*?)\};", header, re.S)
constants = [name for body in enums for name in re.findall(r"(PS_\w+)\s*=", body)]
faults += [f"{name} is not in layout.c" for name in constants if f"VALUE({name}," not in layout]

if not (structs and constants):
    faults.append("nothing was found in the header: its form has changed")
print("\n".join(faults) or f"{len(structs)} structs, {len(initialisers)} initialisers, {len(constants)} constants")
sys.exit(bool(faults))
