"""Data with every encoding that the core's types have in a file, and a way to read it back."""

import random

from differential import servers_pair

FAR_MS = 4_000_000_000_000  # the year 2096
EDGE_NUMBERS = (0, -1, 1, 127, 128, -128, -129, 32767, 32768, -32769, 2**31 - 1, 2**31, -2**31 - 1,
                2**63 - 1, -2**63)
EDGE_SIZES = (0, 1, 20, 21, 43, 44, 45, 63, 64, 255, 256, 16383, 16384, 70_000)  # of lengths and LZF
LARGE_BYTES = 10 * 1024 * 1024


def _strings():
    noise = random.Random(1)
    for number in EDGE_NUMBERS:
        yield "SET", f"int{number}", number
    for text in ("00012", "+5", "1.5", " 7", "9223372036854775808", "-0"):
        yield "SET", f"not int {text}", text
    for size in EDGE_SIZES:
        yield "SET", f"same{size}", "a" * size
        yield "SET", f"noise{size}", noise.randbytes(size)
        yield "SET", f"text{size}", (b"<li class=item>" * (size // 15 + 1))[:size]
    yield "SET", "large same", b"\0" * (LARGE_BYTES // 8)
    yield "SET", "large noise", noise.randbytes(LARGE_BYTES // 8)
    yield "SET", "large half", (noise.randbytes(512) + b" " * 512) * (LARGE_BYTES // 1024)
    yield "APPEND", "grown", "12345"
    yield "APPEND", "grown", "678"
    yield "SETBIT", "bits", 100, 1
    yield "SETRANGE", "ranged", 30, "x"


def _keys():
    yield "SET", "", "the empty key"
    yield "SET", bytes(range(256)), bytes(range(256))
    yield "SET", "line\r\nbreak", "1"
    yield "SET", "k" * 70_000, "a long key"
    yield "SET", "12345", "a key that is a number"
    yield "HSET", b"\xff\x00hash", b"\x00", b"\xff"


def _hashes():
    noise = random.Random(2)
    yield "HSET", "hash small", "pid", "web1|5042", "lock", 0, "", "", "n", -70_000
    yield "HSET", "hash of sizes", *(word for size in range(65) for word in (f"f{size}", "v" * size))
    yield "HSET", "hash one long value", "data", "v" * 65, "n", 1
    yield "HSET", "hash session", "data", noise.randbytes(1000) + b"s" * 1000, "writes", 7
    yield "HSET", "hash noise", *(noise.randbytes(12) for _ in range(100))
    for at in range(0, 3000, 500):
        yield "HSET", "hash big", *(word for n in range(at, at + 500) for word in (f"field{n}", n))
    yield "HSET", "hash shrunk", *(word for n in range(1000) for word in (n, n))
    yield "HDEL", "hash shrunk", *range(3, 1000)


def _sets():
    yield "SADD", "set 16", 1, -1, 32767
    yield "SADD", "set 32", 1, 2**31 - 1, -2**31
    yield "SADD", "set 64", 1, 2**63 - 1, -2**63
    yield "SADD", "set full of ints", *range(512)
    yield "SADD", "set past ints", *range(600)
    yield "SADD", "set words", "a", "", "b" * 64, b"\x00\xff"
    yield "SADD", "set mixed", 1, "one"
    yield "SADD", "set long word", "w" * 65
    yield "SADD", "set 128", *(f"word{n}" for n in range(128))
    for at in range(0, 5000, 1000):
        yield "SADD", "set tag", *(f"b1f_CACHE_ENTRY_{n:020}" for n in range(at, at + 1000))
    yield "SADD", "set shrunk", 1, "word"
    yield "SREM", "set shrunk", "word"


def _lists():
    noise = random.Random(3)
    yield "RPUSH", "list small", "a", "", b"\x00\xff", "a", "007"
    yield "RPUSH", "list numbers", *EDGE_NUMBERS, *(2**bits - 1 for bits in range(64)), \
        *(-2**bits - 1 for bits in range(63))
    yield "RPUSH", "list of sizes", *("s" * size for size in range(140))
    yield "RPUSH", "list of lengths", *("l" * size for size in EDGE_SIZES)
    yield "RPUSH", "list noise", *(noise.randbytes(30) for _ in range(300))
    yield "RPUSH", "list one large", noise.randbytes(500_000) + b"l" * 500_000
    yield "RPUSH", "list some large", *("x" * 20_000 for _ in range(20)), "small", "y" * 9000
    for at in range(0, 6000, 1000):
        yield "RPUSH", "list big", *(f"element{n}" for n in range(at, at + 1000))
        yield "LPUSH", "list of numbers big", *range(at, at + 1000)
    yield "RPUSH", "list shrunk", *(f"element{n}" for n in range(3000))
    yield "LTRIM", "list shrunk", 10, 12
    yield "RPUSH", "list with holes", *(n % 10 for n in range(3000))
    yield "LREM", "list with holes", 0, 7
    yield "LINSERT", "list with holes", "AFTER", 5, "inserted"
def _zsets():
    yield "ZADD", "zset small", 1, "one", 2, "two", 2, "deux", -1.5, "", "inf", "most", "-inf", "least"
    yield "ZADD", "zset of doubles", 0.1, "a", 1e-300, "b", 1.7976931348623157e308, "c", 3, b"\x00\xff"
    yield "ZADD", "zset long member", 1, "w" * 65, 2, "short"
    yield "ZADD", "zset 128", *(word for n in range(128) for word in (n * 1000, f"word{n}"))
    yield "ZADD", "zset of integers", *(word for n in range(100) for word in (n, n * 7 - 300))
    for at in range(0, 5000, 1000):
        yield "ZADD", "zset big", *(word for n in range(at, at + 1000) for word in (n * 37 % 5000 / 8, f"m{n}"))
    yield "ZADD", "zset shrunk", *(word for n in range(300) for word in (n, n))
    yield "ZREMRANGEBYRANK", "zset shrunk", 3, -1
    yield "GEOADD", "places", 13.361389, 38.115556, "Palermo", 15.087269, 37.502669, "Catania"
def _streams():
    for n in range(250):
        yield "XADD", "stream", f"{1000 + n // 3}-{n % 3}", "same", n, "fields", "text" * (n % 5)
    yield "XADD", "stream", "2000-0", "own", -70_000, "fields", "", "more", b"\x00\xff" * 50
    yield "XADD", "stream", "3000-0", "same", 2**63 - 1, "fields", "v" * 5000
    yield "XDEL", "stream", "1001-1", "1001-2", "3000-0"
    yield "XGROUP", "CREATE", "stream", "readers", 0
    yield "XREADGROUP", "GROUP", "readers", "a", "COUNT", 120, "STREAMS", "stream", ">"
    yield "XREADGROUP", "GROUP", "readers", "b", "COUNT", 5, "STREAMS", "stream", ">"
    yield "XACK", "stream", "readers", "1000-0", "1003-0"
    yield "XGROUP", "CREATECONSUMER", "stream", "readers", "idle"
    yield "XGROUP", "CREATE", "stream empty", "waiting", "$", "MKSTREAM"
    yield "XADD", "stream trimmed", "MAXLEN", 0, "5-5", "a", 1
    yield "XSETID", "stream trimmed", "9-9", "ENTRIESADDED", 77, "MAXDELETEDID", "6-1"


def _expiries():
    yield "SET", "mortal", 1, "PX", 100_000_000
    yield "SET", "mortal far", 1, "PXAT", FAR_MS + 123
    yield "HSET", "mortal hash", "a", 1
    yield "EXPIRE", "mortal hash", 500_000
    yield "SADD", "mortal set", 1, 2
    yield "PEXPIREAT", "mortal set", FAR_MS
    yield "RPUSH", "mortal list", 1, 2
    yield "PEXPIREAT", "mortal list", FAR_MS


def fill(connection):
    """Writes all of the data into databases 0, 1 and 3; 2 stays empty."""
    for db, groups in ((0, (_strings, _keys)), (1, (_hashes, _sets, _lists, _zsets, _streams)),
                       (3, (_expiries,))):
        connection.ok("SELECT", db)
        for group in groups:
            for command in group():
                connection.ok(*command)
    connection.ok("SELECT", 0)


def change(connection):
    """Makes changes that a log has as commands: of many kinds, also by transaction and by script."""
    connection.ok("SELECT", 1)
    for command in (
            ("HINCRBY", "hash small", "n", 5), ("HINCRBYFLOAT", "hash small", "lock", "1.5"),
            ("SREM", "set 16", 1), ("SMOVE", "set words", "moved to", "a"), ("SPOP", "set 128"),
            ("SINTERSTORE", "both", "set full of ints", "set past ints"), ("HDEL", "hash big", "field1"),
            ("ZINCRBY", "zset small", 2.5, "one"), ("ZPOPMIN", "zset 128", 3), ("ZREM", "zset big", "m7"),
            ("ZREMRANGEBYSCORE", "zset big", "(10", 20), ("ZRANGESTORE", "zset part", "zset big", 0, 200),
            ("ZUNIONSTORE", "zset union", 2, "zset small", "zset 128", "WEIGHTS", 2, 0.1),
            ("RENAME", "set 32", "set renamed"), ("COPY", "set mixed", "set copied"),
            ("LPUSH", "list small", "first", 0), ("RPOP", "list small"), ("LPOP", "list numbers", 3),
            ("LINSERT", "list big", "BEFORE", "element4000", "inserted"), ("LREM", "list big", -1, "element7"),
            ("LSET", "list big", 3000, "x" * 5000), ("LTRIM", "list big", 20, -20),
            ("LMOVE", "list big", "list moved to", "LEFT", "RIGHT"), ("RPOPLPUSH", "list noise", "list noise"),
            ("BLMOVE", "list big", "list small", "RIGHT", "LEFT", 0), ("BLPOP", "list of sizes", 0),
            ("LMPOP", 2, "absent", "list of lengths", "RIGHT", "COUNT", 4), ("COPY", "list big", "list copied"),
            ("XADD", "stream", "MAXLEN", 200, "4000-0", "same", 1, "fields", 2),
            ("XREADGROUP", "GROUP", "readers", "b", "COUNT", 3, "STREAMS", "stream", ">"),
            ("XCLAIM", "stream", "readers", "c", 0, "1050-0", "FORCE"),
            ("XAUTOCLAIM", "stream", "readers", "idle", 0, "1060-0", "COUNT", 2),
            ("MOVE", "set 64", 2), ("PERSIST", "hash small"), ("EXPIRE", "hash session", 100_000)):
        connection.ok(*command)
    connection.ok("SELECT", 0)
    for command in (
            ("INCR", "int0"), ("INCRBYFLOAT", "float", "1.25"), ("APPEND", "grown", "9"),
            ("SETRANGE", "same64", 10, "changed"), ("GETDEL", "text20"), ("GETEX", "text21", "EX", 9999),
            ("SET", "kept", 1, "EX", 5000), ("SET", "kept", 2, "KEEPTTL"), ("SETNX", "new", 1),
            ("DEL", "text43", "noise43"), ("UNLINK", "noise44"), ("BITOP", "NOT", "flipped", "bits"),
            ("MSET", "m1", 1, "m2", 2), ("PSETEX", "soon", 10_000_000, "x"), ("SWAPDB", 2, 3),
            ("EVAL", "redis.call('SET', KEYS[1], ARGV[1]) redis.call('SADD', 'by script', 1)", 1,
             "scripted", "yes")):
        connection.ok(*command)
    replies = connection.pipeline([("MULTI",), ("SET", "in transaction", 1), ("INCR", "in transaction"),
                                   ("SELECT", 3), ("SET", "in transaction", "other"), ("SELECT", 0),
                                   ("EXEC",)])
    assert len(replies[-1]) == 5


def of(server):
    """Everything that the server holds: values, times to live, encodings."""
    return servers_pair.Side(server).state()


def expiries_ms(server):
    """(db, key) -> the time at which it expires; a file keeps it to the millisecond."""
    found = {}
    with server.connect(timeout_s=30) as connection:
        for db in range(servers_pair.DATABASES):
            connection.ok("SELECT", db)
            keys = connection.ok("KEYS", "*")
            whens = connection.pipeline([("PEXPIRETIME", key) for key in keys])
            found.update({(db, key): when for key, when in zip(keys, whens) if when != -1})
    return found


def assert_equal(of_redis, of_other):
    """Two results of `of`; redis-server's first, because later versions pack some sets."""
    assert of_redis
    text = servers_pair.state_difference(of_redis, of_other)
    assert text is None, text


def values(state):
    """What `of` found, without encodings and times to live."""
    return {place: row[:2] for place, row in state.items()}
