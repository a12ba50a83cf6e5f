"""Functions: what happens while one runs, and that libraries go with the data, between both servers."""

import shutil
import threading

import pytest

import saving
from support import resp, servers

LIBRARY = """#!lua name=lib
redis.register_function('twice', function(keys, args) return args[1] * 2 end)
redis.register_function{function_name='slow', flags={'no-writes'}, callback=function() while true do end end}
redis.register_function('writes', function(keys) redis.call('SET', keys[1], 1) while true do end end)
"""
LONG = "#!lua name=long\nredis.register_function('long', function() return 'yes' end)\n" + "-- filler\n" * 500
BUSY = b"BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE."
LOG = {"appendonly": "yes", "auto-aof-rewrite-percentage": "0"}


# --- While a function runs ----------------------------------------------------------------------


@pytest.fixture
def busy_server(start_server):
    server = start_server({"busy-reply-threshold": 50})
    with server.connect() as connection:
        connection.ok("FUNCTION", "LOAD", LIBRARY)
    return server


def call_until_busy(runner, other, *request):
    runner.send(*request)
    saving.wait_until(lambda: _is_busy(other.call("GET", "x")), "busy")


def _is_busy(reply):
    return isinstance(reply, resp.Error) and reply == BUSY


def test_a_busy_function_is_shown_and_killed(busy_server):
    with busy_server.connect() as runner, busy_server.connect() as other:
        call_until_busy(runner, other, "FCALL", "slow", 1, "key", "argument")
        stats = other.call("FUNCTION", "STATS")
        running = dict(zip(stats[1][::2], stats[1][1::2]))
        assert running[b"name"] == b"slow"
        assert running[b"command"] == [b"FCALL", b"slow", b"1", b"key", b"argument"]
        assert running[b"duration_ms"] >= 50
        assert _is_busy(other.call("SCRIPT", "KILL"))
        assert _is_busy(other.call("FCALL", "twice", 0, 1))
        assert _is_busy(other.call("FUNCTION", "LOAD", LIBRARY))
        assert _is_busy(other.call("SHUTDOWN"))
        assert other.call("FUNCTION", "KILL") == b"OK"
        assert runner.read() == (b"ERR Script killed by user with SCRIPT KILL... script: slow, on "
                                 b"@user_function:3.")
        assert other.call("FUNCTION", "STATS")[1] is None
        assert other.call("FCALL", "twice", 0, 4) == 8


def test_a_busy_script_is_not_killed_as_a_function(busy_server):
    with busy_server.connect() as runner, busy_server.connect() as other:
        runner.send("EVAL", "while true do end", 0)
        saving.wait_until(lambda: isinstance(other.call("GET", "x"), resp.Error), "busy")
        told = BUSY.replace(b"FUNCTION", b"SCRIPT")
        assert other.call("FUNCTION", "KILL") == told
        assert other.call("FUNCTION", "STATS") == told
        assert other.call("SCRIPT", "KILL") == b"OK"
        assert b"Script killed" in runner.read()


def test_one_that_has_written_is_ended_only_with_the_server(busy_server):
    with busy_server.connect() as runner, busy_server.connect() as other:
        call_until_busy(runner, other, "FCALL", "writes", 1, "key")
        for command in ("FUNCTION", "SCRIPT"):
            assert other.call(command, "KILL").startswith(b"UNKILLABLE ")
        other.send("SHUTDOWN", "NOSAVE")
        assert busy_server.exit_status() == 0


def test_replaced_while_it_is_called(server):
    """Each call runs one version, and a transaction sees the same one from its beginning to its end."""
    def library(version):
        return (f"#!lua name=race\nlocal v = {version}\n"
                "redis.register_function('race', function() return v end)")

    stop = threading.Event()
    wrong = []

    def call():
        with server.connect() as connection:
            while not stop.is_set():
                replies = connection.pipeline(
                    [("FCALL", "race", 0), ("MULTI",), ("FCALL", "race", 0), ("FCALL", "race", 0), ("EXEC",)])
                if not isinstance(replies[0], int) or replies[-1][0] != replies[-1][1]:
                    wrong.append(replies)
                    return

    with server.connect() as admin:
        admin.ok("FUNCTION", "LOAD", library(0))
        callers = [threading.Thread(target=call) for _ in range(6)]
        for one in callers:
            one.start()
        for version in range(1, 300):
            admin.ok("FUNCTION", "LOAD", "REPLACE", library(version))
            assert admin.ok("FCALL", "race", 0) == version
        stop.set()
        for one in callers:
            one.join()
    assert not wrong


