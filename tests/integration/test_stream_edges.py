"""A stream that breaks off, lies, or holds what no present primary sends, written by the test."""

import time

import pytest

from hand_primary import REPLICATION_ID, HandPrimary
from links import await_link, await_log, await_loss, await_offset, info, replication
from saving import wait_until
from support import resp

START = 100  # the offset at which the stream begins
HELLO = bytes.fromhex("000568656c6c6f0a006372df766534200a")  # DUMP's payload of the string "hello"


@pytest.fixture
def hand():
    primary = HandPrimary()
    yield primary
    primary.close()


@pytest.fixture
def replica(start_server):
    return start_server()


@pytest.fixture
def told(replica):
    with replica.connect() as connection:
        yield connection


@pytest.fixture
def link(hand, replica, told):
    """The link to a replica that has nothing yet."""
    told.ok("REPLICAOF", "127.0.0.1", hand.port)
    one = hand.full_sync(offset=START)
    await_link(replica)
    return one


def psync_words(behind):
    return [b"PSYNC", REPLICATION_ID.encode(), str(behind + 1).encode()]


def test_bytes_may_come_in_any_pieces(link, told):
    words = [("SELECT", "0"), ("SET", "k", "v\r\n$3\r\n"), ("MULTI",), ("INCR", "n"), ("INCR", "n"),
             ("EXEC",), ("PING",), ("SET", "", "")]
    data = b"".join(map(resp.encode, words))
    for at in range(len(data)):
        link.send_raw(data[at:at + 1])
    link.executed(START + len(data))
    assert told.ok("MGET", "k", "n", "") == [b"v\r\n$3\r\n", b"2", b""]


def test_a_burst_is_executed_to_its_end(link, replica, told):
    """No byte comes behind it that could wake up the replica."""
    offset = START
    for count in (31, 32, 33, 64, 1000):
        data = resp.encode(("SELECT", "0")) + resp.encode(("INCR", "n")) * count
        link.send_raw(data)
        offset += len(data)
        await_offset(replica, offset)
    assert told.ok("GET", "n") == b"1160"


def test_half_a_command_is_asked_for_again(hand, link, replica, told):
    whole = START + link.send("SELECT", "0") + link.send("SET", "k", "1")
    torn = resp.encode(("APPEND", "k", "2"))
    link.send_raw(torn[:-5])
    wait_until(lambda: told.ok("GET", "k") == b"1", "executed")
    link.close()
    again, psync = hand.partial_sync()
    assert psync == psync_words(whole)
    again.send_raw(torn)
    again.executed(whole + len(torn))
    assert told.ok("GET", "k") == b"12"


def test_a_transaction_without_its_end_is_not_executed(hand, link, replica, told):
    whole = START + link.send("SELECT", "0") + link.send("SET", "k", "1")
    torn = [("MULTI",), ("APPEND", "k", "2"), ("APPEND", "k", "3")]
    size = sum(link.send(*words) for words in torn)
    read = str(whole + size)
    wait_until(lambda: replication(replica)["slave_read_repl_offset"] == read, "read")
    wait_until(lambda: replication(replica)["slave_repl_offset"] == str(whole), "executed")
    assert told.ok("GET", "k") == b"1"
    link.close()
    again, psync = hand.partial_sync()
    assert psync == psync_words(whole)
    assert told.ok("GET", "k") == b"1"
    size = sum(again.send(*words) for words in (*torn, ("EXEC",)))
    again.executed(whole + size)
    assert told.ok("GET", "k") == b"123"


def test_the_selected_database_outlives_a_cut(hand, link, replica, told):
    behind = START + link.send("SELECT", "3") + link.send("SET", "a", "1")
    await_offset(replica, behind)
    link.close()
    again, psync = hand.partial_sync()
    assert psync == psync_words(behind)
    again.executed(behind + again.send("SET", "b", "2"))
    told.ok("SELECT", 3)
    assert told.ok("MGET", "a", "b") == [b"1", b"2"]


@pytest.mark.parametrize("db", [0, 3])
def test_the_selected_database_after_a_full_sync(hand, link, told, db):
    link.executed(START + link.send("SELECT", "5") + link.send("SET", "a", "1"))
    link.close()
    rdb = (b"REDIS0009\xfa\x0erepl-stream-db" + (b"\xc0%c" % db) + b"\xff" + bytes(8))
    link = hand.full_sync(rdb, offset=START)
    link.executed(START + link.send("SET", "b", "2"))
    told.ok("SELECT", db)
    assert told.ok("KEYS", "*") == [b"b"]


