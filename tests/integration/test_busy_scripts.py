"""A script that runs for ever in one database, and all that must go on meanwhile. Nothing here measures time: only the
test ends the script, so a request that waited for it would wait for ever."""

import contextlib
import time

import pytest

from support import resp

BUSY_DB = 15
WAIT_S = 20


@pytest.fixture(autouse=True)
def _cloakroom_only(server_kind):
    if server_kind != "cloakroom":
        pytest.skip("in Redis a busy script stops everybody")


@contextlib.contextmanager
def busy_script(server, db=BUSY_DB):
    """Runs a script until it is busy, in a database; it is killed at the end."""
    with server.connect(timeout_s=WAIT_S) as runner, server.connect(timeout_s=WAIT_S) as other:
        runner.ok("SELECT", db)
        runner.send("EVAL", "while true do end", 0)
        other.ok("SELECT", db)
        while True:
            reply = other.call("GET", "x")
            if isinstance(reply, resp.Error) and reply.startswith(b"BUSY"):
                break
            time.sleep(0.01)
        yield
        assert other.call("SCRIPT", "KILL") == b"OK"
        assert b"Script killed by user" in runner.read()
        assert other.call("GET", "x") is None


@pytest.fixture
def server(start_server):
    return start_server({"busy-reply-threshold": 50, "io-threads": 2, "save": '""'})


def wait_until(condition, what):
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline, f"not while the script ran: {what}"
        time.sleep(0.02)


def info(connection, section, field):
    text = connection.call("INFO", section).decode()
    return dict(line.split(":", 1) for line in text.split("\r\n") if ":" in line)[field]


def ask_everywhere(connections):
    """All databases but the busy one answer, on all loops, even a request that needs one to itself."""
    for connection in connections:
        for db in range(BUSY_DB):
            connection.ok("SELECT", db)
            connection.ok("SET", "k", db)
            assert connection.ok("GET", "k") == str(db).encode()
            assert connection.ok("KEYS", "k") == [b"k"]
            # Inside MULTI, KEYS has the database to itself, as a script would.
            assert connection.pipeline([("MULTI",), ("KEYS", "k"), ("EXEC",)])[-1] == [[b"k"]]


@pytest.mark.parametrize("work", ["BGSAVE", "BGREWRITEAOF"])
def test_who_waits_for_all_databases_holds_none(server, work):
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(server.connect(timeout_s=WAIT_S)) for _ in range(4)]
        saver = stack.enter_context(server.connect(timeout_s=WAIT_S))
        with busy_script(server):
            saver.send(work)
            for _ in range(20):
                ask_everywhere(connections)
            with server.connect(timeout_s=WAIT_S) as two:
                assert two.call("SWAPDB", 0, 1) == b"OK"
                assert two.call("MOVE", "k", 9) == 0
                assert two.call("COPY", "k", "copy", "DB", 5) == 1
                assert two.call("SWAPDB", 0, BUSY_DB).startswith(b"BUSY")
        assert saver.read().endswith((b"started", b"scheduled"))
        wait_until(lambda: info(saver, "persistence", "rdb_bgsave_in_progress") == "0" and
                   info(saver, "persistence", "aof_rewrite_in_progress") == "0", "saved after all")


def test_time_goes_on_elsewhere(server):
    """Keys expire, save points are checked, and waiting KEYS leave the workers free for others."""
    with server.connect(timeout_s=WAIT_S) as connection, server.connect(timeout_s=WAIT_S) as many:
        many.ok("SELECT", BUSY_DB)
        many.pipeline([("SET", f"many{i}", i) for i in range(5000)])
        connection.pipeline([("SET", f"due{i}", i, "PX", 200) for i in range(100)])
        connection.pipeline([("SET", f"kept{i}", i) for i in range(5000)])
        with busy_script(server):
            wait_until(lambda: connection.ok("DBSIZE") == 5000, "what is due leaves")
            assert len(connection.ok("KEYS", "*")) == 5000
            connection.ok("CONFIG", "SET", "save", "1 1")
            connection.ok("SET", "change", 1)
            wait_until(lambda: "Saving..." in server.log(), "a save point is reached")


