#!/usr/bin/env bash
# How much faster than the JavaScript reference (npm jsonata) our JSONata is: per case, and as a
# geometric mean over the cases that take the reference measurable time.
#   tools/jsonata_speed.sh BUILD_FOLDER CASES.jsonl DATASETS.json [-v]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
bench=$1/stepwell-bench cases=$2 datasets=$3
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
(cd "$folder" && npm init -y >/dev/null && npm install --silent jsonata@2 >/dev/null)
"$bench" jsonata "$cases" "$datasets" >"$folder/ours.jsonl"
node "$here/jsonata_speed.mjs" "$folder" "$cases" "$datasets" >"$folder/theirs.jsonl"
python3 - "$folder" "${4:-}" <<'PYTHON'
import json, math, sys
folder, verbose = sys.argv[1:3]
read = lambda name: {r["id"]: r["ns"] for r in map(json.loads, open(f"{folder}/{name}.jsonl"))}
ours, theirs = read("ours"), read("theirs")
both = sorted(ours.keys() & theirs.keys(), key=lambda case: theirs[case] / ours[case])
kMeasurable = 100_000  # ns of the reference: below, it is mostly the cost of a promise.
slow = [case for case in both if theirs[case] >= kMeasurable]
mean = lambda cases: math.exp(sum(math.log(theirs[c] / ours[c]) for c in cases) / len(cases))
for case in (both if verbose else slow):
    print(f"{theirs[case] / ours[case]:8.1f} x  {ours[case] / 1000:10.1f} us  "
          f"{theirs[case] / 1000:10.1f} us  {case}")
print(json.dumps({"cases": len(both), "ratio": round(mean(both), 1),
                  "measurable": len(slow), "ratio_measurable": round(mean(slow), 1),
                  "slowest_ratio": round(theirs[slow[0]] / ours[slow[0]], 2)}))
PYTHON
