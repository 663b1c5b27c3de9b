#!/usr/bin/env python3
"""The page of licences names what the tree uses and what the binary links.

  licences_test.py SOURCE BUILD
"""
import os
import re
import subprocess
import sys

SOURCE, BUILD = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])


def read(path):
    with open(os.path.join(SOURCE, path), encoding="utf-8") as page:
        return page.read()


def third_parties():
    """The third column of the table of modules, which tidy holds the code to."""
    for line in read("docs/ARCHITECTURE.md").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("| `") and len(cells) == 4 and cells[2] not in ("–", "-", ""):
            yield from (name.strip() for name in cells[2].split(","))


def main():
    failures = 0
    used = sorted(set(third_parties()))
    rows = re.findall(r"^\| ([^|]+?) \| `", read("docs/licences.md"), re.M)
    named = {name for row in rows for name in row.split(", ")}  # One package may bring two.
    for name in used:
        failures += name not in named
        print(f"{'ok' if name in named else 'not ok'} - docs/licences.md names {name}")
    if not used:
        failures += 1
        print("not ok - docs/ARCHITECTURE.md: no third party could be read from the table")
    checked = subprocess.run([sys.executable, os.path.join(SOURCE, "tools/licences.py"), "check",
                              BUILD], check=False)
    return 1 if failures or checked.returncode else 0


if __name__ == "__main__":
    sys.exit(main())
