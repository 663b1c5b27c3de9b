#!/usr/bin/env python3
"""Scores answers of TestState against the recorded ones, with the recordings' own comparison.

  score_test_state.py RECORDINGS ANSWERS.jsonl      prints each difference and "PASSED n of m"
"""
import json
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
import compare  # noqa: E402

with open(os.path.join(sys.argv[1], "asl_cases.jsonl")) as lines:
    cases = {case["id"]: case for case in map(json.loads, lines) if case["kind"] == "test_state"}
passed = 0
with open(sys.argv[2]) as lines:
    for answer in map(json.loads, lines):
        case = cases[answer["id"]]
        expected, actual = (compare.strip_keys(one, compare.IGNORE_KEYS) for one in
                            (case["expected"], answer.get("response") or answer.get("error")))
        why = compare.match(expected, actual, {}, case.get("placeholders", ()))
        passed += why is None
        if why:
            print(answer["id"], "::", why)
print(f"PASSED {passed} of {len(cases)}")
