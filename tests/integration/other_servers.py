"""Other servers that shops run today, of other versions than Debian 12's: fetched once, as packages of
Debian and Ubuntu, into ~/.cache/cloakroom-servers, and unpacked there without being installed."""

import fcntl
import lzma
import re
import stat
import subprocess
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from support import servers

CACHE = Path.home() / ".cache" / "cloakroom-servers"
DEBIAN = "http://deb.debian.org/debian"
UBUNTU = "http://archive.ubuntu.com/ubuntu"
TIMEOUT_S = 20
# The server is in the package of its tools, and its other names are links to it.
REDIS, VALKEY = "redis-check-rdb", "valkey-check-rdb"


@dataclass(frozen=True)
class Other:
    """A version, where its package is, and the packages with the libraries that Debian 12 lacks."""

    name: str
    mirror: str
    suite: str
    component: str
    package: str
    program: str
    libraries: tuple = ()  # (mirror, suite, package)
    has_loader: bool = False  # they contain a newer C library


OLD_LIBRARIES = ((DEBIAN, "bullseye", "libhiredis0.14"), (DEBIAN, "bullseye", "libssl1.1"))
NEW_LIBRARIES = tuple((DEBIAN, "trixie", package) for package in (
    "libc6", "libstdc++6", "libgcc-s1", "libssl3t64", "libzstd1", "libsystemd0", "libcap2", "libjemalloc2",
    "liblzf1", "libhiredis1.1.0", "liblua5.1-0", "libatomic1"))
OTHERS = (
    Other("redis-5.0", UBUNTU, "focal", "universe", "redis-tools", REDIS, OLD_LIBRARIES),
    Other("redis-6.0", DEBIAN, "bullseye", "main", "redis-tools", REDIS, OLD_LIBRARIES),
    # Redis 7.2 under another name.
    Other("valkey-7.2", UBUNTU, "noble-updates", "universe", "valkey-tools", VALKEY, NEW_LIBRARIES, True),
    Other("redis-8.0", DEBIAN, "trixie", "main", "redis-tools", REDIS, NEW_LIBRARIES, True),
    Other("valkey-8.0", DEBIAN, "bookworm-backports", "main", "valkey-tools", VALKEY),
    Other("valkey-8.1", DEBIAN, "trixie", "main", "valkey-tools", VALKEY, NEW_LIBRARIES, True),
)


class Unavailable(Exception):
    """Why a server cannot be fetched or does not run here."""


def install(other):
    """Makes the kind other.name one of those that servers.start knows; Unavailable if that fails."""
    folder = CACHE / other.name
    program = folder / "server"
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another process may want the same
        if not program.exists():
            try:
                _unpack(other, folder)
            except (OSError, urllib.error.URLError, subprocess.SubprocessError, lzma.LZMAError) as error:
                raise Unavailable(f"cannot fetch {other.name}: {error}") from error
            _write_program(other, folder, program)
    told = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    if "server v=" not in told.stdout.lower():
        raise Unavailable(f"{other.name} does not run here: {told.stderr[:200]}")
    servers.PROGRAMS[other.name] = str(program)
    return other.name


def _unpack(other, folder):
    folder.mkdir(parents=True, exist_ok=True)
    wanted = [(other.mirror, other.suite, other.component, other.package, folder / "root")]
    wanted += [(mirror, suite, "main", package, folder / "libraries")
               for mirror, suite, package in other.libraries]
    for mirror, suite, component, package, place in wanted:
        name = _file_name(_index(mirror, suite, component), package)
        archive = folder / "package.deb"
        archive.write_bytes(_fetch(f"{mirror}/{name}"))
        subprocess.run(["dpkg", "-x", archive, place], check=True, capture_output=True)
        archive.unlink()


def _fetch(url):
    with urllib.request.urlopen(url, timeout=TIMEOUT_S) as reply:
        return reply.read()


def _index(mirror, suite, component):
    """The list of a suite's packages, kept for the next one."""
    path = CACHE / f"packages-{suite}-{component}"
    if not path.exists():
        url = f"{mirror}/dists/{suite}/{component}/binary-amd64/Packages.xz"
        path.write_bytes(lzma.decompress(_fetch(url)))
    return path.read_text()


def _file_name(index, package):
    found = re.search(rf"^Package: {re.escape(package)}$.*?^Filename: (\S+)$", index,
                      re.MULTILINE | re.DOTALL)
    if found is None:
        raise OSError(f"no package {package}")
    return found[1]


def _write_program(other, folder, program):
    """A script that runs it under its server's name, with its libraries."""
    binary = folder / "root" / "usr" / "bin" / other.program
    name = other.program.replace("check-rdb", "server")
    libraries = folder / "libraries" / "usr" / "lib" / "x86_64-linux-gnu"
    if other.has_loader:
        loader = libraries / "ld-linux-x86-64.so.2"
        run = f'exec {loader} --argv0 {name} --library-path {libraries} {binary} "$@"'
    else:
        run = f'LD_LIBRARY_PATH={libraries} exec -a {name} {binary} "$@"'
    program.write_text(f"#!/bin/bash\n{run}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
