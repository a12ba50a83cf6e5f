# Runs parts of the tests and reports the results. Sourced by `dev`.

total_passed=0 total_failed=0 total_skipped=0

# Runs one part with its output in a log, prints its counts and its time, and goes on whatever the
# result. A part that fails without saying what failed counts as one failure.
run_part() {
  local name=$1 log=build/logs/$1.log started=$SECONDS status passed failed skipped
  ! terminal || printf '%-13s …\r' "$name"
  ("part_$name") >"$log" 2>&1 </dev/null
  status=$?
  read -r passed failed skipped < <(awk '$1 == "COUNT" {p += $2; f += $3; s += $4}
    END {print p + 0, f + 0, s + 0}' "$log")
  [ $status = 0 ] || [ "$failed" != 0 ] || failed=1
  [ "$((passed + failed + skipped))" != 0 ] || failed=1
  printf '%-13s %7d passed %4d failed %4d skipped  %3d:%02d\n' "$name" "$passed" "$failed" "$skipped" \
    $(((SECONDS - started) / 60)) $(((SECONDS - started) % 60))
  [ "$failed" = 0 ] || show_failure "$log"
  total_passed=$((total_passed + passed)) total_failed=$((total_failed + failed))
  total_skipped=$((total_skipped + skipped))
}

# Prints the first failures, each with a few lines around it, then the end of the log.
show_failure() {
  grep -naE -B 2 -A 8 '^\[  FAILED  \] .* ms\)$|: Failure$|^FAILED |^E  |WARNING: ThreadSanitizer|ERROR: .*Sanitizer|runtime error:' "$1" |
    head -n 60 | cut -c-300 | sed 's/^/    /'
  echo "    …"
  grep -av '^COUNT ' "$1" | tail -n 30 | cut -c-300 | sed 's/^/    /'
  echo "    (all of it: $1)"
}

closing_line() {
  local line="$total_passed passed, $total_failed failed"
  [ $total_skipped = 0 ] || line+=", $total_skipped skipped"
  echo "$line"
}

verb_test() {
  local name chosen=("$@")
  [ $# -gt 0 ] || chosen=("${parts[@]}")
  [ "$*" != quick ] || { chosen=("${quick_parts[@]}") quick=1; }
  for name in "${chosen[@]}"; do
    declare -F "part_$name" >/dev/null || die "no part '$name'; there are: ${parts[*]}, or quick for some"
  done
  mkdir -p build/logs
  for name in "${chosen[@]}"; do run_part "$name"; done
  printf 'took %d:%02d\n' $((SECONDS / 60)) $((SECONDS % 60))
  closing_line
  [ $total_failed = 0 ]
}

# Runs one part alone, with its output on the terminal.
verb_part() {
  local output status
  mkdir -p build/logs
  output=$(mktemp)
  ("part_$@") 2>&1 | tee "$output" | grep --line-buffered -v '^COUNT '
  status=${PIPESTATUS[0]}
  read -r total_passed total_failed total_skipped < <(awk '$1 == "COUNT" {p += $2; f += $3; s += $4}
    END {print p + 0, f + 0, s + 0}' "$output")
  rm -f "$output"
  closing_line
  [ "$status" = 0 ] && [ "$total_failed" = 0 ]
}
