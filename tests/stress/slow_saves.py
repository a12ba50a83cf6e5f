#!/usr/bin/python3
"""What goes on while a slow disk takes a save or a rewrite: `rdb-key-save-delay`, which redis-server has for the same
purpose, makes any disk slow.

    slow_saves.py                    every danger in every mode once; CLOAKROOM_SERVER names the binary
    slow_saves.py --seconds 1200     again and again, with new seeds
    slow_saves.py --only evictions --mode everysec
    slow_saves.py --server redis     proves the checks, but for promises that redis-server does not give

The last line is "N passed, N failed", one check for each danger in each mode.
"""

import argparse
import random
import shutil
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from crash.disturber import persistence  # noqa: E402
from support import resp, servers  # noqa: E402

MODES = {
    "snapshots": {"appendonly": "no"},
    "everysec": {"appendonly": "yes", "appendfsync": "everysec"},
    "always": {"appendonly": "yes", "appendfsync": "always"},
    "commands": {"appendonly": "yes", "appendfsync": "everysec", "aof-use-rdb-preamble": "no"},
}
MB = 1 << 20
POLL_S = 0.005
FINISH_S = 120


class Broken(Exception):
    """Something that must hold did not."""


def expect(condition, text):
    if not condition:
        raise Broken(text)


class Bench:
    """A server in one of the modes, and its saves."""

    def __init__(self, kind, mode, seed, more=None):
        self.kind, self.mode, self.rng = kind, mode, random.Random(seed)
        settings = {**MODES[mode], "save": '""', "auto-aof-rewrite-percentage": 0, **(more or {})}
        self.server = servers.start(kind, settings)
        self.connection = self.server.connect(timeout_s=60)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()
        self.server.stop()

    @property
    def has_log(self):
        return self.mode != "snapshots"

    def fill(self, keys, value_bytes, db=0, prefix="key"):
        self.connection.ok("SELECT", db)
        for at in range(0, keys, 500):
            self.connection.pipeline([("SET", f"{prefix}{n}", filler(n, value_bytes))
                                      for n in range(at, min(keys, at + 500))])
        self.connection.ok("SELECT", 0)

    def begin_save(self):
        """BGSAVE, or with a log BGREWRITEAOF; returns after its instant."""
        self.connection.ok("BGREWRITEAOF" if self.has_log else "BGSAVE")
        self.wait_for(lambda status: status[self._busy()] == "0"
                      or int(status["current_save_keys_processed"]) > 0, "the save begins")

    def is_saving(self):
        return persistence(self.connection)[self._busy()] == "1"

    def end_save(self):
        """Waits until the save or rewrite has ended, and expects that it succeeded."""
        if self.has_log:
            self.wait_for(lambda status: status["aof_rewrite_scheduled"] == "0", "the rewrite begins")
        status = self.wait_for(lambda status: status[self._busy()] == "0", "the save ends")
        name = "aof_last_bgrewrite_status" if self.has_log else "rdb_last_bgsave_status"
        expect(status[name] == "ok", f"the save failed:\n{self.server.log()[-1500:]}")

    def _busy(self):
        return "aof_rewrite_in_progress" if self.has_log else "rdb_bgsave_in_progress"

    def wait_for(self, is_so, what):
        deadline = time.monotonic() + FINISH_S
        while time.monotonic() < deadline:
            status = persistence(self.connection)
            if is_so(status):
                return status
            time.sleep(POLL_S)
        raise Broken(f"not within {FINISH_S} s: {what}")

    def memory(self):
        """Bytes in use that maxmemory counts."""
        return self.info("memory", "used_memory") - self.info("memory", "mem_not_counted_for_evict")

    def settle(self):
        """Waits until the log's bytes are on the disk, and removed data is freed."""
        self.wait_for(lambda _: self.info("memory", "mem_not_counted_for_evict") < MB
                      and self.info("memory", "lazyfree_pending_objects") == 0, "all is on the disk")

    def info(self, section, name):
        info = dict(line.split(":", 1) for line in
                    self.connection.ok("INFO", section).decode().splitlines() if ":" in line)
        return int(info[name])

    def stat(self, name):
        return self.info("stats", name)

    def loaded(self):
        """A second server that has loaded the files as they are now."""
        copy = self.server.directory / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        copy.mkdir()
        names = ["appendonlydir"] if self.has_log else ["dump.rdb"]
        for name in names:
            source = self.server.directory / name
            (shutil.copytree if source.is_dir() else shutil.copy)(source, copy / name)
        settings = {**MODES[self.mode], "save": '""', "auto-aof-rewrite-percentage": 0}
        return servers.Server(self.kind, settings, directory=copy)


