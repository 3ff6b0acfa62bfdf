"""The README does what it prints. Its fenced blocks are followed in order, in one folder that stands for the checkout:

    ```c hello.c      a block with a file name is written to that file
    ```sh             is run by a shell; what one block exports the next sees
    ```text           every line of it must be among what the sh block before it printed, in any order

Indented blocks and other fences are for reading. Usage: readme.py README.md CHECKOUT [NAME=VALUE of the environment...]
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

DEADLINE_S = 300
FENCE = re.compile(r"^```(\w+)(?: +(\S+))?\n(.*?)^```$", re.M | re.S)


def follow(readme, folder, environment):
    """Stops at the first block that does not do what it says. Returns how many there were of each kind."""
    files = commands = expectations = 0
    printed = ""
    for language, name, body in FENCE.findall(readme.read_text()):
        if name:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(body)
            files += 1
        elif language == "sh":
            script = f"set -euo pipefail\n{body}\nexport -p > {folder}/.environment\n"
            before = folder / ".environment"
            if before.exists():
                script = f". {before}\n{script}"
            run = subprocess.run(["bash", "-c", script], cwd=folder, env=environment, timeout=DEADLINE_S, text=True,
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            printed = run.stdout
            print(f"--- ran\n{body}--- it printed\n{printed}", flush=True)
            if run.returncode != 0:
                raise SystemExit(f"the block ended with status {run.returncode}")
            commands += 1
        elif language == "text":
            missing = [line for line in body.splitlines() if line.strip() and line not in printed.splitlines()]
            if missing:
                raise SystemExit("the README promises lines that were not printed:\n" + "\n".join(missing))
            expectations += 1
    return files, commands, expectations


def main():
    readme, checkout = Path(sys.argv[1]), Path(sys.argv[2])
    with tempfile.TemporaryDirectory(prefix="readme-") as folder:
        folder = Path(folder)
        for entry in checkout.iterdir():
            (folder / entry.name).symlink_to(entry)
        (folder / ".home").mkdir()
        environment = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C.UTF-8", "HOME": str(folder / ".home")}
        environment.update(pair.split("=", 1) for pair in sys.argv[3:])
        files, commands, expectations = follow(readme, folder, environment)
    print(f"{files} files, {commands} blocks of commands, {expectations} blocks of output")
    for language in ("c", "python", "rust", "go"):
        if not re.search(rf"^```{language} \S+\n", readme.read_text(), re.M):
            raise SystemExit(f"the README has no program in {language}")


if __name__ == "__main__":
    main()
