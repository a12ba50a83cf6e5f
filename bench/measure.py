"""One figure of one server: starts it alone on core 0, drives it from core 1 and stops it."""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY / "tests"))

from support import servers  # noqa: E402

SERVER_CORE, LOAD_CORE = 0, 1
RUN_TIMEOUT_S = 600
GENERATOR_SOURCES = ("sale_day_main.cc", "sale_day/*.cc")


class RunFailed(Exception):
    """The generator ended with an error, so there is no figure."""


def build_generator():
    """The generator's path: CMake's when it is fresh, else compiled here, which takes seconds."""
    sources = [path for pattern in GENERATOR_SOURCES for path in (REPOSITORY / "bench").glob(pattern)]
    headers = list((REPOSITORY / "bench/sale_day").glob("*.h"))
    newest = max(path.stat().st_mtime for path in sources + headers)
    own = REPOSITORY / "build/bench/sale_day"
    for binary in (REPOSITORY / "build/bench/bench/sale_day", own):
        if binary.is_file() and binary.stat().st_mtime > newest:
            return binary
    own.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run([os.environ.get("CXX", "c++"), "-std=c++20", "-O2", f"-I{REPOSITORY}",
                    *map(str, sources), "-pthread", "-o", str(own)], check=True)
    return own


def raise_file_limit():
    """Ten thousand sockets need descriptors on both ends; children inherit the limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def pin(core):
    """Confines this process, and what it starts next, to one core where the machine has it."""
    if core in os.sched_getaffinity(0) or core < os.cpu_count():
        os.sched_setaffinity(0, {core})


def measure(generator, kind, arguments, directives):
    """The generator's figures against a fresh server of this kind."""
    pin(SERVER_CORE)
    try:
        server = servers.start(kind, {"maxclients": "12000", "protected-mode": "no", **directives})
    finally:
        pin(LOAD_CORE)
    with server:
        command = [str(generator), arguments[0], "--port", str(server.port), "--pid", str(server.pid),
                   *map(str, arguments[1:])]
        done = subprocess.run(command, capture_output=True, text=True, timeout=RUN_TIMEOUT_S)
        if done.returncode != 0:
            raise RunFailed(f"{kind}: {' '.join(command[1:])}: {done.stderr.strip()}")
        return json.loads(done.stdout)
