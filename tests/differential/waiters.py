#!/usr/bin/python3
"""Several blocked clients, one that tracks keys and one that hears events: the same steps, one after the other,
on redis-server and on Cloakroom. Who is served, with what and in which order must be the same.

    waiters.py                      500 steps, a random seed
    waiters.py --seed 7 --steps 5000
    waiters.py --under-test redis   redis-server against itself

The last line is "N passed, N failed", in steps. A difference is shown with the steps before it.
"""

import argparse
import random
import re
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support import resp, servers  # noqa: E402

KEYS = ("k1", "k2", "k3", "k4")
WAITERS = 6
# A reply that one server has sent comes from the other within this time, or never.
PATIENCE_S = 2.0
GLANCE_S = 0.004
SHOWN_STEPS = 30
SETTINGS = {"notify-keyspace-events": "KEA"}


class Difference(Exception):
    """What the two servers did differently."""


class Steps:
    """Draws requests. Values are numbered, so that each is seen once."""

    def __init__(self, seed):
        self._random = random.Random(seed)
        self._number = 0

    def chance(self, part):
        return self._random.random() < part

    def below(self, limit):
        return self._random.randrange(limit)

    def _key(self):
        return self._random.choice(KEYS)

    def _pick(self, *requests):
        return self._random.choice(requests)

    def blocking(self):
        key, other, end = self._key(), self._key(), self._pick("LEFT", "RIGHT")
        return self._pick(
            ("BLPOP", key, other, 0), ("BRPOP", key, 0), ("BRPOPLPUSH", key, other, 0),
            ("BLMOVE", key, other, end, self._pick("LEFT", "RIGHT"), 0),
            ("BLMPOP", 0, 2, key, other, end, "COUNT", self._pick(1, 3)),
            ("BZPOPMIN", key, other, 0), ("BZPOPMAX", key, 0), ("BZMPOP", 0, 2, key, other, "MIN", "COUNT", 2),
            ("XREAD", "BLOCK", 0, "STREAMS", key, "$"),
            ("XREAD", "COUNT", 1, "BLOCK", 0, "STREAMS", key, other, "$", "$"),
            ("XREADGROUP", "GROUP", "g", f"c{self.below(3)}", "BLOCK", 0, "STREAMS", key, ">"))

    def change(self):
        self._number += 1
        key, other, new = self._key(), self._key(), f"v{self._number}"
        entry = f"{self._number + 100}-1"
        return self._pick(
            ("RPUSH", key, new), ("LPUSH", key, new, new + "b", new + "c"), ("LPOP", key),
            ("LMOVE", key, other, "LEFT", "RIGHT"), ("ZADD", key, self.below(5), new, 1, new + "b"), ("ZPOPMIN", key),
            ("XADD", key, entry, "f", new), ("XDEL", key, f"{self._number + 99}-1"), ("XTRIM", key, "MAXLEN", 1),
            ("XGROUP", "CREATE", key, "g", "$"), ("XGROUP", "CREATE", key, "g", 0, "MKSTREAM"),
            ("XGROUP", "DESTROY", key, "g"), ("XGROUP", "SETID", key, "g", 0), ("SADD", key, new), ("SETNX", key, new),
            ("DEL", key), ("EXPIRE", key, -1), ("RENAMENX", key, other), ("COPY", key, other), ("MOVE", key, 1),
            ("FLUSHDB",))

    def requests(self):
        """A change alone, several in a transaction, or several in a script."""
        if self.chance(0.6):
            return [self.change()]
        changes = [self.change() for _ in range(1 + self.below(4))]
        if self.chance(0.6):
            return [("MULTI",), *changes, ("EXEC",)]
        calls = ("redis.pcall(%s)" % ",".join(f"'{word}'" for word in change) for change in changes)
        return [("EVAL", " ".join(calls), 0)]