def test_unwatch_of_a_busy_database_waits_for_nobody(server):
    with server.connect(timeout_s=WAIT_S) as watcher:
        watcher.ok("SELECT", BUSY_DB)
        watcher.ok("WATCH", "a", "b", "c")
        watcher.ok("SELECT", 0)
        with busy_script(server):
            assert watcher.ok("UNWATCH") == b"OK"
            assert watcher.ok("SET", "k", 1) == b"OK"


WRITES_LATE = """
local function seconds() local t = redis.call('TIME') return t[1] + t[2] / 1000000 end
local till = seconds() + 0.05
repeat until seconds() > till
return redis.call('SET', KEYS[1], 'v')
"""


def test_a_pause_has_begun_when_its_reply_comes(start_server):
    """No write of another event loop is under way any more."""
    server = start_server({"io-threads": 2, "save": '""'})
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(server.connect(timeout_s=WAIT_S)) for _ in range(4)]
        for runner in connections:
            for other in connections:
                if other is runner:
                    continue
                runner.send("EVAL", WRITES_LATE, 1, "k")
                time.sleep(0.01)  # for the script to begin, as a rule
                other.ok("CLIENT", "PAUSE", 100_000, "WRITE")
                changes = info(other, "persistence", "rdb_changes_since_last_save")
                time.sleep(0.06)
                assert info(other, "persistence", "rdb_changes_since_last_save") == changes
                other.ok("CLIENT", "UNPAUSE")
                assert runner.read() == b"OK"


COUNTS = "local n = 0 while n < 4e7 do n = n + 1 end return 'counted'"


@pytest.mark.parametrize("loops", [1, 2])
def test_what_is_pushed_to_a_client_whose_script_runs_comes_behind_its_replies(start_server, loops):
    server = start_server({"busy-reply-threshold": 20, "io-threads": loops, "save": '""'})
    with server.connect(timeout_s=WAIT_S) as client, server.connect(timeout_s=WAIT_S) as other:
        client.hello(3)
        client.ok("SUBSCRIBE", "news")
        client.ok("SELECT", BUSY_DB)
        client.send_raw(b"".join(resp.encode(words) for words in (
            ("MULTI",), ("SET", "k", "v"), ("EVAL", COUNTS, 0), ("GET", "k"), ("EXEC",))))
        other.ok("SELECT", BUSY_DB)
        wait_until(lambda: str(other.call("GET", "x")).startswith("b'BUSY"), "the script is busy")
        assert other.ok("PUBLISH", "news", "one") == 1
        assert [client.read() for _ in range(4)] == [b"OK"] + [b"QUEUED"] * 3
        assert client.read() == [b"OK", b"counted", b"v"]
        assert client.read()[-1] == b"one"
        client.send_raw(resp.encode(("CLIENT", "REPLY", "SKIP")) + resp.encode(("EVAL", COUNTS, 0)))
        wait_until(lambda: str(other.call("GET", "x")).startswith("b'BUSY"), "the script is busy")
        assert other.ok("PUBLISH", "news", "two") == 1
        assert client.read()[-1] == b"two"


def test_keys_that_has_begun_hears_of_a_busy_script(server):
    with server.connect(timeout_s=WAIT_S) as client:
        client.ok("SELECT", BUSY_DB)
        for at in range(0, 300_000, 10_000):
            client.pipeline([("SET", f"key{n}", n) for n in range(at, at + 10_000)])
        client.send("KEYS", "*nothing*")
        with busy_script(server):
            # It has either finished before, or gets BUSY; it does not wait.
            reply = client.read()
            assert reply == [] or reply.startswith(b"BUSY")
