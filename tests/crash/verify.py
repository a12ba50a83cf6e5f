"""Checks a restarted server: is its data that of one instant, and of a late enough one?"""

import hashlib

from crash import transfers, units
from support import resp, value_types

BALLAST_DB = 1
BALLAST_DIGESTS = """local digests = {}
for i = 1, ARGV[1] do
  local value = redis.call('GET', 'ballast' .. i)
  digests[i] = value and redis.sha1hex(value) or 'absent'
end
return digests"""


class Ballast:
    """Data that is written once, so that saves and loads take some time."""

    def __init__(self, values, value_bytes, small_keys):
        self._values = [units.filler(-1 - n, value_bytes) for n in range(values)]
        self._small_keys = small_keys

    def write(self, connection):
        connection.ok("SELECT", BALLAST_DB)
        for n, value in enumerate(self._values, 1):
            connection.ok("SET", f"ballast{n}", value)
        for at in range(0, self._small_keys, 1000):
            connection.ok("MSET", *(word for n in range(at, at + 1000)
                                    for word in (f"small{n}", n)))
        connection.ok("SELECT", 0)

    def difference(self, connection):
        connection.ok("SELECT", BALLAST_DB)
        count = connection.ok("DBSIZE")
        digests = connection.ok("EVAL", BALLAST_DIGESTS, 0, len(self._values))
        connection.ok("SELECT", 0)
        if count != len(self._values) + self._small_keys:
            return f"database {BALLAST_DB} holds {count} keys"
        expected = [hashlib.sha1(value).hexdigest().encode() for value in self._values]
        wrong = [n for n, pair in enumerate(zip(digests, expected), 1) if pair[0] != pair[1]]
        return f"ballast {wrong} differs" if wrong else None


def counter(connection, writer):
    """The last unit of this writer, according to the server."""
    return int(connection.ok("GET", units.keys_of(writer) + "n") or 0)


def writer_difference(connection, model, writer):
    """How the server's data of a writer differs from the model, as text, or None."""
    prefix = units.keys_of(writer).encode()
    keys = set(connection.ok("KEYS", prefix + b"*"))
    if keys != set(model.values):
        return (f"only the server has {sorted(keys - set(model.values))}, it lacks "
                f"{sorted(set(model.values) - keys)}")
    ordered = sorted(keys)
    rows = [value_types.of_model(model.values[key]) for key in ordered]
    requests = [request for key, row in zip(ordered, rows)
                for request in (row.request(key), ("PEXPIRETIME", key))]
    replies = connection.pipeline(requests)
    for key, row, reply, expiry_ms in zip(ordered, rows, replies[::2], replies[1::2]):
        text = reply.decode() if isinstance(reply, resp.Error) else \
            value_types.model_difference(row, row.value(reply), model.values[key])
        if text:
            return f"{key.decode()} {text}"
        if expiry_ms != model.expiries_ms.get(key, -1):
            return f"{key.decode()} expires at {expiry_ms}, not {model.expiries_ms.get(key)}"
    return None


def differences(connection, models, bounds, ballast):
    """All errors, as texts. `bounds` are (least, most) units of each writer."""
    for writer, (model, (least, most)) in enumerate(zip(models, bounds)):
        n = counter(connection, writer)
        if not least <= n <= most:
            yield f"writer {writer} is at unit {n}, but {least} are promised, {most} were sent"
        if n < model.n:
            yield f"writer {writer} fell back from unit {model.n} to {n}"
            continue
        model.forward(n)
        text = writer_difference(connection, model, writer)
        if text:
            yield f"writer {writer} at unit {n}: {text}"
    for text in (transfers.difference(connection), ballast.difference(connection)):
        if text:
            yield text
