"""Keys whose time has come on a replica: hidden at once, and removed when the primary says so."""

import signal
import time

import pytest

import holdings
from hand_primary import HandPrimary
from links import PROMPT, assert_same_data, await_link, follow, info, replication, syncs
from saving import wait_until
from support import resp, servers

SOON_MS = 150


@pytest.fixture
def primary(start_one, primary_kind):
    return start_one(primary_kind, PROMPT)


@pytest.fixture
def replica(start_server):
    return start_server()


@pytest.fixture
def told(replica):
    with replica.connect() as connection:
        yield connection


@pytest.fixture
def hand():
    primary = HandPrimary()
    yield primary
    primary.close()


@pytest.fixture
def link(hand, replica, told):
    """The link to a replica, by which keys come that expire soon, and one that does not."""
    told.ok("REPLICAOF", "127.0.0.1", hand.port)
    one = hand.full_sync()
    await_link(replica)
    at = now_ms() + SOON_MS
    size = sum(one.send(*words) for words in (
        ("SELECT", "0"), ("SET", "stays", "1"), ("SET", "n", "5", "PXAT", at), ("SET", "s", "x", "PXAT", at),
        ("HSET", "h", "a", "1"), ("PEXPIREAT", "h", at), ("RPUSH", "l", "1", "2"), ("PEXPIREAT", "l", at),
        ("SADD", "t", "1"), ("PEXPIREAT", "t", at), ("ZADD", "z", "1", "a"), ("PEXPIREAT", "z", at),
        ("XADD", "x", "1-1", "a", "b"), ("PEXPIREAT", "x", at)))
    one.offset = one.executed(size)
    return one


def now_ms():
    return int(time.time() * 1000)


def await_expiry(told):
    wait_until(lambda: told.ok("EXISTS", "n", "s", "h", "l", "t", "z", "x") == 0, "expired")


def go_on(link, *commands):
    """Sends commands on the stream, and waits until they are executed."""
    link.offset = link.executed(link.offset + sum(link.send(*words) for words in commands))


def test_who_watches_a_key_that_has_expired_does_not_mind_its_removal(link, told, replica):
    await_expiry(told)
    with replica.connect() as second:
        for one in (told, second):
            one.ok("WATCH", "n", "s")
            one.pipeline([("MULTI",), ("GET", "n")])
        go_on(link, ("DEL", "n"))
        assert told.ok("EXEC") == [None]
        go_on(link, ("SET", "s", "again"))
        assert second.ok("EXEC") == resp.NULL_ARRAY


def test_they_are_hidden_from_every_reader(link, told):
    assert told.ok("MGET", "n", "s") == [b"5", b"x"]
    await_expiry(told)
    for command, reply in (
            (("GET", "n"), None), (("MGET", "n", "s", "stays"), [None, None, b"1"]), (("STRLEN", "s"), 0),
            (("TTL", "n"), -2), (("PTTL", "n"), -2), (("EXPIRETIME", "n"), -2), (("TYPE", "n"), b"none"),
            (("TYPE", "h"), b"none"), (("HGETALL", "h"), []), (("HLEN", "h"), 0), (("LLEN", "l"), 0),
            (("LRANGE", "l", 0, -1), []), (("SMEMBERS", "t"), []), (("SCARD", "t"), 0), (("ZCARD", "z"), 0),
            (("ZRANGE", "z", 0, -1), []), (("XLEN", "x"), 0), (("XRANGE", "x", "-", "+"), []),
            (("DUMP", "n"), None), (("OBJECT", "ENCODING", "n"), None), (("TOUCH", "n", "h", "stays"), 1),
            (("EXISTS", "n", "n", "stays"), 1), (("KEYS", "*"), [b"stays"]),
            (("SCAN", 0, "COUNT", 1000), [b"0", [b"stays"]]), (("RANDOMKEY",), b"stays"),
            (("SCAN", 0, "TYPE", "string", "COUNT", 1000), [b"0", [b"stays"]]), (("SUNION", "t"), []),
            (("ZUNION", 2, "z", "t"), []), (("SORT_RO", "l"), []), (("BITCOUNT", "s"), 0),
            (("GETRANGE", "s", 0, -1), b""), (("PFCOUNT", "s"), 0), (("LCS", "n", "s"), b""),
            (("EVAL_RO", "return redis.call('EXISTS', 'n', 's')", 0), 0)):
        assert told.call(*command) == reply, command


def test_they_stay_until_the_primary_deletes_them(link, replica, told):
    await_expiry(told)
    told.ok("DEBUG", "SET-ACTIVE-EXPIRE", 1)
    for _ in range(100):
        told.ok("GET", "n")
    assert told.ok("DBSIZE") == 8
    assert b"db0:keys=8,expires=7," in told.ok("INFO", "keyspace")
    assert info(replica, "stats")["expired_keys"] == "0"
    go_on(link, ("DEL", "n"), ("UNLINK", "h", "l"))
    assert told.ok("DBSIZE") == 5
    go_on(link, ("DEL", "s"), ("DEL", "t"), ("DEL", "z"), ("DEL", "x"))
    assert told.ok("DBSIZE") == 1
    assert info(replica, "stats")["expired_keys"] == "0"


