"""A plugin exports its entry and nothing else: what it was built on, such as Gloo as an archive, must not answer to the
program's own use of it.

usage: plugin_exports.py ps_NAME.so"""

import subprocess
import sys

symbols = subprocess.run(["nm", "-D", "--defined-only", sys.argv[1]], check=True, capture_output=True, text=True).stdout
exported = sorted(line.split()[1:] for line in symbols.splitlines())
expected = [["T", "psPluginQuery"]]
print("\n".join(f"{name} is exported as kind '{kind}'" for kind, name in exported) or "nothing is exported")
sys.exit(exported != expected)
