"""A replica executes what its primary sends: all commands, in order, each exactly once."""

import random

import pytest

import holdings
from differential.generator import Generator
from differential.servers_pair import Side
from links import (DATABASES, PROMPT, assert_same_data, await_replica, follow, functions, info, is_up,
                   syncs, values)
from saving import wait_until

COMMANDS = 8000
BATCH = 400
# What the vocabulary says that changes data, and what comes with it.
FAMILIES = ("keys", "strings", "bits", "hashes", "sets", "lists", "sorted sets", "geo", "hyperloglog",
            "streams", "transactions", "scripting", "pubsub", "connection")
LIBRARY = "#!lua name=lib\nredis.register_function('put', function(keys, args) " \
          "return redis.call('SET', keys[1], args[1]) end)"


@pytest.fixture
def primary(start_one, primary_kind):
    return start_one(primary_kind, PROMPT)


@pytest.fixture
def replica(start_server, primary):
    one = start_server()
    follow(one, primary)
    return one


@pytest.fixture
def source(primary, replica):
    """A connection to the primary, which has a replica already."""
    with primary.connect(timeout_s=30) as connection:
        yield connection


@pytest.mark.parametrize("seed", [1, 2])
def test_random_commands(primary, replica, seed):
    sides = [Side(primary), Side(replica)]
    known = set(sides[0].command_table()) & set(sides[1].command_table())
    # redis-server replicates neither what a BITFIELD created that fails then, nor an XREADGROUP that
    # only made a consumer.
    stream = Generator(seed, known, FAMILIES, logged=primary.kind == "redis")
    for _ in range(COMMANDS // BATCH):
        steps = stream.steps(BATCH)
        sides[0].send(2, b"".join(step[0] for step in steps))
        sides[0].receive(2)
    sides[0].close()
    assert_same_data(replica, primary)
    assert values(replica) == values(primary) != {}
    assert functions(replica) == functions(primary)
    assert is_up(replica)
    # CLIENT KILL TYPE replica is among the commands; the link then goes on where it was.
    assert syncs(primary)[0] == 1
    assert "CRITICAL" not in replica.log()


def test_changes_of_every_type(primary, start_server):
    with primary.connect(timeout_s=30) as connection:
        holdings.fill(connection)
    replica = start_server()
    follow(replica, primary)
    with primary.connect(timeout_s=30) as connection:
        holdings.change(connection)
    assert_same_data(replica, primary)
    assert values(replica) == values(primary)
    assert holdings.expiries_ms(replica) == holdings.expiries_ms(primary)


def test_data_that_came_by_the_stream_alone(primary, replica, source):
    holdings.fill(source)
    holdings.change(source)
    assert_same_data(replica, primary)
    assert values(replica) == values(primary)
    assert syncs(primary)[0] == 1


def test_every_database(primary, replica, source):
    for db in (*range(DATABASES), 0, 15, 3):
        source.ok("SELECT", db)
        source.ok("APPEND", "k", db)
    source.ok("SWAPDB", 3, 4)
    source.ok("APPEND", "k", "behind the swap")
    source.ok("MOVE", "k", 11)
    source.ok("COPY", "k", "copy", "DB", 5)
    source.ok("SELECT", 6)
    source.ok("FLUSHDB")
    assert_same_data(replica, primary)
    assert {db for db, _ in values(replica)} <= set(range(DATABASES))
    source.ok("FLUSHALL")
    assert_same_data(replica, primary)
    assert info(replica, "keyspace") == {}
    source.ok("SET", "k", "new")
    assert_same_data(replica, primary)


def test_transactions_are_seen_whole(primary, replica, source):
    with replica.connect() as reader:
        for n in range(300):
            source.pipeline([("MULTI",), ("SET", "a", n), ("INCR", "count"), ("SET", "b", n), ("EXEC",)])
            assert len(set(reader.ok("MGET", "a", "b"))) == 1
    source.ok("EVAL", "for n = 1, 50 do redis.call('RPUSH', KEYS[1], n) end "
                      "redis.call('SELECT', 4) redis.call('SET', 'other', 1)", 1, "l")
    source.pipeline([("MULTI",), ("SELECT", 2), ("SET", "two", 1), ("SELECT", 0), ("SET", "zero", 1),
                     ("LPUSH", "two", "x"), ("INCR", "zero"), ("EXEC",)])
    source.pipeline([("MULTI",), ("SET", "dropped", 1), ("DISCARD",)])
    assert_same_data(replica, primary)
    assert values(replica) == values(primary)


def test_clients_that_waited_are_served(primary, replica, source):
    with primary.connect() as first, primary.connect() as second, primary.connect() as third:
        first.send("BLPOP", "l", 0)
        second.send("BLMOVE", "from", "to", "LEFT", "RIGHT", 0)
        third.send("BZPOPMIN", "z", 0)
        wait_until(lambda: b"blocked_clients:3" in source.ok("INFO", "clients"), "blocked")
        source.ok("RPUSH", "l", "one", "two")
        source.ok("RPUSH", "from", "three", "four")
        source.ok("ZADD", "z", 1, "a", 2, "b")
        assert [one.read() for one in (first, second, third)] == [
            [b"l", b"one"], b"three", [b"z", b"a", b"1"]]
    assert_same_data(replica, primary)
    with replica.connect() as reader:
        assert reader.ok("LRANGE", "l", 0, -1) == [b"two"]
        assert reader.ok("LRANGE", "to", 0, -1) == [b"three"]
        assert reader.ok("ZCARD", "z") == 1


def test_groups_of_streams(primary, replica, source, start_one):
    # redis-server does not replicate everything that it counts in groups.
    reference = start_one("redis")
    follow(reference, primary)
    source.ok("XGROUP", "CREATE", "s", "g", "$", "MKSTREAM")
    with primary.connect() as waiting:
        waiting.send("XREADGROUP", "GROUP", "g", "waiting", "BLOCK", 0, "STREAMS", "s", ">")
        wait_until(lambda: b"blocked_clients:1" in source.ok("INFO", "clients"), "blocked")
        ids = [source.ok("XADD", "s", "*", "n", n) for n in range(20)]
        waiting.read()
    source.ok("XREADGROUP", "GROUP", "g", "c", "COUNT", 10, "STREAMS", "s", ">")
    source.ok("XACK", "s", "g", *ids[3:6])
    source.ok("XCLAIM", "s", "g", "other", 0, ids[1])
    source.ok("XAUTOCLAIM", "s", "g", "third", 0, 0, "COUNT", 2)
    source.ok("XADD", "s", "MAXLEN", "=", 15, "*", "a", "b")
    source.ok("XDEL", "s", ids[-1])
    for one in (replica, reference):
        assert_same_data(one, primary)
    assert values(replica) == values(reference) != {}


def test_times_to_live_are_the_same_to_the_millisecond(primary, replica, source):
    for command in (("SET", "a", 1, "EX", 1000), ("SET", "b", 1, "PX", 1_000_001), ("SETEX", "c", 99, 1),
                    ("SET", "d", 1), ("EXPIRE", "d", 500), ("SET", "e", 1, "EX", 9), ("PERSIST", "e"),
                    ("HSET", "f", "x", 1), ("PEXPIRE", "f", 77_777), ("GETEX", "a", "PX", 123_456),
                    ("SET", "g", 1, "EX", 50), ("SET", "g", 2, "KEEPTTL"), ("SET", "h", 1, "EX", 50),
                    ("SET", "h", 2), ("COPY", "c", "i"), ("RENAME", "d", "j"), ("SET", "k", 1),
                    ("EXPIRE", "k", -1), ("EVAL", "redis.call('EXPIRE', 'e', 321)", 0)):
        source.ok(*command)
    assert_same_data(replica, primary)
    expiries = holdings.expiries_ms(replica)
    assert expiries == holdings.expiries_ms(primary)
    assert {key for _, key in expiries} == set(map(str.encode, "abcefgij"))


def test_messages_reach_subscribers_of_the_replica(primary, replica, source):
    with replica.connect() as listener, replica.connect() as sharded:
        listener.ok("SUBSCRIBE", "news")
        listener.ok("PSUBSCRIBE", "n*")
        sharded.ok("SSUBSCRIBE", "shard")
        source.ok("PUBLISH", "news", "plain")
        source.pipeline([("MULTI",), ("SET", "k", 1), ("PUBLISH", "news", "in a transaction"), ("EXEC",)])
        source.ok("EVAL", "return redis.call('PUBLISH', 'news', 'by a script')", 0)
        source.ok("SPUBLISH", "shard", "message")
        for text in (b"plain", b"in a transaction", b"by a script"):
            assert listener.read() == [b"message", b"news", text]
            assert listener.read() == [b"pmessage", b"n*", b"news", text]
        assert sharded.read() == [b"smessage", b"shard", b"message"]
        # A replica's own messages stay there.
        with replica.connect() as publisher:
            assert publisher.ok("PUBLISH", "news", "local") == 2
        assert listener.read() == [b"message", b"news", b"local"]
    assert_same_data(replica, primary)


def test_events_and_monitors_of_the_replica_see_the_commands(primary, replica, source):
    with replica.connect() as listener, replica.connect() as monitor:
        listener.ok("CONFIG", "SET", "notify-keyspace-events", "KEA")
        listener.ok("SUBSCRIBE", "__keyevent@5__:set")
        monitor.ok("MONITOR")
        source.ok("SELECT", 5)
        source.ok("SET", "k", "v")
        assert listener.read() == [b"message", b"__keyevent@5__:set", b"k"]
        source.pipeline([("MULTI",), ("SET", "a", "1"), ("LPUSH", "l", "1"), ("EXEC",)])
        seen = []
        while b'"EXEC"' not in (seen or [b""])[-1]:
            shown = monitor.read()
            assert b" [5 127.0.0.1:%d] " % primary.port in shown
            if b'"PING"' not in shown.upper():
                seen.append(shown.split(b"] ", 1)[1])
        assert seen == [b'"SELECT" "5"', b'"SET" "k" "v"', b'"MULTI"', b'"SET" "a" "1"',
                        b'"LPUSH" "l" "1"', b'"EXEC"']


def test_functions_and_scripts(primary, replica, source):
    source.ok("FUNCTION", "LOAD", LIBRARY)
    source.ok("FCALL", "put", 1, "k", "by a function")
    sha = source.ok("SCRIPT", "LOAD", "return redis.call('SET', KEYS[1], ARGV[1])")
    source.ok("EVALSHA", sha, 1, "s", "by a script")
    assert_same_data(replica, primary)
    assert functions(replica) == functions(primary) != []
    with replica.connect() as reader:
        assert reader.ok("MGET", "k", "s") == [b"by a function", b"by a script"]
    dump = source.ok("FUNCTION", "DUMP")
    source.ok("FUNCTION", "FLUSH")
    await_replica(replica, primary)
    assert functions(replica) == []
    source.ok("FUNCTION", "RESTORE", dump)
    source.ok("FUNCTION", "LOAD", "REPLACE", LIBRARY.replace("args[1]", "'new'"))
    await_replica(replica, primary)
    assert functions(replica) == functions(primary) != []
    source.ok("FUNCTION", "DELETE", "lib")
    await_replica(replica, primary)
    assert functions(replica) == []


def test_big_values_and_many_small_ones(primary, replica, source):
    noise = random.Random(1)
    source.ok("SET", "big", noise.randbytes(10_000_000))
    source.ok("APPEND", "big", "more")
    source.ok("SETRANGE", "big", 5_000_000, b"\x00\r\n$5\r\n")
    source.ok("HSET", "h", noise.randbytes(100_000), noise.randbytes(3_000_000))
    for _ in range(20):
        source.pipeline([("INCR", f"n{noise.randrange(500)}") for _ in range(1000)])
    source.ok("RPUSH", "many", *range(100_000))
    assert_same_data(replica, primary)
    with replica.connect() as reader:
        counters = [key for key in reader.ok("KEYS", "n*")]
        assert sum(map(int, reader.ok("MGET", *counters))) == 20_000


def test_evicted_keys_are_deleted_on_the_replica(primary, replica, source):
    for n in range(0, 3000, 100):
        source.pipeline([("SET", f"k{n + i}", "x" * 1000) for i in range(100)])
    await_replica(replica, primary)
    source.ok("CONFIG", "SET", "maxmemory-policy", "allkeys-random", "maxmemory", "3mb")
    for n in range(500):
        source.call("SET", f"more{n}", "x" * 1000)
    assert source.ok("DBSIZE") < 3500
    source.ok("CONFIG", "SET", "maxmemory", 0)
    assert_same_data(replica, primary)


def test_a_replica_evicts_nothing_of_its_own(primary, replica, source):
    with replica.connect() as connection:
        connection.ok("CONFIG", "SET", "maxmemory-policy", "allkeys-random", "maxmemory", "1mb")
    source.pipeline([("SET", f"k{n}", "x" * 1000) for n in range(2000)])
    assert_same_data(replica, primary)
    with replica.connect() as connection:
        assert connection.ok("DBSIZE") == 2000