def test_commands_of_older_primaries(link, told):
    script = "redis.call('SET', KEYS[1], ARGV[1]) redis.call('INCR', 'by script')"
    size = sum(link.send(*words) for words in (
        ("SELECT", "0"), ("SETEX", "setex", "1000", "v"), ("SET", "set", "v", "EX", "1000"),
        ("SET", "expire", "v"), ("EXPIRE", "expire", "1000"), ("PSETEX", "psetex", "1000000", "v"),
        ("EVAL", script, "1", "eval", "x"), ("SCRIPT", "LOAD", script), ("LPUSH", "l", "a", "b", "c"),
        ("RPOPLPUSH", "l", "m"), ("BRPOPLPUSH", "l", "m", "0"), ("BLPOP", "l", "0"),
        ("SADD", "s", "x"), ("SPOP", "s"), ("INCRBYFLOAT", "f", "1.5"), ("GETSET", "g", "1"),
        ("MULTI",), ("INCR", "n"), ("EXPIRE", "n", "500"), ("EXEC",),
        ("XADD", "x", "*", "a", "b"), ("XADD", "x", "9999999999999-1", "c", "d"), ("PUBLISH", "c", "m"),
        ("SET", "late", "v", "EXAT", "4102444800"), ("FLUSHDB", "ASYNC"), ("SET", "end", "1"),
        ("SETEX", "setex", "1000", "v"), ("EVAL", script, "1", "eval", "x"), ("LPUSH", "l", "a"),
        ("HSET", "h", "a", "1"), ("HINCRBY", "h", "a", "2"), ("RESTORE", "r", "0", HELLO, "REPLACE")))
    link.executed(START + size)
    assert sorted(told.ok("KEYS", "*")) == [b"by script", b"end", b"eval", b"h", b"l", b"r", b"setex"]
    assert 990 < told.ok("TTL", "setex") <= 1000
    assert told.ok("MGET", "eval", "by script", "r") == [b"x", b"1", b"hello"]
    assert told.ok("HGET", "h", "a") == b"3"


def test_a_refresh_of_an_old_primary_keeps_what_has_expired_here(link, replica, told):
    """Redis before 7 sends EXPIRE as it came. With a lag, the key's time may have come here."""
    offset = START + link.send("SELECT", "0") + link.send("SET", "session", "v", "PX", "100")
    link.executed(offset)
    wait_until(lambda: told.ok("GET", "session") is None, "expired here")
    link.executed(offset + link.send("EXPIRE", "session", "1000"))
    assert told.ok("GET", "session") == b"v"
    assert 990 < told.ok("TTL", "session") <= 1000


def test_the_log_of_a_replica_has_times(hand, start_server):
    """A restart from the log must not begin the time of SETEX anew."""
    replica = start_server({"appendonly": "yes"})
    with replica.connect() as told:
        told.ok("REPLICAOF", "127.0.0.1", hand.port)
        link = hand.full_sync(offset=START)
        # What comes behind the base is in the log as commands.
        wait_until(lambda: info(replica, "persistence")["aof_rewrites"] == "1", "a new base")
        size = sum(link.send(*words) for words in (
            ("SELECT", "0"), ("SETEX", "a", "100", "v"), ("SET", "b", "v"), ("EXPIRE", "b", "100"),
            ("SET", "c", "v", "EX", "100"), ("SET", "d", "v"), ("GETEX", "d", "PX", "100000")))
        link.executed(START + size)
        whens = [told.ok("PEXPIRETIME", key) for key in "abcd"]
    wait_until(lambda: sum(path.read_bytes().count(b"PXAT") + path.read_bytes().count(b"pexpireat")
                           for path in replica.directory.rglob("*.aof")) == 4, "logged")
    replica.terminate()
    time.sleep(1)
    replica.launch()
    with replica.connect() as told:
        assert [told.ok("PEXPIRETIME", key) for key in "abcd"] == whens


