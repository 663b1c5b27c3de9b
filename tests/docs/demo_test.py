#!/usr/bin/env python3
"""The demo does what it should, and README.md shows what it prints.

  demo_test.py SOURCE STEPWELL

Days, ids, counts, what a failed range failed with and how wide a column is are another run's;
what is written over while it runs is not compared.
"""
import os
import re
import subprocess
import sys

SOURCE, STEPWELL = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
PLACEHOLDERS = ((r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID"), (r"\d{4}-\d\d-\d\d", "DAY"),
                (r"\d+ of \d+", "N of N"))


def essence(text):
    """The numbered lines with placeholders; of the table its head, and as how many cells each of
    its rows has."""
    lines = []
    for line in re.findall(r"^(?: \d|   ) .*$", text, re.M):
        if line.startswith("    "):
            cells = re.split(r"  +", line.strip())
            is_head = not lines[-1].startswith("    ")
            line = "    " + (", ".join(cells) if is_head else f"{len(cells)} cells")
        for pattern, word in PLACEHOLDERS:
            line = re.sub(pattern, word, line)
        if line not in lines[-1:]:  # More than one range may fail.
            lines.append(line)
    return "\n".join(lines)


def main():
    demo = subprocess.run(["bash", os.path.join(SOURCE, "tools/demo.sh"), STEPWELL],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    print(demo.stdout)
    if demo.returncode != 0:
        print(f"not ok - the demo: exit {demo.returncode}")
        return 1
    with open(os.path.join(SOURCE, "README.md"), encoding="utf-8") as page:
        block = re.search(r"^\$ \./dev demo\n(.*?)^```", page.read(), re.M | re.S)[1]
    shown, printed = essence(block), essence(demo.stdout)
    if shown != printed:
        print(f"not ok - README.md shows what the demo prints\n--- shown\n{shown}\n"
              f"--- printed\n{printed}")
        return 1
    print("ok - the demo, as README.md shows it")
    return 0


if __name__ == "__main__":
    sys.exit(main())
