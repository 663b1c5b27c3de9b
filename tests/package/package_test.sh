#!/usr/bin/env bash
# Installs into an empty prefix, builds examples/embedded against it as a stranger would, and runs
# it on a private Postgres.  Also: what must not compile does not.
#   package_test.sh SOURCE BUILD COMPILER VERSION
set -euo pipefail
source=$1 build=$2 compiler=$3 version=$4
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
chmod 755 "$place"  # The private Postgres may run as another user.

check() {  # check TITLE COMMAND...
  local title=$1; shift
  if "$@" >"$place/log" 2>&1; then
    echo "ok - package: $title"
  else
    echo "not ok - package: $title"
    cat "$place/log"
    exit 1
  fi
}
refuses() { ! "$@"; }

check "installs into a prefix" cmake --install "$build" --prefix "$place/prefix"
check "the header has the version of the build" \
  grep -q "kVersion = \"$version\"" "$place/prefix/include/stepwell/version.h"
check "nothing but the public headers is installed" \
  bash -c "[ \"\$(ls '$place/prefix/include')\" = stepwell ]"
cp -r "$source/examples/embedded" "$place/embedded"
check "find_package(stepwell) configures a stranger's project" \
  cmake -S "$place/embedded" -B "$place/build" -G Ninja -DCMAKE_PREFIX_PATH="$place/prefix" \
  -DCMAKE_CXX_COMPILER="$compiler"
check "the stranger's project builds" cmake --build "$place/build"
check "it runs a workflow in memory" env -u STEPWELL_DATABASE_URL "$place/build/embedded"
check "it runs a workflow to its end on Postgres" \
  "$place/prefix/bin/stepwell" __with_postgres "$place/pg" -- "$place/build/embedded"
cp "$place/log" "$place/said"
check "and says how it ended" grep -q '^SUCCEEDED {"amount":7,"receipt":"r-' "$place/said"
# The program on the page for embedders, word for word.
mkdir "$place/page"
sed -n '/^```cpp$/,/^```$/p' "$source/docs/embedding.md" | sed '/^```/d' >"$place/page/main.cc"
cp "$source/examples/embedded/CMakeLists.txt" "$place/page/"
check "the program in docs/embedding.md configures" \
  cmake -S "$place/page" -B "$place/page/build" -G Ninja -DCMAKE_PREFIX_PATH="$place/prefix" \
  -DCMAKE_CXX_COMPILER="$compiler"
check "... builds" cmake --build "$place/page/build"
check "... and runs" "$place/page/build/embedded"
cp "$place/log" "$place/said"
check "... and prints what the page says" grep -qxF 'SUCCEEDED {"said":"Ada"}' "$place/said"
check "the installed binary finds its workflows" \
  bash -c "cd / && ls '$place/prefix/share/stepwell/workflows'"

compiles() {  # compiles CODE
  printf '#include "base/ids.h"\nusing namespace stepwell;\nvoid take(FrameId) {}\n%s\n' "$1" |
    "$compiler" -std=c++20 -I"$source" -x c++ -fsyntax-only -
}
check "a FrameId may be passed for a FrameId" compiles 'void f() { take(FrameId{1}); }'
check "a StateId may not be passed for a FrameId" refuses compiles 'void f() { take(StateId{1}); }'
check "a number may not be passed for a FrameId" refuses compiles 'void f() { take(1u); }'
