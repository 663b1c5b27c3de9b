#!/usr/bin/env python3
"""Runs clang-tidy over every source of the tree that changed since it was last found clean.

  clang_tidy.py BUILD [PATH...]

BUILD is configured with Clang, so the same pass checks -Wthread-safety.  A clean source leaves an
empty file below ~/.cache/stepwell/clang-tidy, named by the hash of its text, of every header of the
tree that it reaches, of its command, of .clang-tidy and of the tool.  Where the tree lies is not
in the hash, so that a fresh clone stands on what another found clean.  With PATHs only the sources
below those.  Exit 1 if anything was found.
"""
import concurrent.futures
import functools
import hashlib
import json
import os
import re
import subprocess
import sys
import time

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), ".."))
TOOL = "clang-tidy-14"
CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"),
                     "stepwell", "clang-tidy")
KEPT_SECONDS = 30 * 24 * 3600  # Of what no run has asked for: the sources went on.
INCLUDE = re.compile(r'^\s*#\s*include\s*["<]([^">]+)[">]', re.M)


@functools.cache
def tool_version():
    return subprocess.run([TOOL, "--version"], capture_output=True, check=True).stdout


class Tree:
    """The text of each file of the tree, and which of them a source reaches."""
    def __init__(self, build):
        self.texts, self.folders = {}, [ROOT, f"{ROOT}/include", f"{build}/generated"]

    def text(self, path):
        if path not in self.texts:
            try:
                with open(path, "rb") as source:
                    self.texts[path] = source.read()
            except OSError:
                self.texts[path] = None
        return self.texts[path]

    def reached(self, path, seen):
        text = self.text(path)
        if text is None or path in seen:
            return seen
        seen.add(path)
        for target in INCLUDE.findall(text.decode("utf-8", "replace")):
            for folder in self.folders + [os.path.dirname(path)]:
                self.reached(os.path.join(folder, target), seen)
        return seen

    def stamp(self, path, command):
        hashed = hashlib.sha256(command.replace(ROOT, ".").encode() + tool_version())
        hashed.update(self.text(f"{ROOT}/.clang-tidy"))
        for file in sorted(self.reached(path, set())):
            hashed.update(os.path.relpath(file, ROOT).encode() + b"\0" + self.text(file))
        return os.path.join(CACHE, hashed.hexdigest())


def check(path, build):
    done = subprocess.run([TOOL, "--quiet", "-p", build, path], capture_output=True, text=True,
                          cwd=ROOT, check=False)
    return done.returncode == 0, done.stdout + ("" if done.returncode == 0 else done.stderr)


def is_known_clean(stamp):
    if not os.path.exists(stamp):
        return False
    os.utime(stamp)
    return True


def forget_old():
    for stamp in os.scandir(CACHE):
        if stamp.stat().st_mtime < time.time() - KEPT_SECONDS:
            os.remove(stamp)


def main():
    if len(sys.argv) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    build, below = os.path.abspath(sys.argv[1]), [os.path.abspath(p) for p in sys.argv[2:]]
    os.makedirs(CACHE, exist_ok=True)
    forget_old()
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as commands:
        entries = {entry["file"]: entry["command"] for entry in json.load(commands)}
    tree, work = Tree(build), []
    for path, command in sorted(entries.items()):
        ours = path.startswith(ROOT + "/") and not path.startswith(os.path.join(ROOT, "build/"))
        if not ours or (below and not any(path == b or path.startswith(b + "/") for b in below)):
            continue
        stamp = tree.stamp(path, command)
        if not is_known_clean(stamp):
            work.append((path, command, stamp))
    print(f"clang-tidy: {len(work)} of {len(entries)} sources are new or changed", flush=True)
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        runs = {pool.submit(check, path, build): (path, command, stamp)
                for path, command, stamp in work}
        for run in concurrent.futures.as_completed(runs):
            path, command, stamp = runs[run]
            clean, output = run.result()
            if clean:
                if Tree(build).stamp(path, command) == stamp:  # Else edited meanwhile.
                    open(stamp, "w", encoding="utf-8").close()
                continue
            failed += 1
            print(f"-- {os.path.relpath(path, ROOT)}\n{output}", flush=True)
    print(f"{'not ok' if failed else 'ok'} - clang-tidy: {failed} sources with findings")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
