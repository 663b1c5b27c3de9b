#!/usr/bin/env bash
# The main job, start to end, where everything goes wrong that can: a backfill of three years
# between two fake vendors with faults, the engine killed in the middle, the failed ranges run
# again, and the proof that the destination holds exactly what it should.  Exit 0 only if all of
# that held.
#   demo.sh STEPWELL
set -euo pipefail
stepwell=$(realpath "$1")
home=$(dirname "$(dirname "$(realpath "${BASH_SOURCE[0]}")")")
place=$(mktemp -d "${TMPDIR:-/tmp}/stepwell-demo.XXXXXX")
chmod 755 "$place"  # As root, the private Postgres runs as another user.
mkdir "$place/workflows"
cp "$home/workflows/historical_backfill.yaml" "$place/workflows/"
cd "$place"
unset STEPWELL_DATABASE_URL
fake="" killer=""

clear_line=""
[ -t 2 ] && clear_line=$'\r\033[K'
step() { local number=$1; shift; printf '%s%2d  %s\n' "$clear_line" "$number" "$*" >&2; }
broken() {
  printf '%sThe demo failed: %s\n    what was said: %s/*.log\n' "$clear_line" "$1" "$place" >&2
  failed=1
  [ "$BASHPID" = $$ ] || kill $$  # From the part that kills the engine: end the rest too.
  exit 1
}
clean_up() {
  local process
  for process in $killer $(cat engine.pid 2>/dev/null || true) $fake; do
    kill "$process" 2>/dev/null || true
  done
  wait 2>/dev/null || true
  # The engine holds this lock until it and its PostgreSQL have ended.
  [ ! -e .stepwell/dev.lock ] || flock --timeout 30 .stepwell/dev.lock true || true
  [ "${failed:-0}" -eq 1 ] || { cd / && rm -rf "$place"; }
}
failed=1  # Until it is known to be well.
trap 'failed_before=$?; [ $failed_before -eq 0 ] && failed=0; clean_up' EXIT
trap 'exit 130' INT TERM

# http METHOD PATH [BODY]: the answer's body.
http() {
  python3 - "$fake_url" "$@" <<'PY'
import sys, urllib.request
url, method, path, *body = sys.argv[1:]
request = urllib.request.Request(url + path, method=method, data="".join(body).encode() or None)
print(urllib.request.urlopen(request, timeout=10).read().decode())
PY
}
# member NAME...: of the JSON object on standard input, and of the objects in it.
member() {
  python3 -c 'import functools, json, sys
print(functools.reduce(dict.get, sys.argv[1:], json.load(sys.stdin)))' "$@"
}

# Waits until FILE has a line that begins with "ready".
wait_ready() {
  for _ in $(seq 600); do
    grep -q '^ready' "$1" 2>/dev/null && return
    sleep 0.1
  done
  cat "$1" >&2
  broken "$2 did not come up"
}

# start_engine LOG PORT
start_engine() {
  : >"$1"
  "$stepwell" dev --port "$2" --fake "$fake_url" --providers "$home/providers" \
    --notify "$place/notifications.log" >"$1.out" 2>"$1" &
  echo $! >engine.pid
  disown  # So that bash does not report its violent end.
  wait_ready "$1" "the engine"
}

day() { date -u -d "$1" +%F; }
today=$(day today) begin=$(day '3 years ago')
bad_from=$(day '400 days ago') bad_to=$(day '396 days ago')

"$stepwell" fake --port 0 --users 1 --years 3 --seed 7 --rough \
  --knobs "{strava: {bad_windows: [{from: $bad_from, to: $bad_to}]}}" >fake.out 2>fake.log &
fake=$!
wait_ready fake.log "the fake"
fake_url=$(head -1 fake.out)
step 1 "Strava and Google Health, faked: errors, lost replies, $bad_from to $bad_to broken"

start_engine engine-1.log 0
port=$(member api_url <.stepwell/dev.json | sed 's/.*://')  # It comes back where it was.
for provider in strava google_health; do
  http GET "/__tokens?provider=$provider&user=1" >tokens.json
  "$stepwell" connect "$provider" --account 1 --tokens @tokens.json \
    --settings "{settle_s: 1}" >>connections
done
{ read -r source && read -r destination; } <connections
step 2 "an engine with a PostgreSQL of its own; connected: $source and $destination"

input="{user: '1', source: '$source', destination: '$destination', type: workout,
  from: $begin, to: $today}"
id=$("$stepwell" exec start historical_backfill --name demo --input "$input" 2>start.log) ||
  { cat start.log >&2; broken "the backfill did not start"; }
step 3 "a backfill of workouts from $begin to $today has begun: $id"

# Waits until a third of the records has arrived.
wait_for_a_third() {
  python3 - "$fake_url/__audit?user=1" <<'PY'
import json, sys, time, urllib.request
while True:
    audit = json.load(urllib.request.urlopen(sys.argv[1], timeout=10))
    if audit["found"] * 3 >= audit["expected"]:
        print(f'{audit["found"]} of {audit["expected"]}')
        break
    time.sleep(0.2)
PY
}
(
  reached=$(wait_for_a_third)
  kill -9 "$(cat engine.pid)"
  step 4 "kill -9 of the engine at $reached records; started again"
  start_engine engine-2.log "$port"
) &
killer=$!

"$stepwell" exec watch "$id" -o json >first.json ||
  broken "the backfill did not end well"
status=$(member output status <first.json)
[ -e engine-2.log ] || broken "it was over before the engine could be killed"
[ "$status" = COMPLETED_WITH_ERRORS ] || broken "it ended $status, expected COMPLETED_WITH_ERRORS"
step 5 "$status; these ranges failed:"
"$stepwell" backfill failed "$id" 2>/dev/null | sed 's/^/    /' >&2

http PUT /__ctl '{"strava": {"bad_windows": []}}' >ctl.log
step 6 "Strava mends those days; only the failed ranges are run again"
"$stepwell" backfill retry "$id" --watch -o json >second.json ||
  broken "the second run did not end well"
status=$(member output status <second.json)
[ "$status" = COMPLETED ] || broken "the second run ended $status, expected COMPLETED"
step 7 "$status"

http GET "/__audit?user=1" >audit.json
for name in expected found missing extra corrupt; do
  declare "$name=$(member "$name" <audit.json)"
done
step 8 "the destination holds $found of $expected records:" \
  "missing $missing, extra $extra, corrupt $corrupt"
[ "$expected" -gt 0 ] && [ "$missing $extra $corrupt" = "0 0 0" ] || broken "that is not exact"
