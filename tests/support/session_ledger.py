"""Workers who share sessions, and a ledger of what they did: no acknowledged commit may be lost.

    tests/support/session_ledger.py [--seconds 3600] [--workers 50] [--sessions 5] [--seed 1] [--crash]

At the end each session must have every number that was done, once; none that was refused; and of the
others none twice. The counter must be their sum, and no two grants may have had the same fence. How
long plain clients waited is printed: where several of them share a session with natives who always
queue, one may get no turn within five seconds, and breaks the lock. Short runs with few plain clients
(integration/test_session_chaos.py) also check that none waited for so long.

Half of the workers know SESSION.*, the others poll the hash, as Magento's library does. Leases are of
200 ms. Workers lose their connections, are killed by CLIENT KILL, hold locks beyond their leases, and
half of them talk through a port behind which packets get lost (black_hole.py). With --crash the
server is killed as well, and restarts from its log.
"""

import argparse
import collections
import json
import math
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support import servers  # noqa: E402
from support.black_hole import BlackHole  # noqa: E402
from support.session_workers import (  # noqa: E402
    DONE, REFUSED, NativeWorker, PlainWorker, disturb)

PLAIN_WAIT_S = 5.0
COUNTED = ("session_commits", "session_commits_late", "session_commits_repeated", "session_fenced",
           "session_breaks", "session_revoked", "session_freed_by_disconnect", "session_plain_turns")


def content_of(connection, session):
    text = connection.ok("HGET", session, "data")
    return json.loads(text) if text else {"count": 0, "by": {}}


def numbers(content, worker):
    """The numbers of a worker's commits that are in a session."""
    return [n for low, high in content["by"].get(worker.name, ()) for n in range(low, high + 1)]


def verify(connection, sessions, workers, losses=()):
    """Returns what is wrong; empty: nothing. `losses`: pairs of times between which the server may
    have lost what it had acknowledged: a crash without appendfsync always, a failover."""
    fences = collections.Counter(one for worker in workers for one in worker.fences)
    wrong = [f"{session}: the fence {fence} was given {times} times"
             for (session, fence), times in fences.items() if times > 1]
    for session in sessions:
        wrong += _verify_session(session, content_of(connection, session), workers, losses)
    return wrong


def _verify_session(session, content, workers, losses):
    wrong, total = [], 0
    for worker in workers:
        listed = numbers(content, worker)
        found = set(listed)
        total += len(listed)
        if len(listed) != len(found):
            wrong.append(f"{session}: {worker.name} has a number twice")
        for (its, number), (outcome, at) in worker.ledger.items():
            forgiven = any(begin <= at <= end for begin, end in losses)
            if its == session and outcome == DONE and number not in found and not forgiven:
                wrong.append(f"{session}: {worker.name}'s commit {number} is lost")
            if its == session and outcome == REFUSED and number in found:
                wrong.append(f"{session}: {worker.name}'s refused commit {number} is there")
    if total != content["count"]:
        wrong.append(f"{session}: the counter says {content['count']} for {total} commits")
    return wrong


class Run:
    """One run against a server that may be restarted meanwhile, or become another: `server`. `loses`:
    half of the workers, of each kind, lose packets. A plain client's do not arrive late, for its late
    write would overwrite what others have written: that hole is the library's own."""

    def __init__(self, server, workers=20, sessions=5, seed=1, kinds=(NativeWorker, PlainWorker),
                 prefix="ledger:", names="", loses=False):
        self.server = server
        self.stop = threading.Event()
        self.sessions = [f"{prefix}{i}" for i in range(sessions)]
        self.holes = {kind: BlackHole(self._port, seed, always_resets=kind is not NativeWorker)
                      for kind in set(kinds) if loses}
        self.workers = []
        for i in range(workers):
            kind = kinds[i % len(kinds)]
            hole = self.holes.get(kind) if i // len(kinds) % 2 else None
            name = f"{names}{'p' if kind is PlainWorker else 'n'}{i}"
            self.workers.append(kind(self._port if hole is None else lambda hole=hole: hole.port, name,
                                     self.sessions, self.stop, seed * 1000 + i))
        self.disturber = threading.Thread(target=disturb, daemon=True,
                                          args=(self._port, self.sessions, self.stop, seed))

    def _port(self):
        return self.server.port

    def start(self):
        for thread in [*self.holes.values(), *self.workers, self.disturber]:
            thread.start()

    def end(self):
        self.stop.set()
        for thread in [*self.workers, self.disturber]:
            thread.join(60)
            assert not thread.is_alive(), f"{thread.name} hangs"
        for hole in self.holes.values():
            hole.stop()
        for worker in self.workers:
            if worker.failure is not None:
                raise worker.failure

    def outcomes(self, session=None):
        """How many commits were done, refused, and unknown; of one session or of all."""
        return collections.Counter(outcome for worker in self.workers
                                   for (its, _), (outcome, _) in list(worker.ledger.items())
                                   if session in (None, its))

    def done(self, session=None):
        return self.outcomes(session)[DONE]

    def plain_waits(self):
        """How long plain clients waited for a lock, the shortest first."""
        return sorted(wait for worker in self.workers for wait in worker.plain_waits) or [0]

    def verify(self, losses=(), plain_wait_s=PLAIN_WAIT_S):
        """As above. `plain_wait_s`: how long plain clients may have waited."""
        with self.server.connect() as connection:
            wrong = verify(connection, self.sessions, self.workers, losses)
        longest_s = self.plain_waits()[-1]
        if longest_s > plain_wait_s:
            wrong.append(f"a plain client waited for {longest_s:.2f} s")
        return wrong


def count(server, sums):
    """Adds what the server counts to `sums`; a restart begins at 0."""
    with server.connect() as connection:
        for line in connection.ok("INFO", "sessions").decode().split("\r\n"):
            name, _, value = line.partition(":")
            if name in COUNTED:
                sums[name] += int(value)


def tell(run, sums, crashes):
    print(", ".join(f"{n} {outcome}" for outcome, n in sorted(run.outcomes().items())))
    print(f"{crashes} crashes, {sum(hole.holes for hole in run.holes.values())} losses of packets, "
          f"{sum(hole.resets for hole in run.holes.values())} resets after them")
    print(", ".join(f"{name} {sums[name]}" for name in COUNTED))
    waits = run.plain_waits()
    late = sum(wait > PLAIN_WAIT_S for wait in waits)
    print(f"plain clients waited {len(waits)} times, {waits[-1]:.2f} s at most; {late} times for longer "
          f"than {PLAIN_WAIT_S:.0f} s", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--workers", type=int, default=50)
    parser.add_argument("--sessions", type=int, default=5)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--crash", action="store_true", help="kill the server every few seconds")
    options = parser.parse_args()
    directives = {"appendonly": "yes", "appendfsync": "always"} if options.crash else {}
    sums, crashes = collections.Counter(), 0
    with servers.start("cloakroom", {"io-threads": 2, **directives}) as server:
        run = Run(server, options.workers, options.sessions, options.seed, loses=True)
        print(f"seed {options.seed}")
        run.start()
        end = time.monotonic() + options.seconds
        while time.monotonic() < end:
            time.sleep(min(5, max(0.1, end - time.monotonic())))
            print(f"{run.done()} commits acknowledged", flush=True)
            if options.crash:
                count(server, sums)
                server.kill()
                server.launch()
                crashes += 1
        run.end()
        count(server, sums)
        wrong = run.verify(plain_wait_s=math.inf)
    tell(run, sums, crashes)
    print(*wrong[:20], sep="\n")
    print(f"{0 if wrong else 1} passed, {1 if wrong else 0} failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
