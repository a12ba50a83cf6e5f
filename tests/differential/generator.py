"""A seeded stream of commands: rows of the vocabulary, and the groups that belong together.

A step is (request bytes, name, rule or None, unit). Steps of one unit belong together: taking one
of them away would leave the servers different, or a transaction open. The same seed, families and
command tables give the same stream.
"""

import hashlib
import itertools
import random

from differential import compare, vocabulary
from differential.grammar import Grammar, bulk, request, unbulk

MUTATED = 0.04
GROUPS = 0.06
MAX_IN_TRANSACTION = 6
UNKNOWN_TO_ALL = {"bogus", "object|bogus"}
BIGGEST = 700
LEX_KEYS = {bulk(key) for key in vocabulary.POOLS["lexkey"]}
# redis-server 7.0 does not log a BITFIELD if all its writes fail, though it has created or lengthened the key;
# Cloakroom does. If the log is read back, one more write, which cannot fail, makes both servers log it.
SURE_WRITE = [bulk(word) for word in (b"SET", b"u1", b"0", b"0")]
FAIL = bulk(b"FAIL")
# redis-server 7.0 logs SORT with STORE as it is. If it sorts a small sorted set, the log's replay changes the
# encoding of that one as well; Cloakroom logs the list that it has stored.
STORE = bulk(b"STORE")
# These make a consumer, which redis-server 7.0 logs only along with an entry; Cloakroom always does.
UNLOGGED_CONSUMERS = {"xreadgroup", "xclaim", "xautoclaim"}
NOT_IN_TRANSACTION = {"watch", "unwatch", "exec", "discard", "multi"}
NOT_IN_SCRIPT = NOT_IN_TRANSACTION | {
    "evalsha", "eval", "script|exists", "script|load", "script|flush", "flushall",
    "command|getkeys"}