class Side:
    """One server and the clients that it has."""

    def __init__(self, kind):
        self._server = servers.start(kind, SETTINGS)
        self.main = self._server.connect()
        self.events = self._server.connect()
        self.events.call("PSUBSCRIBE", "__key*")
        self.tracker = self._server.connect()
        self.tracker.hello(3)
        self.tracker.ok("CLIENT", "TRACKING", "ON")
        self.waiters = [self._server.connect() for _ in range(WAITERS)]
        for waiter in self.waiters[::2]:
            waiter.hello(3)
        self._ids = [waiter.ok("CLIENT", "ID") for waiter in self.waiters]
        self._early = [None] * WAITERS

    def stop(self):
        self._server.stop()

    def begin(self, waiter, request):
        """Returns when the request waits, or has its reply: who waits first is served first."""
        self.waiters[waiter].send(*request)
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline and self._early[waiter] is None:
            if re.search(rb" flags=\w*b", self.main.ok("CLIENT", "LIST", "ID", self._ids[waiter])):
                return
            self._early[waiter] = self.reply_of(waiter, GLANCE_S)

    def reply_of(self, waiter, timeout_s):
        """In a list; None: it still waits."""
        if self._early[waiter] is not None:
            reply, self._early[waiter] = self._early[waiter], None
            return reply
        try:
            return [self.waiters[waiter].read(timeout_s)]
        except resp.ReplyTimeout:
            return None

    def unblock(self, waiter, how):
        return self.main.call("CLIENT", "UNBLOCK", self._ids[waiter], how)

    def heard(self):
        """The events since the last call, in their order."""
        self.events.send("PING")
        messages = []
        while True:
            message = self.events.read()
            if message[0] == b"pong":
                return messages
            messages.append([message[2], message[3]])

    def remember(self, key):
        """Reads a key, so that its next change is told."""
        self.tracker.send("EXISTS", key)
        return self.invalidated()

    def invalidated(self):
        """The keys that the tracking client was told of, before a reply."""
        keys = []
        self.tracker.send("PING")
        while True:
            message = self.tracker.read()
            if message == b"PONG":
                # A flush invalidates all keys, so those besides do not matter.
                return [None] if None in keys else sorted(keys)
            if isinstance(message, resp.Push):
                keys += message[1] if isinstance(message[1], list) else [message[1]]


class Duel:
    """Plays the steps on both sides."""

    def __init__(self, kinds, seed):
        self._sides = [Side(kind) for kind in kinds]
        self._steps = Steps(seed)
        self._waits = [None] * WAITERS
        self.history = []

    def stop(self):
        for side in self._sides:
            side.stop()

    def step(self):
        """One step; raises Difference."""
        for waiter in range(WAITERS):
            if self._waits[waiter] is None and self._steps.chance(0.5):
                self._block(waiter)
        if self._steps.chance(0.05):
            self._unblock(self._steps.below(WAITERS), "ERROR" if self._steps.chance(0.5) else "TIMEOUT")
        for request in self._steps.requests():
            self._compare(request, [side.main.call(*request) for side in self._sides])
        self._settle()

    def _block(self, waiter):
        request = self._steps.blocking()
        self.history.append((waiter, *request))
        self._waits[waiter] = request
        for side in self._sides:
            side.begin(waiter, request)
        self._settle()

    def _unblock(self, waiter, how):
        self._compare(("unblock", waiter, how), [side.unblock(waiter, how) for side in self._sides])

    def _settle(self):
        """What the waiters got, the events, and the invalidations."""
        for waiter in range(WAITERS):
            if self._waits[waiter] is None:
                continue
            replies = [side.reply_of(waiter, GLANCE_S) for side in self._sides]
            if (replies[0] is None) != (replies[1] is None):
                late = 0 if replies[0] is None else 1
                replies[late] = self._sides[late].reply_of(waiter, PATIENCE_S)
            self._compare(("reply of", waiter, *self._waits[waiter]), replies)
            if replies[0] is not None:
                self._waits[waiter] = None
        self._compare(("events",), [side.heard() for side in self._sides])
        key = KEYS[self._steps.below(len(KEYS))]
        self._compare(("invalidated, before EXISTS", key), [[side.invalidated(), side.remember(key)] for side in self._sides])

    def _compare(self, what, got):
        self.history.append(what)
        if not resp.same(got[0], got[1]):
            raise Difference(f"{what}:\n  {got[0]!r}\n  {got[1]!r}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    parser.add_argument("--under-test", choices=servers.KINDS, default="cloakroom")
    options = parser.parse_args()
    print(f"seed {options.seed}")
    duel = Duel(("redis", options.under_test), options.seed)
    done = 0
    try:
        while done < options.steps:
            duel.step()
            done += 1
    except Difference as difference:
        for step in duel.history[-SHOWN_STEPS:]:
            print("   ", *step)
        print(difference)
    finally:
        duel.stop()
    print(f"{done} passed, {0 if done == options.steps else 1} failed")
    return done != options.steps


if __name__ == "__main__":
    sys.exit(main())