def filler(n, size):
    text = f"{n}:".encode()
    return (text * (size // len(text) + 1))[:size]


class Loop(threading.Thread):
    """Repeats one action, with a connection of its own, until it is stopped."""

    def __init__(self, server, deed):
        super().__init__(daemon=True)
        self.rounds, self.error = 0, None
        self._server, self._deed, self._stopping = server, deed, threading.Event()

    def run(self):
        try:
            with self._server.connect(timeout_s=60) as connection:
                while not self._stopping.is_set():
                    self._deed(connection)
                    self.rounds += 1
        except (OSError, AssertionError, Broken, resp.ConnectionClosed, resp.ReplyTimeout) as error:
            self.error = f"{type(error).__name__}: {error}"

    def finish(self):
        self._stopping.set()
        self.join(timeout=90)
        expect(self.error is None, self.error)
        expect(self.rounds > 0, "nothing was done meanwhile")


COATS = 40_000


def swaps(kind, mode, seed):
    """SWAPDB, MOVE and RENAME during saves: each key is in the file once."""
    with Bench(kind, mode, seed, {"rdb-key-save-delay": -100}) as bench:
        bench.fill(COATS, 60, prefix="coat")

        def wander(connection):
            n = bench.rng.randrange(COATS)
            connection.pipeline([("SELECT", bench.rng.randrange(2)), ("SWAPDB", 0, 1),
                                 ("MOVE", f"coat{n}", bench.rng.randrange(2)), ("SWAPDB", 1, 0),
                                 ("RENAME", f"coat{n}", f"away{n}"), ("RENAME", f"away{n}", f"coat{n}")])

        def swap(connection):
            connection.pipeline([("SWAPDB", 0, 1)] * 9)

        for _ in range(4):
            loops = [Loop(bench.server, wander), Loop(bench.server, swap)]
            for loop in loops:
                loop.start()
            bench.begin_save()
            bench.end_save()
            for loop in loops:
                loop.finish()
            names = _names(bench)
            expect(len(names) == COATS, f"{len(names)} keys in the file, not {COATS}")
            expect(len(set(names)) == COATS, "a key is in the file twice")


def _names(bench):
    server = bench.loaded()
    try:
        server.launch()
        names = []
        with server.connect(timeout_s=60) as connection:
            for db in (0, 1):
                connection.ok("SELECT", db)
                names += [name.replace(b"away", b"coat") for name in connection.ok("KEYS", "*")]
        return names
    finally:
        server.kill()


LIMIT = 48 * MB


def _write(bench, count, first, memory):
    """Writes this many new keys in pipelines; appends the memory in use to `memory`. A refusal raises Broken."""
    for at in range(first, first + count, 50):
        replies = bench.connection.pipeline([("SET", f"new{n}", filler(n, 2000)) for n in range(at, at + 50)])
        refused = [reply for reply in replies if isinstance(reply, resp.Error)]
        expect(not refused, f"write {at - first} was refused: {refused[:1]}, "
               f"{bench.connection.ok('INFO', 'memory').decode()[:300]} {bench.memory()}")
        memory.append(bench.memory())


def evictions(kind, mode, seed):
    """A slow save changes nothing about eviction, the save succeeds, and memory stays within its limit."""
    with Bench(kind, mode, seed, {"maxmemory": 2 * LIMIT, "maxmemory-policy": "allkeys-random"}) as bench:
        bench.fill(56_000, 2000)  # more than fits
        memory = []
        quiet = _evictions(bench, 6000, 0, [])
        keys = bench.connection.ok("DBSIZE")
        bench.connection.ok("CONFIG", "SET", "rdb-key-save-delay", 300)
        bench.begin_save()
        bench.connection.ok("CONFIG", "SET", "rdb-key-save-delay", 0)
        saving = _evictions(bench, 6000, 10_000, memory)
        expect(bench.is_saving(), "the save was over too soon to show anything")
        bench.end_save()
        left = bench.connection.ok("DBSIZE")
        expect(left >= 0.8 * keys, f"{left} keys are left of {keys}, as many as there were room for")
        # With a log, its buffers change the free room by some MB from moment to moment.
        expect(bench.has_log or abs(saving - quiet) <= 0.2 * quiet,
               f"{saving} evictions while saving, {quiet} without")
        expect(max(memory) < 1.05 * 2 * LIMIT, f"{max(memory)} bytes in use, {2 * LIMIT} are allowed")


def _evictions(bench, count, first, memory):
    """How many keys are evicted for this many new ones."""
    bench.settle()
    before = bench.stat("evicted_keys")
    _write(bench, count, first, memory)
    return bench.stat("evicted_keys") - before


def flushes(kind, mode, seed):
    """After FLUSHALL during a slow save there is room for as much data again, and the save succeeds."""
    with Bench(kind, mode, seed, {"maxmemory": LIMIT, "maxmemory-policy": "noeviction"}) as bench:
        bench.fill(12_000, 2000)
        bench.fill(500, 2000, db=3)
        memory = []
        bench.connection.ok("CONFIG", "SET", "rdb-key-save-delay", 300)
        bench.begin_save()
        bench.connection.ok("CONFIG", "SET", "rdb-key-save-delay", 0)
        if bench.rng.random() < 0.5:
            bench.connection.ok("FLUSHALL")
        else:
            bench.connection.ok("FLUSHDB")
        _write(bench, 12_000, 0, memory)
        bench.end_save()
        expect(max(memory) < 1.05 * LIMIT, f"{max(memory)} bytes in use, {LIMIT} are allowed")


def expiries(kind, mode, seed):
    """A mass expiry during a slow save makes room for as much data again."""
    with Bench(kind, mode, seed, {"maxmemory": LIMIT, "maxmemory-policy": "noeviction"}) as bench:
        bench.fill(12_000, 2000)
        memory = []
        bench.connection.ok("CONFIG", "SET", "rdb-key-save-delay", 300)
        bench.begin_save()
        bench.connection.ok("CONFIG", "SET", "rdb-key-save-delay", 0)
        # Each PEXPIRE may need a pre-image of its key; the expiry afterwards needs none.
        expired = bench.stat("expired_keys")
        for at in range(0, 12_000, 500):
            bench.connection.pipeline([("PEXPIRE", f"key{n}", 1) for n in range(at, at + 500)])
        bench.wait_for(lambda _: bench.stat("expired_keys") - expired >= 12_000, "all expire")
        _write(bench, 12_000, 0, memory)
        bench.end_save()


ENDLESS = "while true do end"


def busy_scripts(kind, mode, seed):
    """An endless script in a database does not stop the walk through the others or the end of the server."""
    with Bench(kind, mode, seed, {"busy-reply-threshold": 50}) as bench:
        for db in (0, 15, 3):
            bench.fill(3000, 100, db=db)
        bench.connection.ok("CONFIG", "SET", "rdb-key-save-delay", 30)
        bench.begin_save()
        with bench.server.connect(timeout_s=60) as busy:
            busy.ok("SELECT", 0)
            busy.send("EVAL", ENDLESS, 0)
            bench.connection.ok("SELECT", 3)
            bench.wait_for(lambda status: int(status["current_save_keys_processed"]) >= 5000
                           or status[bench._busy()] == "0", "the other databases are walked")
            bench.connection.ok("SET", "meanwhile", 1)
            bench.wait_for(lambda _: bench.connection.call("SCRIPT", "KILL") == b"OK", "the script ends")
            busy.read()
        bench.end_save()


DANGERS = {"swaps": swaps, "evictions": evictions, "flushes": flushes, "expiries": expiries,
           "busy_scripts": busy_scripts}


def round_of(options, seed):
    """Every danger in every mode. Returns (passed, failed)."""
    passed = failed = 0
    for mode in MODES:
        for name, danger in DANGERS.items():
            if options.mode not in (None, mode) or options.only not in (None, name):
                continue
            started = time.monotonic()
            try:
                danger(options.server, mode, seed)
                passed += 1
                print(f"{name}, {mode}: {time.monotonic() - started:.1f} s", flush=True)
            except (Broken, servers.ServerFailed, OSError, AssertionError, resp.ConnectionClosed,
                    resp.ReplyTimeout) as error:
                failed += 1
                print(f"FAILED {name}, {mode}, seed {seed}: {type(error).__name__}: {error}", flush=True)
    return passed, failed


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--seconds", type=int, default=0)
    parser.add_argument("--server", choices=servers.KINDS, default="cloakroom")
    parser.add_argument("--mode", choices=MODES)
    parser.add_argument("--only", choices=DANGERS)
    parser.add_argument("--seed", type=int, default=None)
    options = parser.parse_args()
    seed = random.SystemRandom().randrange(1 << 31) if options.seed is None else options.seed
    print(f"seed {seed}", flush=True)
    end, passed, failed = time.monotonic() + options.seconds, 0, 0
    while not passed or (time.monotonic() < end and not failed):
        counts = round_of(options, seed)
        passed, failed, seed = passed + counts[0], failed + counts[1], seed + 1
        if failed:
            break
    print(f"{passed} passed, {failed} failed")
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
