"""One figure of one server: starts it alone on core 0, drives it from core 1 and stops it."""

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY / "tests"))

from support import servers  # noqa: E402

LOAD_CORE = 1
RUN_TIMEOUT_S = 900
LOAD_TIMEOUT_S = 300
MICRO_BENCH = REPOSITORY / "build/bench/bench/micro_bench"
ALL_CORES = os.sched_getaffinity(0)  # before this process is pinned to one


class RunFailed(Exception):
    """The generator ended with an error, so there is no figure."""


def build_generator():
    """The generator's path, after CMake has brought it up to date."""
    folder = REPOSITORY / "build/bench"
    for command in (["cmake", "--preset", "bench"],
                    ["cmake", "--build", str(folder), "--target", "sale_day"]):
        subprocess.run(command, cwd=REPOSITORY, check=True, stdout=subprocess.DEVNULL)
    return folder / "bench/sale_day"


def raise_file_limit():
    """Ten thousand sockets need descriptors on both ends; children inherit the limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def pin(*cores):
    """Confines this process, and those that it starts next, to these cores if the machine has them."""
    there = {core for core in cores if core < os.cpu_count()}
    if there:
        os.sched_setaffinity(0, there)


def measure(generator, kind, run, directives):
    """The generator's figures with a fresh server of this kind, and those of its files."""
    with new_server(kind, directives) as server:
        on_cores(run.server_cores, server.launch)
        figures = {**generate(generator, server, run.arguments), **_files(server.directory)}
        if "finished" in figures:
            figures["log_bytes_per_op"] = figures["log_bytes"] / figures["finished"]
        if run.restarted:
            figures["load_s"] = _load(run, server, figures["keys"])
        return figures


def new_server(kind, directives):
    """A server that is not started yet."""
    return servers.Server(kind, {"maxclients": "12000", "protected-mode": "no", **directives})


def generate(generator, server, arguments):
    """The generator's figures with this server, whose CPU it counts."""
    command = [str(generator), arguments[0], "--port", str(server.port), "--pid", str(server.pid),
               *map(str, arguments[1:])]
    done = subprocess.run(command, capture_output=True, text=True, timeout=RUN_TIMEOUT_S)
    if done.returncode != 0:
        raise RunFailed(f"{server.kind}: {' '.join(command[1:])}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def measure_micro(run):
    """Items per second of each of the run's micro-benchmarks; for those on two threads, as
    "NAME to 1", the ratio to one thread; and the time of a thread that one item takes, as "NAME ns"
    with waits for other threads, as "NAME cpu" without."""
    if not MICRO_BENCH.is_file():
        raise RunFailed(f"{run.name}: no {MICRO_BENCH.relative_to(REPOSITORY)}; ./dev bench builds it")
    done = on_cores(ALL_CORES, lambda: subprocess.run(
        [str(MICRO_BENCH), "--benchmark_format=json", *run.arguments],
        capture_output=True, text=True, timeout=RUN_TIMEOUT_S))
    if done.returncode != 0:
        raise RunFailed(f"{run.name}: {done.stderr.strip()}")
    benchmarks = json.loads(done.stdout)["benchmarks"]
    rates = {one["name"]: one["items_per_second"] for one in benchmarks}
    ratios = {f"{name} to 1": rate / rates[f"{name[:-1]}1"] for name, rate in rates.items()
              if name.endswith("/threads:2")}
    times = {f"{name} ns": 1e9 * int(name.rpartition(":")[2]) / rate for name, rate in rates.items()}
    cpu = {f"{one['name']} cpu": one["cpu_time"] for one in benchmarks}
    return rates | ratios | times | cpu


def on_cores(cores, start):
    """What `start` returns; what it starts is confined to these cores."""
    pin(*cores)
    try:
        return start()
    finally:
        pin(LOAD_CORE)


def _files(directory):
    """The sizes of the files on the disk: the snapshot and the log."""
    snapshot = directory / "dump.rdb"
    log = list((directory / "appendonlydir").glob("*"))
    return {"snapshot_bytes": snapshot.stat().st_size if snapshot.exists() else 0,
            "log_bytes": sum(path.stat().st_size for path in log)}


def _load(run, server, keys):
    """Seconds from the start of a process that finds the files to its first PONG."""
    server.kill()
    started = time.monotonic()
    on_cores(run.server_cores, server.spawn)
    server.wait_until_ready(LOAD_TIMEOUT_S)
    took_s = time.monotonic() - started
    with server.connect() as connection:
        found = connection.ok("DBSIZE")
    if found != keys:
        raise RunFailed(f"{server.kind}: {found} keys after the restart, {keys:.0f} before")
    return took_s
