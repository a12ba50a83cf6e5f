"""What the server saves, and what it says when it cannot save it or cannot load it."""

import re
import signal

import pytest

from saving import dump, info, wait_for_rewrite, wait_for_save, wait_until, wait_until_written
from support import resp, servers

MISCONF = (b"MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to "
           b"disk. Commands that may modify the data set are disabled, because this instance is "
           b"configured to report errors during writes if RDB snapshotting fails "
           b"(stop-writes-on-bgsave-error option). Please check the Redis logs for details about the RDB "
           b"error.")
SAVE_POINT = {"save": "3600 1"}
LOADED_KEYS = 2_000_000
BASE_KEYS = 500_000


# --- The end of the process -------------------------------------------------------------------


@pytest.mark.parametrize("arguments, settings, kept", [
    (("SHUTDOWN",), {}, False), (("SHUTDOWN",), SAVE_POINT, True),
    (("SHUTDOWN", "SAVE"), {}, True), (("SHUTDOWN", "NOSAVE"), SAVE_POINT, False),
    (("SHUTDOWN", "NOW", "SAVE"), {}, True), (("shutdown", "nosave", "force"), SAVE_POINT, False),
], ids=lambda value: "-".join(value) if isinstance(value, tuple) else None)
def test_shutdown_saves_what_it_is_told(start_server, arguments, settings, kept):
    server = start_server(settings)
    with server.connect() as connection:
        connection.ok("SET", "key", 1)
        connection.send(*arguments)
        assert connection.is_closed()
    assert server.exit_status() == 0
    assert dump(server).exists() == kept


@pytest.mark.parametrize("settings, kept", [({}, False), (SAVE_POINT, True)])
def test_sigterm_saves_where_save_points_are(start_server, settings, kept):
    server = start_server(settings)
    with server.connect() as connection:
        connection.ok("SET", "key", 1)
    server.signal(signal.SIGTERM)
    assert server.exit_status() == 0
    assert dump(server).exists() == kept


def test_shutdown_that_cannot_save_goes_on_unless_forced(start_server):
    server = start_server(SAVE_POINT)
    _break_saving(server)
    with server.connect() as connection:
        connection.ok("SET", "key", 1)
        assert connection.call("SHUTDOWN") == resp.Error(b"ERR Errors trying to SHUTDOWN. Check logs.")
        assert connection.call("GET", "key") == b"1"
        connection.send("SHUTDOWN", "FORCE")
        assert connection.is_closed()
    assert server.exit_status() == 0


def _begin_log(server):
    """Starts a log whose first base takes a while; returns the connection that asked for it."""
    connection = server.connect()
    connection.ok("DEBUG", "POPULATE", BASE_KEYS, "key", 100)
    connection.send("CONFIG", "SET", "appendonly", "yes")
    return connection


def test_shutdown_is_refused_while_the_log_has_no_base(start_server):
    server = start_server()
    with _begin_log(server) as connection:
        connection.send("SHUTDOWN", "NOSAVE")
        assert connection.read() == b"OK"
        assert connection.read() == resp.Error(b"ERR Errors trying to SHUTDOWN. Check logs.")
        assert connection.ok("EVAL", "return 1", 0) == 1
        assert wait_for_rewrite(connection) == "ok"
        connection.send("SHUTDOWN", "NOSAVE")
        assert connection.is_closed()
    assert server.exit_status() == 0
    reader = start_server({"appendonly": "yes"}, directory=server.directory)
    with reader.connect() as connection:
        assert connection.ok("DBSIZE") == BASE_KEYS


def test_sigterm_waits_for_the_first_base_of_a_log(start_server, server_kind):
    if server_kind == "redis":
        pytest.skip("redis-server refuses, and nobody hears it")
    server = start_server()
    with _begin_log(server) as connection:
        assert connection.read() == b"OK"
        server.signal(signal.SIGTERM)
        assert server.exit_status() == 0
    reader = start_server({"appendonly": "yes"}, directory=server.directory)
    with reader.connect() as connection:
        assert connection.ok("DBSIZE") == BASE_KEYS


# --- Saving -----------------------------------------------------------------------------------


def test_save_point_saves_by_itself(start_server):
    server = start_server({"save": "1 3"})
    with server.connect() as connection:
        before = connection.ok("LASTSAVE")
        connection.ok("MSET", "a", 1, "b", 2)
        assert info(connection)["rdb_changes_since_last_save"] == "2"
        connection.ok("SET", "c", 3)
        wait_until(lambda: info(connection)["rdb_changes_since_last_save"] == "0", "saved")
        assert wait_for_save(connection) == "ok"
        assert connection.ok("LASTSAVE") >= before
        assert info(connection)["rdb_saves"] == "1"
    server.kill()
    server.launch()
    with server.connect() as connection:
        assert connection.ok("MGET", "a", "b", "c") == [b"1", b"2", b"3"]