def test_what_the_primary_does_to_them_counts(link, told):
    """The primary's clock decides: for it they were alive when it executed these."""
    await_expiry(told)
    later = now_ms() + 1_000_000
    go_on(link, ("INCR", "n"), ("PERSIST", "n"), ("PEXPIREAT", "s", later), ("HSET", "h", "b", "2"),
          ("PEXPIREAT", "h", later), ("RPUSH", "l", "3"), ("PERSIST", "l"), ("SADD", "t", "2"),
          ("PERSIST", "t"), ("ZINCRBY", "z", "1", "a"), ("PERSIST", "z"), ("XADD", "x", "2-1", "c", "d"),
          ("PERSIST", "x"))
    assert told.ok("MGET", "n", "s") == [b"6", b"x"]
    assert told.ok("HGETALL", "h") == [b"a", b"1", b"b", b"2"]
    assert told.ok("LRANGE", "l", 0, -1) == [b"1", b"2", b"3"]
    assert sorted(told.ok("SMEMBERS", "t")) == [b"1", b"2"]
    assert told.ok("ZSCORE", "z", "a") == b"2"
    assert told.ok("XLEN", "x") == 2
    assert told.ok("DBSIZE") == 8


def test_scripts_and_transactions_of_the_primary_see_them(link, told):
    await_expiry(told)
    go_on(link, ("MULTI",), ("INCRBY", "n", "10"), ("RENAME", "n", "m"), ("PERSIST", "m"), ("EXEC",),
          ("EVAL", "if redis.call('EXISTS', 's') == 1 then redis.call('SET', 'seen', '1') end", "0"),
          ("COPY", "h", "copied"), ("PERSIST", "copied"), ("SETNX", "t", "not set"))
    assert told.ok("MGET", "m", "seen") == [b"15", b"1"]
    assert told.ok("HGETALL", "copied") == [b"a", b"1"]
    assert told.ok("TYPE", "t") == b"none"


def test_a_key_that_comes_with_a_time_in_the_past_is_kept_hidden(link, told):
    go_on(link, ("SET", "past", "1", "PXAT", now_ms() - 5000), ("SET", "other", "1"))
    assert told.ok("EXISTS", "past") == 0
    assert told.ok("DBSIZE") == 10
    go_on(link, ("PERSIST", "past"))
    assert told.ok("GET", "past") == b"1"
    go_on(link, ("PEXPIREAT", "past", now_ms() - 5000))
    assert told.ok("EXISTS", "past") == 0
    go_on(link, ("APPEND", "past", "2"), ("PERSIST", "past"))
    assert told.ok("GET", "past") == b"12"


def test_a_watched_key_that_expires(link, told):
    told.ok("WATCH", "n")
    await_expiry(told)
    told.ok("MULTI")
    told.ok("GET", "stays")
    assert not isinstance(told.ok("EXEC"), list)


def test_promotion_removes_them(link, told):
    await_expiry(told)
    assert told.ok("DBSIZE") == 8
    told.ok("REPLICAOF", "NO", "ONE")
    wait_until(lambda: told.ok("DBSIZE") == 1, "removed")


def test_an_expired_key_of_the_file_is_kept_hidden(replica, told, hand):
    with servers.start("redis") as source, source.connect() as connection:
        connection.ok("DEBUG", "SET-ACTIVE-EXPIRE", 0)
        connection.ok("SET", "n", 5, "PX", 1)
        connection.ok("SET", "stays", 1)
        connection.ok("SAVE")
        rdb = (source.directory / "dump.rdb").read_bytes()
    told.ok("REPLICAOF", "127.0.0.1", hand.port)
    link = hand.full_sync(rdb)
    await_link(replica)
    wait_until(lambda: told.ok("EXISTS", "n") == 0, "expired")
    assert told.ok("DBSIZE") == 2
    link.executed(link.send("SELECT", "0") + link.send("INCR", "n") + link.send("PERSIST", "n"))
    assert told.ok("GET", "n") == b"6"


# ---- with real primaries ----


def test_without_its_primary_a_replica_deletes_nothing(primary, replica, told):
    follow(replica, primary)
    with primary.connect() as connection:
        connection.ok("SET", "stays", 1)
        assert_same_data(replica, primary)  # From here on the stream comes without delay.
        connection.pipeline([("SET", f"k{n}", 1, "PX", 400) for n in range(100)])
    assert_same_data(replica, primary)
    primary.signal(signal.SIGSTOP)
    try:
        wait_until(lambda: told.ok("KEYS", "*") == [b"stays"], "expired")
        assert told.ok("DBSIZE") == 101
        assert told.ok("RANDOMKEY") == b"stays"
    finally:
        primary.signal(signal.SIGCONT)
    wait_until(lambda: told.ok("DBSIZE") == 1, "deleted by the primary")
    assert_same_data(replica, primary)
    assert syncs(primary)[0] == 1


