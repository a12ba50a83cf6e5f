"""Disturbs whole databases while others work, and checks what must hold after a restart.

Coats move between two databases that are swapped, and change their names: each must exist exactly once. One MSET writes
a generation of keys into a database that is flushed: it must be there whole or not at all. Sets that expire within
moments are united into others that stay: a union must be whole whenever its sources expired. Scripts keep a database to
themselves.
"""

import threading

from support import resp

COATS, BIG_COATS = 2000, 20_000
COAT_DBS = (2, 3)
GENERATION_DB, GENERATION = 4, 60
UNION_DB, UNIONS = 5, 40
BUSY_DB = 15
MOMENT = "local n = 0 repeat n = n + 1 until n > tonumber(ARGV[1]) return n"
LONGEST_LOOP = 2_000_000
MEMBERS, SOURCES_AHEAD, LONGEST_LIFE_MS = 5, 8, 150
# Unites only sources that are still whole; the same script records that it did.
UNITE = """local size = tonumber(ARGV[1])
if redis.call('SCARD', KEYS[1]) ~= size or redis.call('SCARD', KEYS[2]) ~= size then return 0 end
redis.call('SUNIONSTORE', KEYS[3], KEYS[1], KEYS[2])
redis.call('COPY', KEYS[1], KEYS[4], 'REPLACE')
redis.call('PERSIST', KEYS[4])
redis.call('SET', KEYS[5], ARGV[2])
return 1"""


def prepare(connection, coats):
    connection.ok("SELECT", COAT_DBS[0])
    for at in range(0, coats, 500):
        connection.ok("MSET", *(word for n in range(at, at + 500) for word in (f"coat{n}", n)))
    connection.ok("SELECT", 0)


def differences(connection, coats):
    """What is wrong with a restarted server, as texts."""
    texts = [_coats_difference(connection, coats), _generation_difference(connection),
             _unions_difference(connection)]
    connection.ok("SELECT", 0)
    return [text for text in texts if text]


def _coats_difference(connection, coats):
    found = {}
    for db in COAT_DBS:
        connection.ok("SELECT", db)
        names = connection.ok("KEYS", "*")
        values = connection.ok("MGET", *names) if names else []
        for name, value in zip(names, values):
            if name.removeprefix(b"coat").removeprefix(b"away") != value:
                return f"{name} holds {value!r}"
            if value in found:
                return f"coat {value!r} is there twice"
            found[value] = name
    return None if len(found) == coats else f"{len(found)} coats are there, not {coats}"


def _generation_difference(connection):
    connection.ok("SELECT", GENERATION_DB)
    names = connection.ok("KEYS", "*")
    if not names:
        return None
    values = connection.ok("MGET", *names)
    if len(names) != GENERATION or len(set(values)) != 1:
        return f"{len(names)} keys of {len(set(values))} generations are there"
    return None


def _unions_difference(connection):
    connection.ok("SELECT", UNION_DB)
    for slot, done in enumerate(connection.ok("MGET", *(f"done{slot}" for slot in range(UNIONS)))):
        if done is None:
            continue
        n = int(done)
        union, copy = (sorted(connection.ok("SMEMBERS", f"{name}{slot}")) for name in ("union", "copy"))
        if union != sorted(_members(n) + _members(n + 1)) or copy != sorted(_members(n)):
            return f"union {n} holds {union}, its copy {copy}"
    return None


def _members(n):
    return [b"%d:%d" % (n, i) for i in range(MEMBERS)]


class Disorder(threading.Thread):
    """One kind of disorder, with a connection of its own, until the server is gone."""

    def __init__(self, server, kind, coats, start, rng):
        super().__init__(daemon=True)
        self.error = None
        self._server, self._coats, self._rng = server, coats, rng
        self._deed = {"wander": self._wander, "swap": self._swap, "flush": self._flush, "unite": self._unite,
                      "busy": self._busy}[kind]
        self._n = start
        self._stopping = False

    def finish(self):
        self._stopping = True

    def run(self):
        try:
            with self._server.connect(timeout_s=60) as connection:
                while not self._stopping:
                    self._deed(connection)
        except (OSError, resp.ConnectionClosed):
            pass
        except (AssertionError, resp.ReplyTimeout) as error:
            self.error = f"disorder: {error}"

    def _wander(self, connection):
        n = self._rng.randrange(self._coats)
        names = [f"coat{n}", f"away{n}"]
        self._rng.shuffle(names)
        connection.pipeline([("SELECT", self._rng.choice(COAT_DBS)), ("MOVE", names[0], self._rng.choice(COAT_DBS)),
                             ("RENAME", *names), ("MOVE", names[1], self._rng.choice(COAT_DBS))])

    def _swap(self, connection):
        connection.pipeline([("SWAPDB", *COAT_DBS)] * 4)

    def _flush(self, connection):
        self._n += 1
        words = [word for i in range(GENERATION) for word in (f"generation{i}", self._n)]
        connection.pipeline([("SELECT", GENERATION_DB), ("MSET", *words), ("FLUSHDB",), ("MSET", *words)])

    def _unite(self, connection):
        """Unites sources that were made some rounds ago and soon expire: some of them between the instant of a save
        and the moment when it reaches them."""
        self._n += 1
        made, n = self._n + SOURCES_AHEAD, self._n
        connection.pipeline([("SELECT", UNION_DB), ("SADD", f"source{made}", *_members(made)),
                             ("PEXPIRE", f"source{made}", self._rng.randrange(5, LONGEST_LIFE_MS))])
        slot = n % UNIONS
        connection.ok("EVAL", UNITE, 5, f"source{n}", f"source{n + 1}", f"union{slot}", f"copy{slot}", f"done{slot}",
                      MEMBERS, n)

    def _busy(self, connection):
        connection.ok("SELECT", BUSY_DB)
        reply = connection.call("EVAL", MOMENT, 0, self._rng.randrange(LONGEST_LOOP))
        # When the server ends, it does not wait for a script that has written nothing.
        killed = isinstance(reply, resp.Error) and b"Script killed by user" in reply
        if isinstance(reply, resp.Error) and not killed:
            raise AssertionError(f"a long script answered {reply!r}")


def start(server, coats, first, random):
    """All kinds of disorder; `random()` makes a generator for each."""
    kinds = ("wander", "wander", "swap", "swap", "flush", "unite", "busy")
    return [Disorder(server, kind, coats, first, random()) for kind in kinds]
