# The Debian packages that each task needs, and how they get here. Sourced by `dev`.

build_packages=(g++ cmake ninja-build ccache mold pkg-config libboost1.81-dev libabsl-dev libspdlog-dev
  libjemalloc-dev libssl-dev liblua5.1-0-dev lua-cjson-dev lua-bitop-dev)
clang_packages=(clang-19 clang-tidy-19 clang-format-19 libclang-rt-19-dev llvm-19)
unit_packages=(libgtest-dev libgmock-dev)
python_packages=(redis-server python3)
client_packages=(redis-tools prometheus-redis-exporter python3-pytest python3-pytest-timeout python3-pytest-xdist
  python3-redis python3-hiredis python3-hypothesis php-cli php-redis php-predis php-symfony-cache nodejs
  phpunit php-codesniffer php-mbstring php-xml)
packaging_packages=(python3 dpkg-dev file rpm)
# Of Debian's arm64, unpacked below build/sysroot-arm64: nothing of another architecture is installed here.
arm64_libraries=(libabsl-dev libabsl20220623 libboost1.81-dev libfmt-dev libfmt9 libjemalloc-dev liblua5.1-0-dev
  libspdlog-dev libspdlog1.10 lua-bitop-dev lua-cjson-dev)
proof_packages=(binutils debootstrap groff-base lintian logrotate rpmlint systemd python3-pytest python3-pytest-timeout)

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

missing_packages() {
  local name
  for name in "$@"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || echo "$name"
  done
}

# Installs what is missing; touches neither apt nor the network when nothing is.
need() {
  local missing log
  mapfile -t missing < <(missing_packages "$@")
  [ ${#missing[@]} -gt 0 ] || return 0
  say "Installing ${missing[*]}"
  log=$(mktemp)
  if ! as_root apt-get -qq update >"$log" 2>&1 ||
    ! as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends \
      "${missing[@]}" >>"$log" 2>&1; then
    tail -n 20 "$log" >&2
    die "apt-get could not install the packages above"
  fi
  rm -f "$log"
  keep_redis_quiet "${missing[@]}"
}

# Debian starts redis-server, on our port, when it installs it; the tests start their own.
keep_redis_quiet() {
  local name
  [ -d /run/systemd/system ] || return 0
  for name in redis-server prometheus-redis-exporter; do
    [[ " $* " == *" $name "* ]] && as_root systemctl -q disable --now "$name" 2>/dev/null
  done
  return 0
}