@pytest.mark.parametrize("settings", [{}, {"appendonly": "yes"}], ids=["snapshot", "log"])
def test_another_directory_is_where_saves_go_from_then_on(start_server, tmp_path, settings):
    server = start_server({"enable-protected-configs": "yes"} | settings)
    other = tmp_path / "other"
    other.mkdir()
    with server.connect() as connection:
        connection.ok("SET", "a", 1)
        connection.ok("CONFIG", "SET", "dir", other)
        connection.ok("SET", "b", 2)
        if settings:
            connection.ok("BGREWRITEAOF")
            assert wait_for_rewrite(connection) == "ok"
        connection.ok("SAVE")
        assert not dump(server).exists()
        assert connection.ok("CONFIG", "GET", "dir")[1] == str(other).encode()
    server.terminate()
    moved = start_server(settings, directory=other)
    with moved.connect() as connection:
        assert connection.ok("MGET", "a", "b") == [b"1", b"2"]


def _break_saving(server):
    """Puts a directory in the file's place, because permissions do not stop root."""
    (dump(server) / "in the way").mkdir(parents=True)


def _repair_saving(server):
    (dump(server) / "in the way").rmdir()
    dump(server).rmdir()


def test_failed_save_stops_writes_until_one_succeeds(start_server):
    server = start_server(SAVE_POINT)
    with server.connect() as connection:
        connection.ok("SET", "key", 1)
        _break_saving(server)
        assert isinstance(connection.call("SAVE"), resp.Error)
        connection.ok("BGSAVE")
        assert wait_for_save(connection) == "err"
        for write in (("SET", "key", 2), ("DEL", "key"), ("EVAL", "return redis.call('SET', 'key', 3)", 0)):
            reply = connection.call(*write)
            assert isinstance(reply, resp.Error) and reply.startswith(MISCONF), reply
        assert connection.call("PING") == resp.Error(MISCONF)
        assert connection.call("GET", "key") == b"1"
        assert connection.call("EVAL", "return redis.call('GET', 'key')", 0) == b"1"
        _repair_saving(server)
        assert connection.call("SET", "key", 2) == resp.Error(MISCONF)
        connection.ok("BGSAVE")
        assert wait_for_save(connection) == "ok"
        assert connection.call("SET", "key", 2) == b"OK"
        assert dump(server).is_file()


@pytest.mark.parametrize("settings", [{"save": '""'}, {**SAVE_POINT, "stop-writes-on-bgsave-error": "no"}])
def test_failed_save_stops_nobody_who_did_not_ask(start_server, settings):
    server = start_server(settings)
    _break_saving(server)
    with server.connect() as connection:
        connection.ok("BGSAVE")
        assert wait_for_save(connection) == "err"
        assert connection.call("SET", "key", 1) == b"OK"


def test_failed_save_leaves_no_temporary_file(start_server):
    server = start_server(SAVE_POINT)
    _break_saving(server)
    with server.connect() as connection:
        connection.call("SAVE")
    assert sorted(path.name for path in server.directory.iterdir()) == [
        "dump.rdb", "server.conf", "server.log"]


# --- The log at run time ----------------------------------------------------------------------


def test_log_is_switched_on_and_off(start_server):
    server = start_server()
    with server.connect() as connection:
        connection.ok("SET", "before", 1)
        connection.ok("CONFIG", "SET", "appendonly", "yes")
        wait_until(lambda: info(connection)["aof_rewrite_in_progress"] == "0", "rewritten")
        assert info(connection)["aof_enabled"] == "1"
        connection.ok("SET", "logged", 1)
        wait_until_written(connection)
        server.directives["appendonly"] = "yes"
        server.kill()
        server.launch()
    with server.connect() as connection:
        assert sorted(connection.ok("KEYS", "*")) == [b"before", b"logged"]
        connection.ok("CONFIG", "SET", "appendonly", "no")
        assert info(connection)["aof_enabled"] == "0"
        connection.ok("SET", "unlogged", 1)
        server.kill()
        server.launch()
    with server.connect() as connection:
        assert sorted(connection.ok("KEYS", "*")) == [b"before", b"logged"]


def test_log_wins_over_the_snapshot(start_server):
    server = start_server({"appendonly": "yes"})
    with server.connect() as connection:
        connection.ok("SET", "key", "snapshot")
        connection.ok("SAVE")
        connection.ok("SET", "key", "log")
        wait_until_written(connection)
    server.kill()
    server.launch()
    with server.connect() as connection:
        assert connection.ok("GET", "key") == b"log"


# --- Loading ----------------------------------------------------------------------------------


@pytest.mark.slow
def test_clients_hear_that_it_loads(start_server):
    server = start_server()
    with server.connect(timeout_s=60) as connection:
        connection.ok("DEBUG", "POPULATE", LOADED_KEYS, "key", 30)
        connection.ok("SAVE")
    size = dump(server).stat().st_size
    server.kill()
    server.spawn()
    progress = []
    wait_until(lambda: _look_at_loading(server, progress), "loaded")
    assert progress, "it was never seen while it loaded"
    for one in progress:
        assert int(one["loading_total_bytes"]) == size
        assert {"loading_start_time", "loading_loaded_perc", "loading_eta_seconds",
                "async_loading", "loading_rdb_used_mem"} <= set(one)
    loaded = [int(one["loading_loaded_bytes"]) for one in progress]
    assert loaded == sorted(loaded) and loaded[-1] <= size
    with server.connect() as connection:
        assert connection.ok("DBSIZE") == LOADED_KEYS
        assert info(connection)["loading"] == "0"
        assert "loading_total_bytes" not in info(connection)


