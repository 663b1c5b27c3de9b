#!/usr/bin/env python3
"""Every test that uses a clock, a thread or the database has the label `timing`: by it ./dev flaky
and the preset tsan find what they run.

  timing_test.py SOURCE BUILD
"""
import json
import os
import re
import subprocess
import sys

SOURCE, BUILD = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
SIGN = re.compile(r"#include <(thread|condition_variable|future)>|base/sync/|"
                  r"\b(steady_clock|system_clock)::now|\bstd::async\b")


def labels():
    shown = subprocess.run(["ctest", "--test-dir", BUILD, "--show-only=json-v1"], check=True,
                           capture_output=True, text=True).stdout
    return {test["name"]: next((p["value"] for p in test.get("properties", [])
                                if p["name"] == "LABELS"), [])
            for test in json.loads(shown)["tests"]}


def sign_in(path, seen):
    """A line of the file, or of a header of the tests that it includes, that says so."""
    if path in seen or not os.path.exists(os.path.join(SOURCE, path)):
        return None
    seen.add(path)
    with open(os.path.join(SOURCE, path), encoding="utf-8") as source:
        text = source.read()
    found = SIGN.search(text)
    if found:
        return f"{path}: {found[0]}"
    for header in re.findall(r'#include "(tests/[^"]+)"', text):
        found = sign_in(header, seen)
        if found:
            return found
    return None


def main():
    known, failures, checked = labels(), 0, 0
    with open(os.path.join(BUILD, "compile_commands.json"), encoding="utf-8") as commands:
        entries = json.load(commands)
    reasons = {name: "the label postgres" for name, has in known.items() if "postgres" in has}
    for entry in entries:
        target = re.search(r"CMakeFiles/([\w-]+)\.dir", entry["command"])
        path = os.path.relpath(entry["file"], SOURCE)
        if target and target[1] in known and path.startswith("tests/"):
            checked += 1
            sign = sign_in(path, set())
            if sign:
                reasons.setdefault(target[1], sign)
    for name, reason in sorted(reasons.items()):
        good = "timing" in known[name]
        failures += not good
        print(f"{'ok' if good else 'not ok'} - {name} is labelled timing ({reason})")
    if not checked:
        failures += 1
        print("not ok - no source of a test was found")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
