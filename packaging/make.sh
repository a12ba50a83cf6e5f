# Makes the .deb and the .rpm from the built programs. Sourced by `dev`.

# make_packages FOLDER RELEASE [PRESET]: makes a .deb and a .rpm from the built programs.
make_packages() {
  local log=build/logs/packages.log
  rm -f "$1"/*.deb "$1"/*.rpm
  SOURCE_DATE_EPOCH=$(git log -1 --format=%ct) cpack --config "build/${3:-release}/CPackConfig.cmake" -B "$PWD/$1" \
    -D CPACK_DEBIAN_PACKAGE_RELEASE="$2" -D CPACK_RPM_PACKAGE_RELEASE="$2" >"$log" 2>&1 && return 0
  tail -n 40 "$log"
  return 1
}

# Lets apt look at Debian as an arm64 machine would, with lists and a status of its own.
need_arm64_libraries() {
  local root=$PWD/build/sysroot-arm64 apt=$PWD/build/apt-arm64 archive
  [ ! -e "$root.done" ] || return 0
  say "Fetching ${arm64_libraries[*]} for arm64"
  local options=(-qq -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o APT::Sandbox::User=root
    -o Dir::State::lists="$apt/lists" -o Dir::State::status="$apt/status" -o Dir::Cache="$apt/cache")
  mkdir -p "$apt"/lists/partial "$apt"/cache/archives/partial "$apt/archives" "$root"
  : >"$apt/status"
  apt-get "${options[@]}" update || say "Some archives have nothing for arm64"
  (cd "$apt/archives" && apt-get "${options[@]}" download "${arm64_libraries[@]}") || return 1
  for archive in "$apt"/archives/*.deb; do dpkg-deb -x "$archive" "$root" || return 1; done
  touch "$root.done"
}

verb_package() {
  need "${build_packages[@]}" "${packaging_packages[@]}"
  local preset=release folder=build/packages
  case ${1:-} in
    "") ;;
    arm64)
      preset=release-arm64 folder=build/packages/arm64
      need g++-aarch64-linux-gnu qemu-user
      need_arm64_libraries || die "Debian's arm64 libraries could not be fetched"
      ;;
    *) die "./dev package [arm64]" ;;
  esac
  compile $preset package_files && make_packages $folder 1 $preset || die "the packages could not be built"
  ls $folder/*.deb $folder/*.rpm
}