def _look_at_loading(server, progress):
    """Adds INFO to `progress` while the server loads; returns whether it has loaded."""
    try:
        with server.connect() as connection:
            get, ping = connection.call("GET", "key:1"), connection.call("PING")
            connection.ok("CLIENT", "PAUSE", 1, "WRITE")  # waits for nothing
            about = info(connection)
    except OSError:
        return False
    if about["loading"] == "0":
        return True
    for reply in (get, ping):
        assert re.match(rb"LOADING \w+ is loading the dataset in memory$", bytes(reply)), reply
    progress.append(about)
    return False


# --- Files that cannot be read ----------------------------------------------------------------


def _damaged_after_restart(server, damage):
    """Writes a file, damages it, and starts the server on it. Returns its exit status, its output, and
    where the damaged key is."""
    with server.connect() as connection:
        connection.ok("MSET", *(word for n in range(100) for word in (f"fill{n:03}", "v" * 50)))
        connection.ok("HSET", "victim", *(word for n in range(20) for word in (f"field{n}", "v" * 20)))
        connection.ok("SAVE")
    data = bytearray(dump(server).read_bytes())
    at = data.index(b"victim")
    data = damage(data, at)
    dump(server).write_bytes(data)
    server.kill()
    server.log_path.unlink()
    server.spawn()
    return server.exit_status(), server.log(), at


def _unknown_type(data, at):
    data[at - 2] = 30  # the type comes before the key's length
    return data


def _flipped_byte(data, at):
    data[data.index(b"fill050") + 20] ^= 1
    return data


def _cut(data, at):
    return data[:at + 40]


def _not_a_snapshot(data, at):
    return b"HELLO" + data[5:]


def _from_the_future(data, at):
    return data[:5] + b"0099" + data[9:]


@pytest.mark.parametrize("damage, words", [
    (_unknown_type, "Unknown RDB encoding type 30"), (_flipped_byte, "Wrong RDB checksum"),
    (_cut, "Short read or OOM loading DB. Unrecoverable error, aborting now."),
    (_not_a_snapshot, "Wrong signature trying to load DB from file"),
    (_from_the_future, "Can't handle RDB format version 99")])
def test_damaged_snapshot_is_refused(start_server, server_kind, damage, words):
    server = start_server({"rdbcompression": "no"})
    status, log, at = _damaged_after_restart(server, damage)
    assert status == 1
    if server_kind == "redis":
        assert words in log
        return
    assert "dump.rdb" in log and "--repair" in log, "it does not say what to do"
    if damage is _cut:
        assert "victim" in log, "it does not name the key"
        offsets = [int(number) for number in re.findall(r"offset (\d+)", log)]
        assert any(at - 10 <= offset <= at + 50 for offset in offsets), offsets


def test_damaged_snapshot_is_not_touched(start_server):
    server = start_server({**SAVE_POINT, "rdbcompression": "no"})
    _damaged_after_restart(server, _flipped_byte)
    before = dump(server).read_bytes()
    server.spawn()
    assert server.exit_status() == 1
    assert dump(server).read_bytes() == before


def test_type_that_is_not_there_is_named(start_server, server_kind):
    server = start_server()
    with server.connect() as connection:
        if not isinstance(connection.call("RPUSH", "l", 1), resp.Error):
            pytest.skip("the server has lists")
    server.kill()
    with servers.start("redis") as other, other.connect() as connection:
        connection.ok("SET", "first", 1)
        connection.ok("RPUSH", "the-queue", *range(10))
        connection.ok("SAVE")
        dump(server).write_bytes(dump(other).read_bytes())
    server.spawn()
    assert server.exit_status() == 1
    assert "the-queue" in server.log() and "list" in server.log()


# --- Scripts ----------------------------------------------------------------------------------


@pytest.mark.parametrize("settings", [SAVE_POINT, {"appendonly": "yes"}], ids=["snapshot", "log"])
def test_loaded_scripts_survive_a_restart(start_server, server_kind, settings):
    if server_kind == "redis":
        pytest.skip("redis-server forgets its scripts")
    server = start_server(settings)
    with server.connect() as connection:
        digest = connection.ok("SCRIPT", "LOAD", "return 'kept ' .. ARGV[1]")
        connection.ok("EVAL", "return 'by EVAL'", 0)
        connection.ok("SET", "key", 1)
    assert server.terminate() == 0
    server.launch()
    with server.connect() as connection:
        assert connection.call("EVALSHA", digest, 0, "well") == b"kept well"
        connection.ok("SCRIPT", "FLUSH")
        connection.ok("SET", "key", 2)
    assert server.terminate() == 0
    server.launch()
    with server.connect() as connection:
        assert connection.ok("SCRIPT", "EXISTS", digest) == [0]
