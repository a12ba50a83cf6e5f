"""The types of values, one row each: what the runners need to know to read and compare them."""

from dataclasses import dataclass

SHOWN = 200  # bytes of a string


@dataclass(frozen=True)
class ValueType:
    """One type. `letter` begins the names of its keys in the differential run (s0, h1 ...)."""
    name: bytes  # the reply of TYPE
    letter: bytes
    read: tuple  # the command that reads all of a key; the key comes after the first word
    walk: str | None = None  # the command that does so page by page
    model: type = list  # the Python type of a key's value in a model
    items: object = list  # a reply of `read` or `walk` -> its items, equal where the values are

    def request(self, key):
        return (self.read[0], key, *self.read[1:])

    def value(self, reply):
        """A reply of `read` as a model keeps it."""
        return reply if self.model is bytes else self.model(self.items(reply))


class Scores(dict):
    """A sorted set in a model: member -> score, as the server prints it."""


def _pairs(reply):
    return sorted(zip(reply[::2], reply[1::2]))


class Entries(list):
    """A model's stream: (ID, (field, value ...)) in order."""


def _entries(reply):
    return [(entry_id, tuple(words)) for entry_id, words in reply]


VALUE_TYPES = (
    ValueType(b"string", b"s", ("GET",), model=bytes, items=bytes),
    ValueType(b"hash", b"h", ("HGETALL",), walk="HSCAN", model=dict, items=_pairs),
    ValueType(b"set", b"t", ("SMEMBERS",), walk="SSCAN", model=set, items=sorted),
    ValueType(b"list", b"l", ("LRANGE", 0, -1)),
    ValueType(b"zset", b"z", ("ZRANGE", 0, -1, "WITHSCORES"), walk="ZSCAN", model=Scores, items=_pairs),
    ValueType(b"stream", b"x", ("XRANGE", "-", "+"), model=Entries, items=_entries),
)
BY_NAME = {row.name: row for row in VALUE_TYPES}


def of_model(value):
    """The row of the type that has models like this one."""
    return next(row for row in VALUE_TYPES if row.model is type(value))


def model_difference(row, found, expected):
    """The difference of two values, as models keep them, as text, or None."""
    if found == expected:
        return None
    if row.model is bytes:
        return (f"is {len(found or b'')} bytes {found and found[-SHOWN:]!r}, should be {len(expected)} bytes "
                f"{expected[-SHOWN:]!r}")
    if row.model is list:
        at = next((n for n, pair in enumerate(zip(found, expected)) if pair[0] != pair[1]), None)
        return (f"has {len(found)} elements, should have {len(expected)}; the first that differs is {at}: "
                f"{found[at:][:3] if at is not None else ''}")
    found, expected = (set(value.items()) if issubclass(row.model, dict) else set(value) for value in (found, expected))
    return f"has {sorted(found - expected)[:5]}, lacks {sorted(expected - found)[:5]}"

