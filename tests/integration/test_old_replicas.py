"""repl-oldest-replica: the stream and the log in words that older servers know."""

import re

import pytest

import holdings
from links import PROMPT, assert_same_data, digest, follow
from support import servers

# What each version does not know, as it stands in the log: a word and how many arguments it has.
NEW_IN_6_2 = (rb"\$4\r\nPXAT\r\n", rb"\*3\r\n\$4\r\n[LR]POP\r\n", rb"CREATECONSUMER")
NEW_IN_7_0 = (rb"ENTRIESREAD", rb"ENTRIESADDED")


def changes(connection):
    """Every change that has other words in older versions."""
    connection.ok("SET", "session", "x", "EX", 1000)
    connection.ok("RPUSH", "queue", *range(20))
    connection.ok("LPOP", "queue", 5)
    connection.ok("RPOP", "queue", 3)
    connection.ok("LPOP", "queue", 1)
    connection.ok("RPUSH", "emptied", 1, 2)
    connection.ok("LPOP", "emptied", 2)
    connection.ok("XADD", "events", "1-1", "a", "1")
    connection.ok("XGROUP", "CREATE", "events", "mail", "0")
    connection.ok("XGROUP", "CREATECONSUMER", "events", "mail", "alice")
    connection.ok("XADD", "events", "2-1", "a", "2")
    connection.ok("XREADGROUP", "GROUP", "mail", "bob", "COUNT", 1, "STREAMS", "events", ">")
    connection.ok("XGROUP", "SETID", "events", "mail", "2-1")
    connection.ok("XSETID", "events", "9-1")


@pytest.fixture(autouse=True)
def _of_ours(server_kind):
    if server_kind != "cloakroom":
        pytest.skip("redis-server has one set of words")


@pytest.mark.parametrize("oldest, absent, present", [
    ("7.0", (), NEW_IN_6_2 + NEW_IN_7_0),
    ("6.2", NEW_IN_7_0, NEW_IN_6_2),
    ("5.0", NEW_IN_6_2 + NEW_IN_7_0, ()),
])
def test_the_log_and_a_replica_have_the_same_data(start_server, start_one, oldest, absent, present):
    primary = start_server({**PROMPT, "repl-oldest-replica": oldest, "appendonly": "yes",
                            "appendfsync": "always"})
    # It knows the old words as well.
    replica = start_one("redis" if servers.available("redis") else "cloakroom", PROMPT)
    follow(replica, primary)
    with primary.connect(timeout_s=30) as connection:
        changes(connection)
        files = primary.directory.glob("appendonlydir/*.incr.aof")
        log = b"".join(path.read_bytes() for path in files)
        for word in absent:
            assert not re.search(word, log), word
        for word in present:
            assert re.search(word, log), word
        holdings.fill(connection)
    assert_same_data(replica, primary)
    before = digest(primary)
    with primary.connect(timeout_s=30) as connection:
        connection.ok("DEBUG", "LOADAOF")
    assert digest(primary) == before


def test_it_is_set_at_the_start_only(start_server):
    with start_server().connect() as connection:
        reply = connection.call("CONFIG", "SET", "repl-oldest-replica", "5.0")
        assert b"can't set immutable config" in reply
