#!/usr/bin/env python3
"""The pages that speak of the code speak of what is there.

docs/protocol.md names tests and functions that exist, and every race that is a test;
docs/formats.md every fact and every semantics of step(); docs/TOUR.md files, seven of them to read.

  code_pages_test.py SOURCE
"""
import glob
import os
import re
import sys

SOURCE = os.path.abspath(sys.argv[1])
RACES = range(1, 19)
TOUR_FILES, TOUR_LINES = 7, 1_500
# No test can be named: the page must say why, in place of one.
WITHOUT_TEST = {15: "no child executions"}

failures = 0


def verdict(good, title, page="protocol"):
    global failures
    failures += not good
    print(f"{'ok' if good else 'not ok'} - docs/{page}.md: {title}", flush=True)


def read(path):
    with open(path, encoding="utf-8") as text:
        return text.read()


def check_formats():
    page = read(f"{SOURCE}/docs/formats.md")
    header, source = (read(f"{SOURCE}/engine/step/fact.{end}") for end in ("h", "cc"))
    kinds = dict(re.findall(r"^  k(\w+) = (\d+),$", header.split("enum class FactKind")[1], re.M))
    names = dict(re.findall(r'case FactKind::k(\w+): return "(\w+)";', source))
    verdict(bool(kinds) and kinds.keys() == names.keys(), "the kinds of facts were read",
            "formats")
    rows = dict(re.findall(r"^\| (\d+) \| `(\w+)` \|", page, re.M))
    for kind, number in kinds.items():
        verdict(rows.get(number) == names.get(kind), f"{number} is {names.get(kind)}", "formats")
    for number in sorted(set(rows) - set(kinds.values())):
        verdict(False, f"{number} is no kind of fact", "formats")
    newest = int(re.search(r"kSemantics = (\d+);", header)[1])
    told = [int(n) for n in re.findall(r"^\| (\d+) \| [^|]+ \|$", page, re.M)]
    verdict(told == list(range(1, newest + 1)), f"semantics 1 to {newest} are told", "formats")


def check_tour():
    page = read(f"{SOURCE}/docs/TOUR.md")
    stops = re.findall(r"^\| \d+ \| `([^`]+)` \|", page, re.M)
    verdict(len(stops) == TOUR_FILES, f"{TOUR_FILES} files", "TOUR")
    lines = 0
    for path in sorted(set(re.findall(r"`(\w+(?:/\w+)+(?:\.\w+)?)`", page))):
        there = os.path.exists(os.path.join(SOURCE, path))
        verdict(there, f"{path} is there", "TOUR")
        if there and path in stops:
            lines += read(os.path.join(SOURCE, path)).count("\n")
    verdict(0 < lines <= TOUR_LINES, f"{lines} lines, at most {TOUR_LINES}", "TOUR")


def check_protocol():
    page = read(f"{SOURCE}/docs/protocol.md")
    tests = set()
    for path in glob.glob(f"{SOURCE}/tests/**/*.cc", recursive=True):
        for suite, name in re.findall(r"^TEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\)", read(path), re.M):
            tests.add(f"{suite}.{name}")
    functions = set()
    for path in glob.glob(f"{SOURCE}/sql/engine/**/*.sql", recursive=True):
        functions.update(re.findall(r"CREATE (?:OR REPLACE )?FUNCTION (stepwell_\w+)", read(path)))
    plain = {re.sub(r"_v\d+$", "", name) for name in functions}
    rows = dict(re.findall(r"^\| R(\d+) \|.*\| ([^|]+) \|$", page, re.M))

    for race in RACES:
        named = re.findall(r"`(\w+\.\w+)`", rows.get(str(race), ""))
        if race in WITHOUT_TEST:
            verdict(WITHOUT_TEST[race] in rows.get(str(race), ""),
                    f"R{race} says why it has no test")
        else:
            verdict(bool(named), f"R{race} names its test")
    for test in sorted(set(re.findall(r"`([A-Z]\w+\.[A-Z]\w+)`", page))):
        verdict(test in tests, f"{test} is a test")
    for suite in sorted({test.split(".")[0] for test in tests}):
        if re.fullmatch(r"R\d+", suite):
            verdict(f"`{suite}." in page, f"the tests of {suite} are on the page")
    for name in sorted(set(re.findall(r"`(stepwell_\w+)`", page))):
        verdict(name in plain | functions, f"{name} is a function of sql/engine")

def main():
    check_protocol()
    check_formats()
    check_tour()
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
