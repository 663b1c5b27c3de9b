#!/usr/bin/env python3
"""tools/flaky.py finds the test that fails once in three, and says how to see it."""
import os
import subprocess
import sys
import tempfile

FLAKY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tools/flaky.py")
# `sometimes` counts its runs in a file and fails in the second; `other` has another label.
TESTS = r"""
add_test(steady "sh" "-c" "echo 'ok - stands'")
set_tests_properties(steady PROPERTIES LABELS "timing")
add_test(sometimes "sh" "-c"
  "echo >>@count; [ $(wc -l <@count) != 2 ] || { echo 'not ok - falls'; exit 1; }")
set_tests_properties(sometimes PROPERTIES LABELS "unit;timing")
add_test(other "sh" "-c" "exit 1")
set_tests_properties(other PROPERTIES LABELS "timing-not")
"""
failures = 0


def verdict(good, title, why):
    global failures
    failures += not good
    print(f"{'ok' if good else 'not ok'} - flaky: {title}", flush=True)
    if not good:
        print(why)


def flaky(folder, *arguments):
    return subprocess.run([sys.executable, FLAKY, "b", *arguments], capture_output=True, text=True,
                          cwd=folder, check=False)


with tempfile.TemporaryDirectory() as folder:
    os.makedirs(f"{folder}/b")
    with open(f"{folder}/b/CTestTestfile.cmake", "w", encoding="utf-8") as out:
        out.write(TESTS.replace("@count", f"{folder}/count"))
    done = flaky(folder, "--runs", "3")
    lines = done.stdout.splitlines()
    verdict(done.returncode == 1 and lines[3:] == [
        "1 of 3  sometimes: falls",
        "    ctest --test-dir b -R '^sometimes$' --repeat until-fail:20 --output-on-failure",
        "    its output: b/flaky/run-2.log"], "names what failed, how often, and how to see it",
            done.stdout + done.stderr)
    verdict([line.split(",")[0] for line in lines[:3]] == [
        "run 1 of 3: 0 failed", "run 2 of 3: 1 failed", "run 3 of 3: 0 failed"],
            "tells of each run", done.stdout)
    verdict(os.listdir(f"{folder}/b/flaky") == ["run-2.log"], "keeps the output of bad runs alone",
            str(os.listdir(f"{folder}/b/flaky")))
    done = flaky(folder, "--runs", "1", "--tests", "steady")
    verdict(done.returncode == 0 and done.stdout.splitlines()[1] ==
            "no test failed in 1 runs under load", "is green when all are", done.stdout)
    done = flaky(folder, "--runs", "1", "--tests", "nothing")
    verdict(done.returncode == 1 and done.stdout.endswith("no test ran\n"),
            "is red when no test ran", done.stdout)
sys.exit(1 if failures else 0)
