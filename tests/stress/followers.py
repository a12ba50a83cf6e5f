#!/usr/bin/python3
"""Replicas of every kind follow the crash test's load, through lost links, restarts and saves, and hold the same data.

    followers.py                     half a minute; CLOAKROOM_SERVER names the binary
    followers.py --seconds 3600      the hour that a release needs
    followers.py --server redis      the primary is redis-server

Every few seconds the writers stop, each replica reaches the primary's offset, and the digests are compared. The last
line is "N passed, N failed", one check for each replica at each stop.
"""

import argparse
import random
import re
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from crash.units import SCRIPT, Units, keys_of  # noqa: E402
from crash.writer import Writer  # noqa: E402
from support import resp, servers  # noqa: E402

PROMPT = {"repl-diskless-sync-delay": 0, "repl-ping-replica-period": 1, "save": '""', "repl-backlog-size": "4mb",
          "auto-aof-rewrite-percentage": 100}
# The name of each replica, its kind, whom it follows, and its settings.
FOLLOWERS = (
    ("by file", "cloakroom", "primary", {"repl-diskless-load": "disabled"}),
    ("with a log", "cloakroom", "primary", {"appendonly": "yes", "appendfsync": "everysec"}),
    ("swapdb", "cloakroom", "primary", {"repl-diskless-load": "swapdb"}),
    ("on-empty-db", "cloakroom", "primary", {"repl-diskless-load": "on-empty-db"}),
    ("redis-server", "redis", "primary", {}),
    ("below redis-server", "cloakroom", "redis-server", {}),
    ("below a cloakroom", "redis", "with a log", {"repl-diskless-load": "swapdb"}),
)
WRITERS = 3
ROUND_S = 4
CATCH_UP_S = 60
POLL_S = 0.02
TROUBLE = b"== CRITICAL =="


class Behind(Exception):
    """A replica does not hold what its primary holds."""


def facts(server, section):
    with server.connect(timeout_s=30) as connection:
        text = connection.ok("INFO", section).decode()
    return dict(re.findall(r"^(\w+):(.*?)\r?$", text, re.MULTILINE))


class Load(Writer):
    """A writer for hours: its queue runs dry, and LPOP then answers null."""

    def _acknowledge(self, i, reply):
        errors = [one for one in (reply if isinstance(reply, list) else [reply]) if isinstance(one, resp.Error)]
        if errors:
            self.error = f"writer {self.units.writer}, unit {i}: {errors[0]}"
        self.acknowledged = i


