# Runs checks and counts what passed. Sourced by `dev`.
# A runner prints lines "COUNT passed failed skipped"; the report adds them up.

# Nothing hangs for ever: a runner that takes longer than this is ended, and has failed.
patience=(timeout -k 10 1200)

count() { echo "COUNT $1 $2 ${3:-0}"; }

# Runs a GoogleTest binary and counts by its own summary. If it dies, that is one more failure.
run_gtest() {
  local log status passed failed skipped
  log=$(mktemp)
  "${patience[@]}" "$@" --gtest_brief=1 2>&1 | tee "$log"
  status=${PIPESTATUS[0]}
  passed=$(sed -n 's/^\[  PASSED  \] \([0-9]*\) tests\?.*/\1/p' "$log" | tail -1)
  failed=$(grep -cE '^\[  FAILED  \] .*\([0-9]+ ms\)$' "$log")
  skipped=$(sed -n 's/^\[  SKIPPED \] \([0-9]*\) tests\?.*/\1/p' "$log" | tail -1)
  rm -f "$log"
  if [ -z "$passed" ] || { [ "$status" != 0 ] && [ "$failed" = 0 ]; }; then
    echo "FAILED $1 ended with status $status"
    failed=$((failed + 1))
  fi
  count "${passed:-0}" "$failed" "${skipped:-0}"
}

run_unit_tests() {
  local binary any=0
  for binary in build/"$1"/tests/*_tests; do
    [ -x "$binary" ] || continue
    any=1
    run_gtest "$binary"
  done
  [ $any = 1 ] || { echo "no unit tests in build/$1"; return 1; }
}

# Runs a Python runner whose last line is "N passed, N failed"; skips are in "N skipped" lines.
run_counted() {
  local log passed failed skipped
  log=$(mktemp)
  "${patience[@]}" /usr/bin/python3 "$@" 2>&1 | tee "$log"
  read -r passed failed < <(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p' "$log" | tail -1)
  skipped=$(sed -n 's/.* \([0-9]*\) skipped.*/\1/p' "$log" | awk '{n += $1} END {print n + 0}')
  rm -f "$log"
  [ -n "${passed:-}" ] || { echo "FAILED $1 printed no counts"; passed=0 failed=1; }
  count "$passed" "$failed" "$skipped"
}

# The same for runs whose unit is a random command: the run counts as one test, not as a million.
run_counted_once() {
  local log failed
  log=$(mktemp)
  "${patience[@]}" /usr/bin/python3 "$@" 2>&1 | tee "$log"
  if [ "${PIPESTATUS[0]}" = 0 ]; then
    count 1 0
  else
    failed=$(sed -n 's/^[0-9]* passed, \([0-9]*\) failed$/\1/p' "$log" | tail -1)
    count 0 "$((${failed:-0} > 0 ? failed : 1))"
  fi
  rm -f "$log"
}

run_pytest() {
  local log status
  log=$(mktemp)
  "${patience[@]}" /usr/bin/python3 -m pytest -q -p no:cacheprovider "$@" 2>&1 | tee "$log"
  status=${PIPESTATUS[0]}
  count_pytest "$(tail -n 1 "$log")" "$status"
  rm -f "$log"
}

# count_pytest "3 failed, 120 passed, 2 skipped, 1 error in 30s" STATUS
count_pytest() {
  local passed failed errors skipped
  passed=$(grep -oE '[0-9]+ passed' <<<"$1")
  failed=$(grep -oE '[0-9]+ failed' <<<"$1")
  errors=$(grep -oE '[0-9]+ error' <<<"$1")
  skipped=$(grep -oE '[0-9]+ skipped' <<<"$1")
  failed=${failed%% *} errors=${errors%% *} passed=${passed%% *} skipped=${skipped%% *}
  failed=$((${failed:-0} + ${errors:-0}))
  [ "$2" = 0 ] || [ $failed != 0 ] || failed=1
  count "${passed:-0}" "$failed" "${skipped:-0}"
}
