#!/usr/bin/env bash
# fuzz.sh BUILD [TARGET...] [--minutes M] [--keep]: looks for inputs that break a target of
# tests/fuzz, beginning with the kept ones.  What is found stays in BUILD/fuzz/TARGET/found;
# --keep replaces the kept inputs by as few as cover the same code (those named found_* stay).
set -euo pipefail

build=$1; shift
minutes=10 keep=false targets=()
all=(json jsonpath jsonata pictures yaml step http)
while [ $# -gt 0 ]; do
  case $1 in
    --minutes)
      minutes=${2:-}
      if ! [[ $minutes =~ ^[1-9][0-9]*$ ]]; then
        echo "fuzz: --minutes takes a whole number" >&2
        exit 2
      fi
      shift ;;
    --keep) keep=true ;;
    *)
      if [ ! -x "$build/fuzz_$1" ]; then
        echo "fuzz: there is no target \"$1\"; there are: ${all[*]}" >&2
        exit 2
      fi
      targets+=("$1") ;;
  esac
  shift
done
[ ${#targets[@]} -gt 0 ] || targets=("${all[@]}")

# At most so many files, those first that the merge wrote first, as they cover most: every one runs
# again with each `./dev test`.
most_kept=250
keep_corpus() {
  local target=$1 corpus=tests/fuzz/corpus/$1 work=$build/fuzz/$1 file
  rm -rf "$work/least" && mkdir -p "$work/least"
  "$build/fuzz_$target" -set_cover_merge=1 "$work/least" "$work/corpus" "$corpus" \
    2>"$work/merge.log"
  find "$corpus" -type f ! -name 'found_*' -delete
  ls -tr "$work/least" | sed -n "1,${most_kept}p" | while read -r file; do
    cp "$work/least/$file" "$corpus/${file:0:12}"
  done
  echo "$target: $(ls "$corpus" | wc -l) inputs kept"
}

failed=()
for target in "${targets[@]}"; do
  work=$build/fuzz/$target
  mkdir -p "$work/corpus" "$work/found"
  echo "== $target: $minutes min; the log is $work/log" >&2
  if ! nice -n 19 "$build/fuzz_$target" -max_total_time=$((minutes * 60)) -timeout=10 \
      -max_len=2000 -rss_limit_mb=2048 -dict="tests/fuzz/dictionary/$target.txt" \
      -print_final_stats=1 -artifact_prefix="$work/found/" \
      "$work/corpus" "tests/fuzz/corpus/$target" >"$work/log" 2>&1
  then
    grep -m 3 -E 'what\(\)|ERROR|runtime error' "$work/log" >&2 || tail -3 "$work/log" >&2
    echo "found: $(ls -t "$work/found"/* | head -1)" >&2
    echo "  see it again: $build/fuzz_$target FILE; then keep it, as" \
      "tests/fuzz/corpus/$target/found_WHAT" >&2
    failed+=("$target")
    continue
  fi
  grep -E 'stat::number_of_executed_units|DONE' "$work/log" | sed "s/^/$target: /"
  if $keep; then keep_corpus "$target"; fi
done
[ ${#failed[@]} -eq 0 ] || { echo "broken: ${failed[*]}" >&2; exit 1; }