class Generator:
    """Builds steps. `known` is the set of names that both servers have; others are not used.
    `reloads` are requests that make a server read its data back from a file; one of them comes about
    once in `reload_every` commands, never inside a group. `logged`: the file is the log."""

    def __init__(self, seed, known, families=None, reloads=(), reload_every=0, logged=False):
        self._rng = random.Random(seed)
        self._random = self._rng.random
        self._grammar = Grammar(self._rng)
        self._known = known
        families = set(families or vocabulary.GRAMMARS)
        if families & vocabulary.COMPANIONS:
            families |= vocabulary.COMPANY
        rows = [self._grammar.compile(line.strip()) for family in vocabulary.GRAMMARS
                if family in families for line in vocabulary.GRAMMARS[family].strip().splitlines()]
        self._rows = [row for row in rows if row[0] in known or row[0] in UNKNOWN_TO_ALL]
        if not self._rows:
            raise ValueError(f"no command of {sorted(families)} is known to both servers")
        self._weights = list(itertools.accumulate(weight for _, weight, _ in self._rows))
        self._groups = self._groups_of(families)
        self._unit = 0
        self._reloads = reloads
        self._logged = logged
        self._reload_share = 1 / reload_every if reload_every and reloads else 0

    def _groups_of(self, families):
        groups = [
            ("transactions", {"multi", "exec"}, self._transaction),
            ("transactions", {"multi", "exec"}, self._transaction),
            ("scripting", {"eval"}, self._script), ("scripting", {"eval"}, self._script),
            ("scripting", {"evalsha", "script|load"}, self._loaded_script),
            ("scripting", {"fcall", "function|load"}, self._function),
            ("scripting", {"fcall", "function|load"}, self._function),
            ("sets", {"spop"}, self._popped), ("sets", {"srandmember"}, self._random_member),
            ("hashes", {"hrandfield"}, self._random_field),
            ("sorted sets", {"zrandmember"}, self._random_element),
            ("keys", {"randomkey"}, self._random_key), ("keys", {"scan"}, self._scan),
            ("strings", {"set"}, self._set_in_the_past),
            ("pubsub", {"subscribe", "unsubscribe", "psubscribe", "punsubscribe"},
             self._subscribed),
            ("lists", {"blpop", "multi"}, self._blocking_in_transaction),
            ("hashes", {"hset"}, self._big_hash), ("sets", {"sadd"}, self._big_set),
            ("lists", {"rpush"}, self._big_list), ("sorted sets", {"zadd"}, self._big_sorted_set),
        ]
        return [build for family, names, build in groups
                if names <= self._known and family in families]

    def steps(self, count):
        """About `count` steps; a group is never cut in two."""
        steps = []
        while len(steps) < count:
            self._unit += 1
            steps.extend(step + (self._unit,) for step in self._next_unit())
        return steps

    def _next_unit(self):
        # Without reloads no random number is drawn for them: an old seed still gives its old stream.
        if self._reload_share and self._random() < self._reload_share:
            return [self._say(*self._rng.choice(self._reloads))]
        if self._groups and self._random() < GROUPS:
            return self._rng.choice(self._groups)()
        return [self._row()]

    def _row(self):
        name, arguments = self._arguments()
        return request(arguments), name, compare.RULES.get(name)

    def _arguments(self, refused=()):
        while True:
            name, _, emit = self._rng.choices(self._rows, cum_weights=self._weights)[0]
            if name not in refused:
                break
        arguments = []
        emit(arguments)
        if self._random() < MUTATED and not self._fragile(name, arguments):
            self._mutate(arguments)
        if self._logged and name == "bitfield" and FAIL in arguments:
            arguments += SURE_WRITE
        if self._logged and name == "sort" and STORE in arguments:
            del arguments[arguments.index(STORE):]
        if self._logged and name in UNLOGGED_CONSUMERS:
            name, arguments = "xlen", [bulk(b"XLEN"), bulk(b"x0")]
        return name, arguments

    @staticmethod
    def _fragile(name, arguments):
        """Whether junk would make the reply undefined: an invented cursor, an order without meaning, a
        word that a newer server takes (ZRANK), the least of all integers as the RANK of LPOS (7.0 looks
        the key up and reports a miss, 7.2 refuses)."""
        return name.endswith(("scan", "rank", "lpos")) or name.startswith("sort") or any(
            argument in LEX_KEYS for argument in arguments)

    def _mutate(self, arguments):
        """Breaks the request: one argument fewer, one more, or junk in place of one."""
        kind = int(self._random() * 4)
        if kind == 0 and len(arguments) > 1 and unbulk(arguments[0]) not in vocabulary.SUBCOMMANDS:
            arguments.pop()
        elif kind == 1:
            arguments.append(self._grammar.pick("junk"))
        elif kind == 2 and len(arguments) > 2:
            place = 1 + int(self._random() * (len(arguments) - 1))
            if unbulk(arguments[0]) not in vocabulary.SUBCOMMANDS:
                arguments[place] = self._grammar.pick("junk")
        else:
            arguments[0] = bulk(unbulk(arguments[0]).swapcase())

    def _say(self, *words, rule=None):
        name = words[0].decode().lower()
        if words[0] in vocabulary.SUBCOMMANDS:
            name += "|" + words[1].decode().lower()
        return request([bulk(word) for word in words]), name, rule

    def _key(self, letter):
        return unbulk(self._grammar.pick(letter + "key"))

    def _pick(self, name):
        return unbulk(self._grammar.pick(name))

    def _transaction(self):
        """MULTI, some commands, and EXEC or DISCARD."""
        steps = []
        if self._random() < 0.2:
            steps.append(self._say(b"WATCH", self._pick("key")))
            if self._random() < 0.5:
                steps.append(self._row())
        steps.append(self._say(b"MULTI"))
        for _ in range(int(self._random() * MAX_IN_TRANSACTION)):
            name, arguments = self._arguments(NOT_IN_TRANSACTION)
            steps.append((request(arguments), name, compare.RULES.get(name)))
        return steps + [self._say(b"DISCARD" if self._random() < 0.1 else b"EXEC")]

    def _blocking_in_transaction(self):
        """Blocking commands reply at once inside MULTI."""
        left, right = self._key("l"), self._key("l")
        calls = [call for call in (
            (b"BLPOP", left, right, b"0"), (b"BRPOP", left, b"0"),
            (b"BRPOPLPUSH", left, right, b"0"), (b"BLMPOP", b"0", b"1", left, b"LEFT"),
            (b"BLMOVE", left, right, b"LEFT", b"RIGHT", b"0"),
            (b"BZPOPMIN", self._key("z"), b"0"), (b"BZPOPMAX", self._key("z"), b"-1"),
            (b"BZMPOP", b"0", b"1", self._key("z"), b"MIN"), (b"BLPOP", left, b"abc"))
            if call[0].decode().lower() in self._known]
        said = self._rng.sample(calls, min(3, len(calls)))
        return [self._say(b"MULTI"), *[self._say(*call) for call in said], self._say(b"EXEC")]

    def _script_call(self):
        """The words of a command whose reply needs no rule."""
        while True:
            name, arguments = self._arguments(NOT_IN_SCRIPT)
            if name not in compare.RULES:
                return [unbulk(argument) for argument in arguments]

    def _script(self):
        """EVAL of a body with random redis.call and redis.pcall statements."""
        kind = int(self._random() * 4)
        verb = b"EVAL_RO" if self._random() < 0.1 and "eval_ro" in self._known else b"EVAL"
        if kind == 0:
            return [self._say(verb, b"return redis.call(unpack(ARGV))", b"0", *self._script_call())]
        if kind == 1:
            body = b"return redis.call(KEYS[1], unpack(ARGV))"
            words = self._script_call()
            return [self._say(verb, body, b"1", *words)]
        calls = [b"redis.%s(%s)" % (b"call" if self._random() < 0.3 else b"pcall",
                                    b", ".join(map(_lua_string, self._script_call())))
                 for _ in range(1 + int(self._random() * 3))]
        if kind == 2:
            return [self._say(verb, b"return {" + b", ".join(calls) + b"}", b"0")]
        body = b"\n".join(b"local r%d = %s" % (index, call) for index, call in enumerate(calls))
        return [self._say(verb, body + b"\nreturn type(r0) == 'table' and r0.err or r0", b"0")]

    def _loaded_script(self):
        body = self._rng.choice([
            b"return redis.call(unpack(ARGV))", b"return {KEYS[1], ARGV[1], #KEYS, #ARGV}",
            b"return redis.call('GET', KEYS[1] or ARGV[1] or 's0')", b"return ARGV[1] + 1"])
        digest = hashlib.sha1(body).hexdigest().encode()
        steps = [self._say(b"EVALSHA", digest, b"0", *self._script_call())]
        return steps if self._random() < 0.5 else [self._say(b"SCRIPT", b"LOAD", body), *steps]

    def _function(self):
        """FCALL of what may be there, with or without a library that was loaded before."""
        verb = self._rng.choice([b"FCALL", b"FCALL", b"FCALL_RO"])
        call = self._say(verb, self._pick("function"), b"0", *self._script_call())
        key = self._say(verb, self._pick("function"), b"1", self._key("s"), self._pick("value"))
        load = self._say(b"FUNCTION", b"LOAD", b"REPLACE", self._pick("library"))
        return self._rng.choice([[call], [key], [load, call], [load, key]])

    def _popped(self):
        """Random members are removed, then the sets are made equal again."""
        key = self._key("t")
        count = [] if self._random() < 0.5 else [self._pick("count")]
        return [self._say(b"SCARD", key), self._say(b"SPOP", key, *count, rule=compare.shape),
                self._say(b"SCARD", key), self._say(b"DEL", key),
                self._say(b"SADD", key, self._pick("member"), self._pick("member"))]

    def _random_member(self):
        count = [] if self._random() < 0.3 else [self._pick("count")]
        return [self._say(b"SRANDMEMBER", self._key("t"), *count, rule=compare.shape)]

    def _random_field(self):
        options = [[], [self._pick("count")], [self._pick("count"), b"WITHVALUES"]]
        return [self._say(b"HRANDFIELD", self._key("h"), *self._rng.choice(options),
                          rule=compare.shape)]

    def _random_element(self):
        options = [[], [self._pick("count")], [self._pick("count"), b"WITHSCORES"]]
        return [self._say(b"ZRANDMEMBER", self._key("z"), *self._rng.choice(options),
                          rule=compare.shape)]

    def _random_key(self):
        return [self._say(b"RANDOMKEY", rule=compare.shape)]

    def _scan(self):
        options = [[], [b"MATCH", self._pick("pattern")], [b"TYPE", self._pick("type")],
                   [b"COUNT", b"1000", b"MATCH", self._pick("pattern")], [self._pick("junk")]]
        return [self._say(b"SCAN", b"0", *self._rng.choice(options),
                          rule=compare.scan(compare.unordered))]

    def _set_in_the_past(self):
        """The key is read at once, so that both servers have removed it before they count keys."""
        key = self._key("s")
        return [self._say(b"SET", key, b"past", b"PXAT", self._pick("paststamp")),
                self._say(b"EXISTS", key)]

    def _numbers(self):
        """Enough different numbers to exceed, or just not to exceed, the limits of packed encodings."""
        first = int(self._random() * 1000)
        count = int(self._random() * BIGGEST) + 1
        return [b"%d" % number for number in range(first, first + count)]

    def _big_hash(self):
        key = self._key("h")
        pairs = [word for number in self._numbers() for word in (b"b" + number, number)]
        return [self._say(b"HSET", key, *pairs), self._encoding(key),
                self._say(b"HDEL", key, *pairs[:len(pairs) // 2:2]), self._say(b"HLEN", key)]

    def _big_set(self):
        key, numbers = self._key("t"), self._numbers()
        if self._random() < 0.5:
            numbers = [b"b" + number for number in numbers]
        return [self._say(b"SADD", key, *numbers), self._encoding(key),
                self._say(b"SREM", key, *numbers[:len(numbers) // 2]), self._say(b"SCARD", key)]

    def _big_list(self):
        key = self._key("l")
        return [self._say(b"RPUSH", key, *self._numbers()), self._say(b"LTRIM", key, b"0", b"400"),
                self._say(b"LLEN", key)]

    def _big_sorted_set(self):
        key = self._key("z")
        pairs = [word for number in self._numbers() for word in (number, b"b" + number)]
        return [self._say(b"ZADD", key, *pairs), self._encoding(key),
                self._say(b"ZREMRANGEBYRANK", key, b"0", b"-100"), self._say(b"ZCARD", key)]

    def _encoding(self, key):
        return self._say(b"OBJECT", b"ENCODING", key, rule=compare.encoding)

    def _subscribed(self):
        """One channel at a time: every command then has one reply."""
        channel, pattern = self._pick("channel"), self._pick("pattern")
        inside = [self._say(b"PING"), self._say(b"PING", b"x"), self._say(b"SUBSCRIBE", channel),
                  self._say(b"PUNSUBSCRIBE", b"never")]
        return [self._say(b"SUBSCRIBE", channel), self._say(b"PSUBSCRIBE", pattern),
                *self._rng.sample(inside, 2), self._say(b"UNSUBSCRIBE", channel),
                self._say(b"PUNSUBSCRIBE", pattern), self._say(b"PING")]


def _lua_string(word):
    return b"'" + b"".join(bytes([byte]) if 48 <= byte < 123 and byte != 92 else b"\\%03d" % byte
                           for byte in word) + b"'"


def said_names():
    """Every name that the vocabulary covers, by a grammar or by hand."""
    grammar = Grammar(random.Random(0))
    return set(vocabulary.BY_HAND) | {
        grammar.compile(line.strip())[0]
        for text in vocabulary.GRAMMARS.values() for line in text.strip().splitlines()}


def missing(table):
    """The names of a server's command table that are neither covered nor excluded with a reason."""
    said = said_names()
    excluded = {name for text in vocabulary.EXCLUDED.values() for name in text.split()}
    return sorted(name for name in table if name not in said and name not in excluded
                  and name.partition("|")[0] not in excluded and not _container(name, table))


def _container(name, table):
    return any(other.startswith(name + "|") for other in table)
