#!/usr/bin/env python3
"""Runs ctest -V and tells what each test proves, one line per case; the whole output of what fails.

  report_tests.py ctest --test-dir build/dev -V

GoogleTest cases are named by their CamelCase titles; test scripts print "ok - what they prove" or
"not ok - what" lines.  A test without cases counts as one.  Ends with "N passed, N failed".
"""
import re
import subprocess
import sys

KEPT_LINES = 400  # Of a failed test's output: enough for a cause, not a flood.

GTEST_END = re.compile(r"\[ +(OK|FAILED|SKIPPED) +\] ([\w/]+)\.([\w/]+)(?:,.*)? \((\d+) ms\)$")
SCRIPT_END = re.compile(r"(ok|not ok|skip) - (.*)$")
CTEST_LINE = re.compile(r" *(\d+): ?(.*)$")
CTEST_START = re.compile(r" +Start +(\d+): (\S+)")
CTEST_END = re.compile(r" *\d+/\d+ Test +#(\d+): (\S+) \.*\s*(\**)(.*?) +([\d.]+) sec")


def words(camel):
    """"BacksOffThenCatches" -> "backs off then catches"; HTTP stays HTTP."""
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", camel)
    return " ".join(p if p.isupper() and len(p) > 1 else p.lower() for p in parts)


class Report:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.output, self.cases, self.broken = {}, {}, {}

    def case(self, number, result, title):
        self.cases[number] = self.cases.get(number, 0) + 1
        if result == "ok":
            self.passed += 1
        elif result == "skip":
            self.skipped += 1
        else:
            self.failed += 1
            self.broken[number] = True
        print(f"  {result.upper() if result != 'ok' else 'ok':4}  {title}", flush=True)

    def test_line(self, number, text):
        self.output.setdefault(number, []).append(text)
        found = GTEST_END.search(text)
        if found:
            result = {"OK": "ok", "FAILED": "FAIL", "SKIPPED": "skip"}[found[1]]
            self.case(number, result, f"{found[2]}: {words(found[3])}")
            if result == "skip":  # GoogleTest prints the reason before.
                reason = next((t for t in reversed(self.output[number][:-1]) if t.strip()), "")
                print(f"        because: {reason}", flush=True)
            return
        found = SCRIPT_END.match(text)
        if found:
            result = {"ok": "ok", "not ok": "FAIL", "skip": "skip"}[found[1]]
            self.case(number, result, found[2])

    def test_end(self, number, name, verdict, seconds):
        good = verdict.strip() in ("Passed", "Skipped")
        if good and not self.cases.get(number):
            self.case(number, "ok" if verdict.strip() == "Passed" else "skip", name)
        if not good and not self.broken.get(number):
            self.case(number, "FAIL", f"{name}: {verdict.strip()}")
        print(f"{'' if good else 'FAILED '}{name} ({seconds} s)", flush=True)
        if not good:
            lines = self.output.get(number, [])
            if len(lines) > KEPT_LINES:
                print(f"    ... {len(lines) - KEPT_LINES} lines before this")
            for line in lines[-KEPT_LINES:]:
                print("    " + line)

    def read(self, line):
        found = CTEST_END.match(line)
        if found:
            self.test_end(found[1], found[2], found[4], found[5])
            return
        found = CTEST_LINE.match(line)
        if found:
            self.test_line(found[1], found[2])


def main():
    report = Report()
    process = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    tail = []
    for raw in process.stdout:
        line = raw.decode("utf-8", "replace").rstrip("\n")
        report.read(line)
        tail = (tail + [line])[-20:]
    code = process.wait()
    if report.passed + report.failed == 0:
        print("\n".join(tail))
        print("no test ran")
        code = code or 1
    if report.skipped:
        print(f"{report.skipped} skipped: what they need is not on this machine (reasons above)")
    if code and not report.failed:
        report.failed = 1
    print(f"{report.passed} passed, {report.failed} failed", flush=True)
    return 1 if code or report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
