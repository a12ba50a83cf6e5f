# The parts of `./dev test`, one function each. Sourced by `dev`.

# `asan` and `tsan` run the unit tests, so a third build for `unit` is left to `quick`.
parts=(format structure conformance differential integration crash asan tsan lint fuzz package)
# `./dev test quick`: these, and only the beginning of the differential run.
quick_parts=(format structure unit conformance differential)
quick=
# The fuzzers share this many seconds of wall time, unless an argument says how long each runs.
fuzz_seconds=150

part_format() {
  need clang-format-19
  local files bad log=build/logs/format-findings.log
  mapfile -t files < <(tracked '*.h' '*.cc')
  printf '%s\n' "${files[@]}" | xargs -P "$jobs" -n 40 clang-format-19 --dry-run -Werror >"$log" 2>&1
  cat "$log"
  bad=$(sed -n 's/^\([^: ]*\):[0-9].* error: .*/\1/p' "$log" | sort -u | wc -l)
  [ "$bad" != 0 ] || [ ! -s "$log" ] || bad=1
  count $((${#files[@]} - bad)) "$bad"
}

part_structure() {
  need python3
  run_counted tests/structure/run.py
}

# clang-tidy compiles with the flags, the precompiled headers and the batches of the lint preset, since
# most of its time goes into the headers; it also reports what clang's lock analysis finds.
part_lint() {
  need "${build_packages[@]}" "${unit_packages[@]}" "${clang_packages[@]}"
  local units files bad headers log=build/logs/findings.log
  configure lint || return 1
  mapfile -t headers < <(ninja -C build/lint -t targets all | sed -n 's/^\(CMakeFiles.*cmake_pch.hxx.pch\): .*/\1/p')
  compile lint "${headers[@]}" || return 1
  mapfile -t files < <(tracked 'protocol/*.cc' 'storage/*.cc' 'clients/*.cc' 'server/*.cc' 'replication/*.cc' \
    'packaging/*.cc')
  mapfile -t units < <(sed -n 's/^ *"file": "\(.*\)",*$/\1/p' build/lint/compile_commands.json |
    grep -vE "cmake_pch|^$PWD/tests/" | sort -u)
  # Largest first, so that the last ones do not leave a core idle.
  mapfile -t units < <(printf '%s\n' "${units[@]}" | xargs wc -c | sort -rn | awk '$2 != "total" {print $2}')
  {
    printf '%s\n' "${units[@]}" | xargs -P "$jobs" -n 1 bash -c '
      out=$(clang-tidy-19 --quiet -p build/lint "$0" 2>/dev/null) || printf "%s\n" "${out:-$0: error: clang-tidy failed}"
    '
    # A source that no target compiles would not be read.
    comm -13 <(sed -n "s,^#include \"$PWD/\(.*\)\",\1,p" "${units[@]}" |
      sort - <(printf '%s\n' "${units[@]#"$PWD/"}")) <(printf '%s\n' "${files[@]}" | sort) |
      sed 's/$/: error: no target compiles it/'
  } | tee "$log"
  bad=$(sed -nE 's/^([^: ]+):([0-9:]*) error: .*/\1/p' "$log" | sort -u | wc -l)
  count $((${#files[@]} - bad)) "$bad"
}

part_unit() {
  need "${build_packages[@]}" "${unit_packages[@]}" "${clang_packages[@]}"
  compile debug && run_unit_tests debug
}

part_conformance() {
  need "${build_packages[@]}" "${python_packages[@]}"
  compile release && run_counted tests/conformance/run.py
}

# part_differential [seed]: without a seed, each run draws its own.
part_differential() {
  need "${build_packages[@]}" "${python_packages[@]}"
  compile release || return 1
  local seed=()
  [ $# -eq 0 ] || seed=(--seed "$1")
  if [ -n "$quick" ]; then
    run_counted_once tests/differential/run.py --commands 100000 --reload 4000
    return
  fi
  run_counted_once tests/differential/run.py --commands 1000000 --reload 4000 "${seed[@]}"
  run_counted_once tests/differential/run.py --commands 200000 --reload 2000 --log "${seed[@]}"
  run_counted_once tests/differential/waiters.py "${seed[@]}"
  run_counted tests/differential/run.py --self-test --seed 7
}

part_integration() {
  need "${build_packages[@]}" "${python_packages[@]}" "${client_packages[@]}"
  command -v npm >/dev/null || need npm  # Node.js' own packages bring it along, Debian's does not
  compile release && run_pytest -n 2 --dist loadfile tests/integration "$@"
}

# part_crash [args…]: kill -9 at random moments, saves on a slow disk, and replicas of every kind; args go to
# the first runner.
part_crash() {
  need "${build_packages[@]}" "${python_packages[@]}"
  compile release || return 1
  run_counted tests/crash/run.py "$@"
  run_counted tests/crash/run.py --self-test
  run_counted tests/stress/slow_saves.py
  run_counted tests/stress/followers.py
}

part_asan() {
  need "${build_packages[@]}" "${unit_packages[@]}" "${clang_packages[@]}" "${python_packages[@]}"
  compile asan || return 1
  export ASAN_OPTIONS=detect_stack_use_after_return=1 UBSAN_OPTIONS=print_stacktrace=1
  export ASAN_SYMBOLIZER_PATH=/usr/bin/llvm-symbolizer-19
  run_unit_tests asan
  CLOAKROOM_SERVER=$PWD/build/asan/cloakroom-server run_counted tests/conformance/run.py --server cloakroom
}

part_tsan() {
  need "${build_packages[@]}" "${unit_packages[@]}" "${clang_packages[@]}" "${python_packages[@]}"
  compile tsan || return 1
  # TSan's own search for deadlocks fails with more than 64 locks held; closing all gates takes more.
  export TSAN_OPTIONS=halt_on_error=1:detect_deadlocks=0:external_symbolizer_path=/usr/bin/llvm-symbolizer-19:suppressions=$PWD/tests/support/tsan.suppressions
  run_unit_tests tsan
  CLOAKROOM_SERVER=$PWD/build/tsan/cloakroom-server run_counted tests/stress/run.py
}

# part_fuzz [seconds]: runs each fuzzer that long, two at a time; without seconds all share fuzz_seconds.
# An input that breaks one is left in build/logs.
part_fuzz() {
  need "${build_packages[@]}" "${clang_packages[@]}"
  compile fuzz fuzzers || return 1
  local seconds fuzzers bad
  mapfile -t fuzzers < <(find build/fuzz/tests/fuzz -maxdepth 1 -name '*_fuzz' -type f | sort)
  seconds=${1:-$((fuzz_seconds / ((${#fuzzers[@]} + 1) / 2)))}
  printf '%s\n' "${fuzzers[@]}" | SECONDS_EACH=$seconds xargs -P 2 -n 1 bash -c '
    name=$(basename "$0"); log=build/logs/fuzz-$name.log; corpus=build/corpus/$name
    mkdir -p "$corpus"
    if "$0" -max_total_time="$SECONDS_EACH" -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 \
      -artifact_prefix="build/logs/$name-" "$corpus" >"$log" 2>&1; then
      echo "$name $(sed -n "s/^stat::number_of_executed_units: */runs: /p" "$log")"
    else
      tail -n 40 "$log"; echo "BROKEN $name"
    fi
  ' | tee build/logs/fuzzers.log
  bad=$(grep -c '^BROKEN ' build/logs/fuzzers.log)
  count $((${#fuzzers[@]} - bad)) "$bad"
}

# Builds the packages, and again as the next release; installs, upgrades and removes them in roots of
# their own below build/roots.
part_package() {
  need "${build_packages[@]}" "${packaging_packages[@]}" "${proof_packages[@]}"
  compile release package_files && make_packages build/packages 1 && make_packages build/packages/next 2 &&
    run_pytest tests/packaging "$@"
}