def test_what_only_a_primary_may_say(link, replica, told):
    """redis-server sends an approximate trim as an exact one, and its LIMIT with it."""
    size = sum(link.send(*words) for words in (
        ("SELECT", "0"), ("XADD", "x", "1-1", "a", "b"), ("XADD", "x", "MAXLEN", "=", "1", "LIMIT", "1",
                                                         "2-1", "a", "b"),
        ("XADD", "x", "MINID", "=", "2-1", "LIMIT", "5", "3-1", "a", "b"),
        ("XTRIM", "x", "MAXLEN", "=", "1", "LIMIT", "1")))
    link.executed(START + size)
    assert told.ok("XRANGE", "x", "-", "+") == [[b"3-1", [b"a", b"b"]]]
    assert "CRITICAL" not in replica.log()


def test_an_unknown_command_is_an_alarm_and_the_link_stays(link, replica, told):
    assert info(replica, "stats")["unexpected_error_replies"] == "0"
    size = sum(link.send(*words) for words in (
        ("SELECT", "0"), ("SET", "k", "v"), ("NOSUCHCOMMAND", "a"), ("LPUSH", "k", "x"), ("SET", "a"),
        ("SET", "last", "1")))
    link.executed(START + size)
    assert told.ok("MGET", "k", "last") == [b"v", b"1"]
    critical = ("# == CRITICAL == This replica is sending an error to its master: '%s' after processing the "
                "command '%s'")
    await_log(replica, critical % ("unknown command 'NOSUCHCOMMAND', with args beginning with: 'a' ", "<unknown>"))
    await_log(replica, critical % ("-WRONGTYPE Operation against a key holding the wrong kind of value", "lpush"))
    await_log(replica, critical % ("wrong number of arguments for 'set' command", "set"))
    assert int(info(replica, "stats")["unexpected_error_replies"]) >= 3
    assert info(replica, "replication")["slave_priority"] == "0", "it is not one to promote"


def test_an_error_in_a_transaction(link, replica, told):
    size = sum(link.send(*words) for words in (
        ("SELECT", "0"), ("SET", "k", "v"), ("MULTI",), ("SET", "a", "1"), ("LPUSH", "k", "x"),
        ("SET", "b", "2"), ("EXEC",), ("SET", "last", "1")))
    link.executed(START + size)
    assert told.ok("MGET", "a", "b", "k", "last") == [b"1", b"2", b"v", b"1"]


def test_garbage_ends_the_link_and_the_history(hand, link, replica, told):
    link.executed(START + link.send("SELECT", "0") + link.send("SET", "k", "v"))
    link.send_raw(b"PING\r\n")
    again = hand.accept()
    assert again.shake_hands() == [b"PSYNC", b"?", b"-1"]
    assert told.ok("GET", "k") == b"v"
    await_log(replica, "# WARNING: Receiving inline protocol from master, master stream corruption? Closing "
                       "the master connection and discarding the cached master.")


def test_no_reply_leaves_but_acknowledgements(link, told):
    size = sum(link.send(*words) for words in (
        ("SELECT", "0"), ("PING",), ("GET", "k"), ("ECHO", "x"), ("SET", "k", "v"), ("INCR", "k"),
        ("ROLE",), ("INFO",), ("KEYS", "*")))
    offset = START + size
    # `await_ack` would fail to parse anything but requests.
    for _ in range(3):
        offset = link.executed(offset)


def test_acknowledgements_come_every_second_and_on_demand(link):
    link.await_ack(START)
    offset = START + link.send("SELECT", "0")
    offset += link.send("SET", "k", "v")
    link.await_ack(offset)
    link.executed(offset)


def test_a_silent_primary_is_given_up(hand, link, replica, told):
    told.ok("CONFIG", "SET", "repl-timeout", 2)
    link.executed(START + link.send("SELECT", "0") + link.send("SET", "k", "v"))
    await_loss(replica)
    await_log(replica, "# MASTER timeout: no data nor PING received...")
    hand.partial_sync()
    await_link(replica)
    assert told.ok("GET", "k") == b"v"


@pytest.mark.parametrize("count", [1, 100])
def test_a_pause_of_writes_holds_the_stream(link, replica, told, count):
    link.executed(START + link.send("SELECT", "0"))
    offset = int(replication(replica)["slave_read_repl_offset"])
    told.ok("CLIENT", "PAUSE", 60_000, "WRITE")
    data = resp.encode(("INCR", "n")) * count
    link.send_raw(data)
    assert told.ok("GET", "n") is None
    told.ok("CLIENT", "UNPAUSE")
    await_offset(replica, offset + len(data))
    assert told.ok("GET", "n") == str(count).encode()
