"""The C and C++ of a page compile as they stand there.

usage: snippets.py INCLUDE_FOLDER page.md..."""

import re
import subprocess
import sys
from pathlib import Path

LANGUAGES = {
    "c": (["gcc", "-std=c11", "-x", "c"], "#include <stdio.h>\nvoid page(psContext context) {{\n{}}}\n"),
    "cpp": (["g++", "-std=c++17", "-x", "c++"], "#include <memory>\n#include <stdexcept>\n{}"),
}

include, *pages = sys.argv[1:]
compiled = 0
for page in pages:
    for language, text in re.findall(r"^```(c|cpp)\n(.*?)^```", Path(page).read_text(encoding="utf-8"), re.M | re.S):
        command, frame = LANGUAGES[language]
        source = "#include <parallelstate.h>\n" + (text if "int main" in text else frame.format(text))
        done = subprocess.run([*command, "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-I", include, "-"], input=source,
                              text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
        if done.returncode != 0:
            sys.exit(f"{page}: this does not compile:\n{text}\n{done.stdout}")
        compiled += 1
if compiled < len(pages):
    sys.exit("a page has no C or C++: its form has changed")
print(f"{compiled} pieces compile")
