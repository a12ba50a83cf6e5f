"""Turns the lines of vocabulary.py into functions that append encoded arguments to a list.

Arguments are kept as the bytes of a RESP bulk string from the start, so that a request is one join.
"""

import re

from differential import vocabulary

MAX_REPEAT = 4


def bulk(data):
    return b"$%d\r\n%s\r\n" % (len(data), data)


def unbulk(encoded):
    return encoded[encoded.index(b"\n") + 1:-2]


def request(arguments):
    return b"*%d\r\n%s" % (len(arguments), b"".join(arguments))


class Grammar:
    """The pools of one random generator. `compile` gives a function that appends to a list."""

    def __init__(self, rng):
        self._random = rng.random
        self._pools = {name: [bulk(item) for item in items]
                       for name, items in vocabulary.POOLS.items()}
        self._unique = 0

    def pick(self, name):
        items = self._pools[name]
        return items[int(self._random() * len(items))]

    def compile(self, line):
        """(name, weight, emit) for a line of the vocabulary; the name is COMMAND's."""
        weight, _, rest = line.rpartition(": ")
        tokens = re.findall(r"[\[\]()|+]|[^\s\[\]()|+]+", rest)
        words = [token.encode() for token in tokens[:2]]
        name = words[0].lower()
        if words[0] in vocabulary.SUBCOMMANDS and words[1].isupper():
            name += b"|" + words[1].lower()
        return name.decode(), float(weight or 1), self._choice(tokens)

    def _choice(self, tokens):
        """Consumes tokens up to a closing bracket: alternatives that are separated by |."""
        options, sequence = [], []
        while tokens and tokens[0] not in ("]", ")"):
            token = tokens.pop(0)
            if token == "|":
                options.append(_sequence(sequence))
                sequence = []
                continue
            sequence.append(self._item(token, tokens))
        options.append(_sequence(sequence))
        return options[0] if len(options) == 1 else self._one_of(options)

    def _item(self, token, tokens):
        if token in "[(":
            item = self._choice(tokens)
            tokens.pop(0)
            if token == "[":
                return self._optional(item)
        else:
            item = self._word(token)
        if tokens and tokens[0] == "+":
            tokens.pop(0)
            return self._repeated(item)
        return item

    def _word(self, token):
        by_hand = getattr(self, "_emit_" + token, None)
        if by_hand:
            return by_hand
        if re.fullmatch(r"num\wkeys|numkeys", token):
            return self._numbered(self._word(token[3:-1] if token != "numkeys" else "key"))
        if token in self._pools:
            return self._typed_key(token) if re.fullmatch(r"\wkey", token) else self._pool(token)
        if token.islower() and token.isalpha() and token not in ("m", "km", "ft", "mi", "bogus",
                                                                 "replica", "abc"):
            raise ValueError(f"no pool is called {token}")
        literal = bulk(token.encode())
        return lambda out: out.append(literal)

    def _pool(self, name):
        items, random = self._pools[name], self._random
        count = len(items)
        return lambda out: out.append(items[int(random() * count)])

    def _typed_key(self, name):
        own, any_key, random = self._pools[name], self._pools["key"], self._random
        return lambda out: out.append(own[int(random() * len(own))] if random() < 0.9
                                      else any_key[int(random() * len(any_key))])

    def _optional(self, item):
        random = self._random

        def emit(out):
            if random() < 0.4:
                item(out)
        return emit

    def _one_of(self, options):
        random, count = self._random, len(options)
        return lambda out: options[int(random() * count)](out)

    def _repeated(self, item):
        random = self._random

        def emit(out):
            for _ in range(1 + int(random() * random() * MAX_REPEAT)):
                item(out)
        return emit

    def _numbered(self, item):
        def emit(out):
            count = 1 + int(self._random() * 3)
            out.append(bulk(b"%d" % count))
            for _ in range(count):
                item(out)
        return emit

    def _emit_uniqueseconds(self, out):
        """A lifetime that no other command of the run uses: comparing two of them never depends on
        the millisecond in which they were set."""
        self._unique += 1
        out.append(bulk(b"%d" % (1000000 + self._unique * 1000)))

    def _emit_bitop(self, out):
        kind = int(self._random() * 4)
        if kind == 3:
            out.append(bulk(b"OVERFLOW"))
            out.append(bulk([b"WRAP", b"SAT", b"FAIL", b"BOGUS"][int(self._random() * 3.2)]))
            kind = 2
        out.append(bulk([b"GET", b"SET", b"INCRBY"][kind]))
        out.append(self.pick("fieldtype"))
        out.append(self.pick("fieldoffset"))
        if kind:
            out.append(self.pick("int"))


def _sequence(items):
    if len(items) == 1:
        return items[0]
    items = tuple(items)

    def emit(out):
        for item in items:
            item(out)
    return emit
