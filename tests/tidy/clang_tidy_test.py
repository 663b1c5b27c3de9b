#!/usr/bin/env python3
"""tools/clang_tidy.py looks at every source once, and again when what it reads has changed.

A fake in place of the tool finds fault with the word BAD and leaves the list of what it was given.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

TOOL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tools/clang_tidy.py")
FAKE = """#!/bin/sh
[ "$1" != --version ] || { cat "$FAKE_VERSION"; exit; }
for source; do :; done
echo "$source" >>"$FAKE_SEEN"
! grep -n BAD "$source"
"""
SOURCES = {"a/one.cc": '#include "a/word.h"\n', "a/two.cc": "int two;\n", "a/word.h": "int word;\n",
           ".clang-tidy": "Checks: '*'\n"}
failures = 0


def verdict(good, title, why):
    global failures
    failures += not good
    print(f"{'ok' if good else 'not ok'} - clang-tidy: {title}", flush=True)
    if not good:
        print(why)


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)


def make_tree(tree):
    for name, text in SOURCES.items():
        write(f"{tree}/{name}", text)
    os.makedirs(f"{tree}/tools")
    shutil.copy(TOOL, f"{tree}/tools/")
    write(f"{tree}/b/compile_commands.json", json.dumps([
        {"file": f"{tree}/{name}", "command": f"c++ -I{tree} {name}", "directory": tree}
        for name in ("a/one.cc", "a/two.cc")]))


class Runs:
    def __init__(self, folder):
        self.folder, self.seen = folder, f"{folder}/seen"
        write(f"{folder}/bin/clang-tidy-14", FAKE)
        os.chmod(f"{folder}/bin/clang-tidy-14", 0o755)
        write(f"{folder}/version", "14")

    def run(self, tree):
        """Exit code, the sources that the tool was given, and what was printed."""
        write(self.seen, "")
        done = subprocess.run(
            [sys.executable, f"{tree}/tools/clang_tidy.py", f"{tree}/b"], capture_output=True,
            text=True, check=False, env=dict(
                os.environ, PATH=f"{self.folder}/bin:{os.environ['PATH']}", FAKE_SEEN=self.seen,
                FAKE_VERSION=f"{self.folder}/version", XDG_CACHE_HOME=f"{self.folder}/cache"))
        with open(self.seen, encoding="utf-8") as seen:
            sources = sorted(os.path.relpath(line, tree) for line in seen.read().split())
        return done.returncode, sources, done.stdout + done.stderr

    def expect(self, tree, code, sources, title):
        got = self.run(tree)
        verdict(got[:2] == (code, sources), title, got)
        return got[2]


BOTH = ["a/one.cc", "a/two.cc"]
with tempfile.TemporaryDirectory() as folder:
    runs, tree, clone = Runs(folder), f"{folder}/tree", f"{folder}/clone"
    make_tree(tree)
    runs.expect(tree, 0, BOTH, "looks at every source")
    runs.expect(tree, 0, [], "not again at what was found clean")
    make_tree(clone)
    runs.expect(clone, 0, [], "nor in a clone that lies elsewhere")
    write(f"{tree}/a/word.h", "int other;\n")
    runs.expect(tree, 0, ["a/one.cc"], "at the sources that reach a header which changed")
    write(f"{tree}/a/two.cc", "int BAD;\n")
    told = runs.expect(tree, 1, ["a/two.cc"], "is red when something is found")
    verdict("-- a/two.cc\n1:int BAD;\n" in told, "says where, and what", told)
    runs.expect(tree, 1, ["a/two.cc"], "and stays red until it is mended")
    write(f"{tree}/a/two.cc", "int two;\n")
    write(f"{folder}/version", "14.1")
    runs.expect(tree, 0, BOTH, "looks at all with another version of the tool")
    write(f"{tree}/.clang-tidy", "Checks: '-*'\n")
    runs.expect(tree, 0, BOTH, "and when the checks are others")
sys.exit(1 if failures else 0)
