"""A writer's units, as a function of a counter, and what a server must hold after n of them.

Unit i of writer w is one atomic step: a transaction, a script, or one MSET. It sets the counter
`w:n` to i, so that a restarted server says by itself which units it kept; `Model` then says what
every key of w must hold. No unit can be repeated or left out unnoticed: INCRBY, HINCRBY and APPEND
show a unit that was applied twice, SREM and DEL one that was not applied at all. Lists show both,
and the order.
"""

import random

from support import resp, value_types
from support.value_types import Scores

SCRIPT = """local at = 1
while at <= #ARGV do
  local count = tonumber(ARGV[at])
  redis.call(unpack(ARGV, at + 1, at + count))
  at = at + count + 1
end
return 'done'"""
STRINGS, FIELDS, MORTALS, WINDOW = 40, 30, 20, 100
LARGE_EVERY, RENEWED_EVERY = 97, 251
HUGE = 20_000  # members of a set, fields of a hash, elements of a list, written to while they are saved
FAR_MS = 4_000_000_000_000  # the year 2096


def keys_of(writer):
    """The prefix of all keys of a writer."""
    return f"{writer}:"


def filler(number, size):
    """Bytes of which half are random and half are not, so that they compress as well as a shop's data."""
    return random.Random(number).randbytes(size // 2) + b"<div class=cart>" * (size // 32)


class Units:
    """The units of one writer. Now and then a value has `large_bytes`; `huge` adds big collections."""

    def __init__(self, writer, large_bytes, huge=False):
        self.writer = writer
        self._large_bytes = large_bytes
        self._huge = huge

    def first(self):
        """Commands that come before unit 1, or none."""
        if not self._huge:
            return []
        key, steps = keys_of(self.writer), range(0, HUGE, 1000)
        return [("SADD", key + "hugeset", *(f"member{n}" for n in range(at, at + 1000)))
                for at in steps] + \
               [("ZADD", key + "hugezset", *(word for n in range(at, at + 1000)
                                             for word in (n, f"member{n}"))) for at in steps] + \
               [("HSET", key + "hugehash", *(word for n in range(at, at + 1000)
                                             for word in (f"field{n}", n))) for at in steps] + \
               [("RPUSH", key + "hugelist", *(f"element{n}" for n in range(at, at + 1000)))
                for at in steps]

    def commands(self, i):
        """The commands of unit i, in their order."""
        key = keys_of(self.writer)
        if i % 3 == 2:
            return [("MSET", key + "n", i, f"{key}s{i % STRINGS}", f"mset{i}", key + "last", i)]
        done = [
            ("SET", key + "n", i),
            ("SET", f"{key}s{i % STRINGS}", "v" * (i * 37 % 200) + str(i)),
            ("HSET", key + "hash", f"f{i % FIELDS}", i, "last", i),
            ("HINCRBY", key + "hash", "sum", i),
            ("INCRBY", key + "sum", i),
            ("SADD", key + "numbers", i),
            ("SREM", key + "numbers", i - WINDOW, i - WINDOW - 1, i - WINDOW - 2),
            ("SADD", key + "words", f"word{i}"),
            ("SREM", key + "words", *(f"word{i - WINDOW - n}" for n in range(3))),
            ("ZADD", key + "scores", i, f"m{i % FIELDS}", i * 7, "last"),
            ("ZINCRBY", key + "scores", i, "sum"),
            ("ZREM", key + "scores", f"m{(i + 7) % FIELDS}"),
            ("APPEND", key + "text", chr(97 + i % 26)),
            ("RPUSH", key + "queue", f"job{i}", i),
            ("LPUSH", key + "recent", f"word{i}"),
            ("LTRIM", key + "recent", 0, WINDOW),
            ("XADD", key + "stream", f"{i}-1", "n", i, "text", "v" * (i % 50)),
            ("XDEL", key + "stream", *(f"{max(i - WINDOW - n, 0)}-1" for n in range(3))),
        ]
        return done + list(self._now_and_then(key, i))

    def _now_and_then(self, key, i):
        if i > WINDOW:
            yield "LPOP", key + "queue", 2
        if i % 4 == 0:
            yield "LSET", key + "recent", 0, f"set{i}"
        if i % 5 == 0:
            yield "LMOVE", key + "queue", key + "done", "RIGHT", "LEFT"
            yield "LTRIM", key + "done", 0, 200
        if i % 7 == 0:
            yield "LINSERT", key + "recent", "BEFORE", f"word{i - 1}", f"inserted{i}"
            yield "LREM", key + "recent", 0, f"inserted{i - 35}"
        if i % 5 == 0:
            yield "SET", f"{key}e{i % MORTALS}", i
            yield "PEXPIREAT", f"{key}e{i % MORTALS}", FAR_MS + i
        if i % 7 == 0:
            yield "DEL", f"{key}s{(i + STRINGS // 2) % STRINGS}"
        if i % 11 == 0:
            yield "PERSIST", f"{key}e{i * 5 % MORTALS}"
        if i % LARGE_EVERY == 0:
            yield "SET", key + "large", filler(i, self._large_bytes)
        if i % RENEWED_EVERY == 0:
            yield "DEL", key + "text", key + "hash"
        if self._huge:
            yield "SREM", key + "hugeset", f"member{i % HUGE}"
            yield "SADD", key + "hugeset", f"late{i % HUGE}"
            yield "HSET", key + "hugehash", f"field{i * 7 % HUGE}", i
            yield "LSET", key + "hugelist", i * 7 % HUGE, f"set{i}"
            yield "RPOPLPUSH", key + "hugelist", key + "hugelist"
            yield "ZADD", key + "hugezset", i, f"member{i * 11 % HUGE}"

    def request(self, i, digest):
        """(the bytes of unit i, how many replies they have). `digest` is the script's, or None
        if only EVAL is known to work."""
        commands = self.commands(i)
        if i % 3 == 2:
            return resp.encode(commands[0]), 1
        if i % 3 == 1:
            words = [word for command in commands for word in (len(command), *command)]
            head = ("EVALSHA", digest) if digest else ("EVAL", SCRIPT)
            return resp.encode((*head, 0, *words)), 1
        all_of_it = [("MULTI",), *commands, ("EXEC",)]
        return b"".join(map(resp.encode, all_of_it)), len(all_of_it)


class Model:
    """What the keys of one writer hold after n units. It only goes forward."""

    def __init__(self, units):
        self._units = units
        self.n = 0
        self.values = {}  # key -> bytes, dict, set or list
        self.expiries_ms = {}
        for command in units.first():
            self._apply(*command)

    def forward(self, n):
        """Applies the units after those that it has already applied, up to n."""
        for i in range(self.n + 1, n + 1):
            for command in self._units.commands(i):
                self._apply(*command)
        self.n = n

    def _apply(self, verb, key, *arguments):
        arguments = [resp.to_bytes(argument) for argument in arguments]
        getattr(self, "_" + verb.lower())(key.encode(), *arguments)

    def _set(self, key, value):
        self.values[key] = value
        self.expiries_ms.pop(key, None)

    def _mset(self, *words):
        for key, value in zip(words[::2], words[1::2]):
            self._set(key, value)

    def _del(self, *keys):
        for key in keys:
            self.values.pop(key, None)
            self.expiries_ms.pop(key, None)

    def _append(self, key, value):
        self.values[key] = self.values.get(key, b"") + value

    def _incrby(self, key, amount):
        self.values[key] = b"%d" % (int(self.values.get(key, 0)) + int(amount))

    def _hset(self, key, *words):
        self.values.setdefault(key, {}).update(zip(words[::2], words[1::2]))

    def _hincrby(self, key, field, amount):
        fields = self.values.setdefault(key, {})
        fields[field] = b"%d" % (int(fields.get(field, 0)) + int(amount))

    def _sadd(self, key, *members):
        self.values.setdefault(key, set()).update(members)

    def _srem(self, key, *members):
        self.values.get(key, set()).difference_update(members)

    def _rpush(self, key, *elements):
        self.values.setdefault(key, []).extend(elements)

    def _lpush(self, key, *elements):
        self._keep(key, [*elements[::-1], *self.values.get(key, [])])

    def _lpop(self, key, count):
        self._keep(key, self.values.get(key, [])[int(count):])

    def _ltrim(self, key, first, last):
        self._keep(key, self.values.get(key, [])[int(first):int(last) + 1])

    def _lset(self, key, index, element):
        self.values[key][int(index)] = element

    def _linsert(self, key, _, pivot, element):
        if pivot in self.values.get(key, []):
            self.values[key].insert(self.values[key].index(pivot), element)

    def _lrem(self, key, _, element):
        self._keep(key, [other for other in self.values.get(key, []) if other != element])

    def _lmove(self, key, to, *_):
        if key in self.values:
            element = self.values[key].pop()
            self._keep(key, self.values[key])
            self._lpush(to, element)

    def _rpoplpush(self, key, to):
        self._lmove(key, to)

    def _keep(self, key, elements):
        """The list's new elements; one without any is no key."""
        if elements:
            self.values[key] = elements
        else:
            self.values.pop(key, None)

    def _zadd(self, key, *words):
        self.values.setdefault(key, Scores()).update(zip(words[1::2], words[::2]))

    def _zincrby(self, key, amount, member):
        scores = self.values.setdefault(key, Scores())
        scores[member] = b"%d" % (int(scores.get(member, 0)) + int(amount))

    def _zrem(self, key, member):
        self.values.get(key, Scores()).pop(member, None)

    def _xadd(self, key, entry_id, *words):
        self.values.setdefault(key, value_types.Entries()).append((entry_id, words))

    def _xdel(self, key, *ids):
        stream = self.values.get(key, ())
        stream[:] = [entry for entry in stream if entry[0] not in ids]

    def _pexpireat(self, key, when_ms):
        self.expiries_ms[key] = int(when_ms)

    def _persist(self, key):
        self.expiries_ms.pop(key, None)