# --- With the data ------------------------------------------------------------------------------


@pytest.fixture
def start_any():
    started = []

    def start(kind, directives=None, files_of=None):
        server = servers.Server(kind, directives)
        for name in ("dump.rdb", "appendonlydir") if files_of is not None else ():
            source = files_of.directory / name
            if source.is_dir():
                shutil.copytree(source, server.directory / name)
            elif source.exists():
                shutil.copy(source, server.directory / name)
        started.append(server)
        return server.launch()

    yield start
    for one in started:
        one.stop()


@pytest.fixture(params=["from redis", "to redis", "own"])
def direction(request, server_kind):
    return {"from redis": ("redis", server_kind), "to redis": (server_kind, "redis"),
            "own": (server_kind, server_kind)}[request.param]


def assert_has_both(server):
    with server.connect() as connection:
        assert connection.ok("FCALL", "twice", 0, 21) == 42
        assert connection.ok("FCALL", "long", 0) == b"yes"
        listed = connection.ok("FUNCTION", "LIST", "WITHCODE")
        assert {one[7] for one in listed} == {LIBRARY.encode(), LONG.encode()}


def test_a_snapshot_holds_the_libraries(start_any, direction):
    writer = start_any(direction[0])
    with writer.connect() as connection:
        connection.ok("FUNCTION", "LOAD", LIBRARY)
        connection.ok("FUNCTION", "LOAD", LONG)
        connection.ok("SET", "key", 1)
        connection.ok("SAVE")
    reader = start_any(direction[1], files_of=writer)
    assert_has_both(reader)
    with reader.connect() as connection:
        assert connection.ok("GET", "key") == b"1"


@pytest.mark.parametrize("rewritten", [False, True], ids=["grown", "rewritten"])
@pytest.mark.parametrize("preamble", ["yes", "no"])
def test_a_log_holds_the_libraries(start_any, direction, preamble, rewritten):
    settings = {**LOG, "aof-use-rdb-preamble": preamble}
    writer = start_any(direction[0], settings)
    with writer.connect() as connection:
        connection.ok("FUNCTION", "LOAD", "#!lua name=gone\nredis.register_function('gone', function() end)")
        payload = connection.ok("FUNCTION", "DUMP")
        connection.ok("FUNCTION", "FLUSH")
        connection.ok("FUNCTION", "LOAD", LIBRARY)
        connection.ok("FUNCTION", "RESTORE", payload)
        if rewritten:
            connection.ok("BGREWRITEAOF")
            assert saving.wait_for_rewrite(connection) == "ok"
        connection.ok("FUNCTION", "DELETE", "gone")
        connection.pipeline([("MULTI",), ("FUNCTION", "LOAD", "REPLACE", LONG), ("FCALL", "long", 0), ("EXEC",)])
    assert writer.terminate() == 0
    assert_has_both(start_any(direction[1], settings, files_of=writer))


def test_a_payload_goes_to_the_other_server(start_any, direction):
    with start_any(direction[0]).connect() as connection:
        connection.ok("FUNCTION", "LOAD", LIBRARY)
        connection.ok("FUNCTION", "LOAD", LONG)
        payload = connection.ok("FUNCTION", "DUMP")
        assert len(payload) < len(LONG), "it is compressed"
    reader = start_any(direction[1])
    with reader.connect() as connection:
        connection.ok("FUNCTION", "RESTORE", payload)
    assert_has_both(reader)


def test_a_reload_brings_back_the_libraries_of_the_file(server):
    with server.connect() as connection:
        connection.ok("FUNCTION", "LOAD", LIBRARY)
        connection.ok("FUNCTION", "LOAD", LONG)
        connection.ok("SAVE")
        connection.ok("FUNCTION", "LOAD", "#!lua name=new\nredis.register_function('new', function() end)")
        connection.ok("DEBUG", "RELOAD", "NOSAVE")
        assert connection.call("FCALL", "new", 0) == b"ERR Function not found"
        connection.ok("DEBUG", "RELOAD", "MERGE", "NOFLUSH", "NOSAVE")
    assert_has_both(server)
