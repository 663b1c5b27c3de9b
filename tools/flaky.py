#!/usr/bin/env python3
"""Runs the tests labelled `timing` again and again on a busy machine, and says which ever failed.

  flaky.py BUILD [--runs N] [--tests REGEX]

A test that uses a clock, a thread or the database may pass on a quiet machine and fail on a busy
one.  Two processes that only burn time run beside the tests and end with them.  The output of each
run with a failure is kept in BUILD/flaky/.  Exit 1 if any test failed in any run.
"""
import argparse
import os
import subprocess
import sys
import time

from report_tests import CTEST_END, CTEST_LINE, GTEST_END, SCRIPT_END

RUNS = 20
BURNERS = 2
RUN_LIMIT_SECONDS = 1800  # Of one run; a burner ends by then even if nobody ends it.
BURN = f"""
import os, time
parent, end = os.getppid(), time.monotonic() + {RUN_LIMIT_SECONDS}
while os.getppid() == parent and time.monotonic() < end:
    sum(range(100000))
"""


class Failures:
    """(ctest's name, case) -> the runs in which it failed."""
    def __init__(self):
        self.runs = {}

    def read(self, run, lines):
        """Whether a test ran at all."""
        cases, ended = {}, False
        for line in lines:
            end = CTEST_END.match(line)
            if end:
                ended = True
                failed = cases.pop(end[1], [])
                if end[4].strip() not in ("Passed", "Skipped"):
                    for case in failed or [None]:  # No case: a crash, or a timeout.
                        self.runs.setdefault((end[2], case), []).append(run)
                continue
            found = CTEST_LINE.match(line)
            if not found:
                continue
            case = GTEST_END.search(found[2])
            if case and case[1] == "FAILED":
                cases.setdefault(found[1], []).append(f"{case[2]}.{case[3]}")
            case = SCRIPT_END.match(found[2])
            if case and case[1] == "not ok":
                cases.setdefault(found[1], []).append(case[2])
        return ended

    def show(self, build, runs):
        for (test, case), failed in sorted(self.runs.items(), key=lambda one: -len(one[1])):
            print(f"{len(failed)} of {runs}  {test}: {case or 'crashed, or took too long'}")
            binary = os.path.join(build, test)
            if case and os.path.exists(binary):
                print(f"    {binary} --gtest_filter='{case}' --gtest_repeat=100")
            else:
                print(f"    ctest --test-dir {build} -R '^{test}$' --repeat until-fail:20 "
                      "--output-on-failure")
            print(f"    its output: {build}/flaky/run-{failed[0]}.log")


def run_once(options, log):
    burners = [subprocess.Popen([sys.executable, "-c", BURN]) for _ in range(BURNERS)]
    try:
        command = ["ctest", "--test-dir", options.build, "-V", "-L", "^timing$", "--parallel",
                   str(os.cpu_count())]
        command += ["-R", options.tests] if options.tests else []
        with open(log, "wb") as out:
            code = subprocess.run(command, stdout=out, stderr=subprocess.STDOUT, check=False,
                                  timeout=RUN_LIMIT_SECONDS).returncode
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()
    with open(log, encoding="utf-8", errors="replace") as text:
        return code, text.read().splitlines()


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("build")
    arguments.add_argument("--runs", type=int, default=RUNS)
    arguments.add_argument("--tests", help="only those whose name matches")
    options = arguments.parse_args()
    options.build = os.path.relpath(options.build)
    if options.runs < 1:
        arguments.error("--runs is at least 1")
    folder = os.path.join(options.build, "flaky")
    os.makedirs(folder, exist_ok=True)
    failures = Failures()
    for run in range(1, options.runs + 1):
        log, begun = os.path.join(folder, f"run-{run}.log"), time.monotonic()
        code, lines = run_once(options, log)
        if not failures.read(run, lines):
            print("\n".join(lines[-20:]))
            print("no test ran")
            return 1
        count = sum(run in runs for runs in failures.runs.values())
        print(f"run {run} of {options.runs}: {count} failed, "
              f"{time.monotonic() - begun:.0f} s", flush=True)
        if code == 0:
            os.remove(log)
        elif not count:
            print("\n".join(lines[-20:]))
            return 1
    failures.show(options.build, options.runs)
    if not failures.runs:
        print(f"no test failed in {options.runs} runs under load")
    return 1 if failures.runs else 0


if __name__ == "__main__":
    sys.exit(main())