class Fleet:
    """The primary and its replicas."""

    def __init__(self, kind, seed):
        self.rng = random.Random(seed)
        log = {"appendonly": "yes", "appendfsync": "everysec"}
        self.primary = servers.start(kind, {**PROMPT, **log})
        self.replicas = {}
        self.done = {}  # disturbance -> how many
        for name, its_kind, above, settings in FOLLOWERS:
            upper = self.primary if above == "primary" else self.replicas[above]
            place = {"replicaof": f"127.0.0.1 {upper.port}"}
            self.replicas[name] = servers.start(its_kind, {**PROMPT, **settings, **place})

    def stop(self):
        for server in (self.primary, *self.replicas.values()):
            server.stop()

    def load(self, seconds):
        """Writes for so long, with one disturbance in the middle."""
        writers = [self._writer(number) for number in range(WRITERS)]
        for writer in writers:
            writer.start()
        time.sleep(seconds / 2)
        self._disturb()
        time.sleep(seconds / 2)
        for writer in writers:
            writer.finish()
        for writer in writers:
            writer.join(60)
            if writer.error is not None:
                raise Behind(writer.error)

    def _writer(self, number):
        with self.primary.connect(timeout_s=60) as connection:
            digest = connection.ok("SCRIPT", "LOAD", SCRIPT).decode()
            start = int(connection.ok("GET", keys_of(number) + "n") or 0)
            units = Units(number, 200_000, huge=number == 0)
            if start == 0:
                for command in units.first():
                    connection.ok(*command)
        return Load(self.primary, units, start, digest, random.Random(self.rng.random()))

    # ---- disturbances

    def _disturb(self):
        ways = (self._kill_replica, self._restart_replica, self._cut, self._cut_all, self._freeze, self._save,
                self._rewrite, self._restart_primary, self._kill_primary, self._nothing)
        way = self.rng.choice(ways)
        name = way.__name__.strip("_").replace("_", " ")
        self.done[name] = self.done.get(name, 0) + 1
        way()

    def _any(self):
        return self.rng.choice(list(self.replicas.values()))

    def _kill_replica(self):
        replica = self._any()
        replica.kill()
        replica.launch()

    def _restart_replica(self):
        replica = self._any()
        replica.terminate()
        replica.launch()

    def _cut(self):
        with self._any().connect() as connection:
            connection.call("CLIENT", "KILL", "TYPE", "master")

    def _cut_all(self):
        with self.primary.connect() as connection:
            connection.call("CLIENT", "KILL", "TYPE", "replica")

    def _freeze(self):
        replica = self._any()
        replica.signal(19)  # SIGSTOP
        time.sleep(1)
        replica.signal(18)  # SIGCONT

    def _save(self):
        with self.rng.choice((self.primary, self._any())).connect() as connection:
            connection.call("BGSAVE")

    def _rewrite(self):
        with self.rng.choice((self.primary, self._any())).connect() as connection:
            connection.call("BGREWRITEAOF")

    def _restart_primary(self):
        self.primary.terminate()
        self.primary.launch()

    def _kill_primary(self):
        self.primary.kill()
        self.primary.launch()

    def _nothing(self):
        pass

    # ---- checks

    def check(self):
        """The texts of what is wrong; none if every replica holds what the primary holds."""
        wrong = []
        for name, replica in self.replicas.items():
            try:
                self._check(name, replica)
            except (Behind, OSError, resp.ConnectionClosed, resp.ReplyTimeout, AssertionError) as error:
                wrong.append(f"{name}: {error}")
        return wrong

    def _check(self, name, replica):
        deadline = time.monotonic() + CATCH_UP_S
        while True:
            behind = facts(replica, "replication")
            if behind.get("master_link_status") == "up" and self._offset() == int(behind["slave_repl_offset"]):
                break
            if time.monotonic() > deadline:
                raise Behind(f"not at {self._offset()} after {CATCH_UP_S} s: {behind}")
            time.sleep(POLL_S)
        with self.primary.connect(timeout_s=60) as above, replica.connect(timeout_s=60) as below:
            if above.ok("DEBUG", "DIGEST") != below.ok("DEBUG", "DIGEST"):
                raise Behind(f"other data than the primary; keys {above.ok('DBSIZE')}, {below.ok('DBSIZE')}")
        if TROUBLE in replica.log_path.read_bytes():
            raise Behind(f"its log says {TROUBLE.decode()}; see {replica.log_path}")

    def _offset(self):
        return int(facts(self.primary, "replication")["master_repl_offset"])

    def syncs(self):
        """Full and partial syncs that the primary has granted since its start."""
        stats = facts(self.primary, "stats")
        return stats["sync_full"], stats["sync_partial_ok"]


def say(text):
    print(text, flush=True)


def run(fleet, seconds):
    """Returns how many checks there were, and what was wrong."""
    end = time.monotonic() + seconds
    checks, wrong = 0, []
    while time.monotonic() < end and not wrong:
        fleet.load(ROUND_S)
        wrong = fleet.check()
        checks += len(fleet.replicas)
        if checks % (10 * len(fleet.replicas)) == 0:
            say(f"{checks} checks, {max(0, int(end - time.monotonic()))} s to go; the primary is at {fleet._offset()}, "
                f"full and partial syncs since its start: {fleet.syncs()}")
    return checks, wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--server", choices=servers.KINDS, default="cloakroom")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    options = parser.parse_args()
    say(f"seed {options.seed}, {len(FOLLOWERS)} replicas")
    # A thread's failure is one of the run.
    threading.excepthook = lambda failure: sys.exit(str(failure))
    fleet = Fleet(options.server, options.seed)
    try:
        checks, wrong = run(fleet, options.seconds)
        for text in wrong:
            say(f"FAILED {text}")
        say("disturbances: " + ", ".join(f"{name} {count}" for name, count in sorted(fleet.done.items())))
    finally:
        fleet.stop()
    say(f"{checks - len(wrong)} passed, {len(wrong)} failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