def test_a_read_on_the_primary_deletes_on_the_replica(primary, replica, told):
    follow(replica, primary)
    with primary.connect() as connection:
        connection.ok("DEBUG", "SET-ACTIVE-EXPIRE", 0)
        connection.ok("SET", "k", "v", "PX", SOON_MS)
        connection.ok("SET", "other", "v", "PX", SOON_MS)
        wait_until(lambda: told.ok("DBSIZE") == 2, "replicated")
        wait_until(lambda: told.ok("EXISTS", "k", "other") == 0, "expired")
        assert told.ok("DBSIZE") == 2
        connection.ok("GET", "k")
        wait_until(lambda: told.ok("DBSIZE") == 1, "deleted")
        connection.ok("DEBUG", "SET-ACTIVE-EXPIRE", 1)
        wait_until(lambda: told.ok("DBSIZE") == 0, "deleted")


def test_what_the_primary_prolonged_in_time_survives(primary, replica, told):
    """The replica learns of it late, after its own readers have seen the keys expire."""
    follow(replica, primary)
    with primary.connect() as connection:
        connection.ok("SET", "first", 1)
        assert_same_data(replica, primary)
        connection.ok("SET", "n", 1, "PX", 500)
        connection.ok("SET", "k", 1, "PX", 500)
        wait_until(lambda: told.ok("EXISTS", "n", "k") == 2, "replicated")
        told.ok("CLIENT", "PAUSE", 60_000, "WRITE")
        connection.ok("INCR", "n")
        connection.ok("EXPIRE", "n", 1000)
        assert connection.ok("PERSIST", "k") == 1
        wait_until(lambda: told.ok("EXISTS", "n", "k") == 0, "expired")
        assert told.ok("MGET", "n", "k") == [None, None]
        told.ok("CLIENT", "UNPAUSE")
    assert_same_data(replica, primary)
    assert told.ok("MGET", "n", "k") == [b"2", b"1"]
    assert holdings.expiries_ms(replica) == holdings.expiries_ms(primary)


def test_many_expiring_keys_end_up_the_same(primary, replica, told):
    follow(replica, primary)
    with primary.connect() as connection:
        for begin in range(0, 3000, 500):
            connection.pipeline([("SET", f"k{n}", n, "PX", 1 + n % 300)
                                 for n in range(begin, begin + 500)])
        wait_until(lambda: connection.ok("DBSIZE") == 0, "expired")
    assert_same_data(replica, primary)
    assert told.ok("DBSIZE") == 0
    assert info(replica, "keyspace") == {}
    assert replication(replica)["master_link_status"] == "up"


# ---- a replica that may be written to ----


def test_what_was_written_to_a_replica_itself(link, replica, told):
    told.ok("CONFIG", "SET", "replica-read-only", "no")
    told.ok("SET", "local", 1, "PX", 100)
    told.ok("SET", "other", 1)
    await_expiry(told)
    wait_until(lambda: told.ok("GET", "local") is None, "hidden")
    # A key that the primary knows begins anew. It is the replica's own from then on.
    assert told.ok("INCR", "n") == 1
    assert told.ok("TTL", "n") == -1
    if replica.kind == "redis":
        wait_until(lambda: told.ok("DBSIZE") == 9, "removed")
    assert told.ok("SET", "local", 2) == b"OK"
    assert told.ok("DBSIZE") == 10
    told.ok("EXPIRE", "other", 1000)
    go_on(link, ("SET", "other", "from above"))
    assert told.ok("GET", "other") == b"from above"
    assert told.ok("TTL", "other") == -1


@pytest.mark.parametrize("settings", [{"save": "3600 1"}, {"save": '""', "appendonly": "yes"}], ids=["rdb", "log"])
def test_what_expires_while_the_primary_is_down_goes_from_the_replica_too(start_one, server_kind, replica,
                                                                          settings):
    primary = start_one(server_kind, {**PROMPT, **settings})
    follow(replica, primary)
    with primary.connect() as connection:
        connection.ok("SET", "stays", 1)
        for n in range(100):
            connection.ok("SET", f"expires {n}", n, "PX", 2000)
    with replica.connect() as told:
        wait_until(lambda: told.ok("DBSIZE") == 101, "replicated")
        primary.terminate()
        time.sleep(2)
        primary.launch()
        await_link(replica)
        wait_until(lambda: told.ok("DBSIZE") == 1, "gone")
    assert syncs(primary)[:2] == ((1, 0) if settings.get("appendonly") and server_kind == "redis" else (0, 1))
    with primary.connect() as connection:
        assert connection.ok("DBSIZE") == 1
