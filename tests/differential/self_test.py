"""Proves that the comparison finds bugs: redis-server against itself with one alteration at a time.

An alteration changes one side's requests or replies, as a bug would. Each must be found, and shrunk
to a few commands. Without an alteration nothing must be found.
"""

import random

from differential import generator, servers_pair
from differential.grammar import bulk
from support import resp

COMMANDS = 40_000
LONGEST = 12
RELOAD_EVERY = 300


def _request(old, new):
    return lambda data: data.replace(bulk(old), bulk(new)), None


def _reply(old, new):
    return None, lambda data: data.replace(old, new)


def _whole(old, new):
    return lambda data: data.replace(resp.encode(old), resp.encode(new)), None


ALTERATIONS = {
    "HSETNX overwrites": _request(b"HSETNX", b"HSET"),
    "SINTERSTORE stores the union": _request(b"SINTERSTORE", b"SUNIONSTORE"),
    "PERSIST does nothing": _request(b"PERSIST", b"TOUCH"),
    "RENAME keeps the source": _request(b"RENAME", b"COPY"),
    "SETRANGE appends": _request(b"SETRANGE", b"GETRANGE"),
    "FLUSHDB flushes all": _request(b"FLUSHDB", b"FLUSHALL"),
    "EXPIREAT takes milliseconds": _request(b"EXPIREAT", b"PEXPIREAT"),
    "an error text in other words": _reply(b"-WRONGTYPE Operation", b"-WRONGTYPE operation"),
    "OK as a bulk string": _reply(b"+OK\r\n", b"$2\r\nOK\r\n"),
    "RESP3's map as an array": _reply(b"%1\r\n", b"*2\r\n"),
    "an empty array for a null array": _reply(b"*-1\r\n", b"*0\r\n"),
    "RANDOMKEY ends the server": _request(b"RANDOMKEY", b"SHUTDOWN"),
    # A file holds values, not their history: reading it back packs values that had grown.
    "RELOAD does not read the file": _whole(["DEBUG", "RELOAD"], ["DEBUG", "SLEEP", 0]),
    "another member": _reply(b"$2\r\nm3\r\n", b"$2\r\nm4\r\n"),
}


class AlteredSide(servers_pair.Side):
    """A side with a bug between its client and its server."""

    request = reply = None

    def send(self, protocol, data):
        super().send(protocol, self.request(data) if self.request else data)

    def receive(self, protocol):
        data = super().receive(protocol)
        return self.reply(data) if self.reply else data


def run(seed):
    """Returns (passed, failed), a check for each alteration and a few more."""
    from differential.run import RELOADS, Duel, Run
    honest, altered = servers_pair.start(["redis", "redis"])
    altered = AlteredSide(altered.server)
    results = [_check("a command without vocabulary", generator.missing({"get": 0, "nosuch": 0})
                      == ["nosuch"])]
    try:
        known = set(honest.command_table())
        for name, hooks in [("no alteration", (None, None)), *ALTERATIONS.items()]:
            altered.request, altered.reply = hooks
            stream = generator.Generator(seed, known, None, RELOADS, RELOAD_EVERY)
            one = Run(Duel([honest, altered]), stream, random.Random(seed), out=lambda line: None)
            while one.failed == 0 and one.passed < COMMANDS:
                one.epoch(COMMANDS)
            if hooks == (None, None):
                results.append(_check(name, one.failed == 0))
                continue
            length = len(one.shortest or [])
            results.append(_check(f"{name}: found and shrunk to {length} commands",
                                  one.failed > 0 and 0 < length <= LONGEST))
    finally:
        for side in (honest, altered):
            side.close()
            side.server.stop()
    return sum(results), len(results) - sum(results)


def _check(name, held):
    print(f"{'ok' if held else 'FAILED'}  {name}", flush=True)
    return held
