"""How the server ends and what it does with signals: at rest, while a script runs, while it loads or saves."""

import contextlib
import signal
import time

import pytest

from support import resp


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_the_server_with_zero(start_server, number):
    server = start_server()
    with server.connect() as connection:
        connection.ok("SET", "key", "1")
        server.signal(number)
        assert connection.is_closed()
    assert server.terminate() == 0


def test_who_is_cut_off_by_the_end_is_not_accepted_again(start_server):
    server = start_server({"save": ""})
    for _ in range(10):
        with server.connect() as connection:
            server.signal(signal.SIGTERM)
            assert connection.is_closed()
            with pytest.raises(ConnectionRefusedError):
                server.connect()
        assert server.exit_status() == 0
        server.launch()


@pytest.mark.needs("bgsave")
def test_stopping_saves_what_the_settings_ask_for(start_server):
    server = start_server({"save": "3600 1"})
    with server.connect() as connection:
        connection.ok("SET", "key", "kept")
    assert server.terminate() == 0
    assert (server.directory / "dump.rdb").is_file()
    server.launch()
    with server.connect() as connection:
        assert connection.call("GET", "key") == b"kept"


def test_shutdown_nosave_forgets(start_server):
    server = start_server({"save": "3600 1"})
    with server.connect() as connection:
        connection.ok("SET", "key", "lost")
        connection.send("SHUTDOWN", "NOSAVE")
        assert connection.is_closed()
    assert server.terminate() == 0
    assert not (server.directory / "dump.rdb").exists()


def test_an_end_that_is_asked_for_again_and_again_comes_once(start_server):
    server = start_server({"save": "3600 1"})
    with server.connect() as connection:
        for batch in range(20):
            connection.call("MSET", *[f"key{batch}_{n // 2}" for n in range(10_000)])
    asking = [server.connect() for _ in range(8)]
    for connection in asking:
        connection.send("SHUTDOWN")
    server.signal(signal.SIGTERM)
    assert server.exit_status() == 0
    assert all(connection.is_closed() for connection in asking)
    assert (server.directory / "dump.rdb").exists()


BUSY_WRITER = "redis.call('SET', 'half', 'y') while true do end"
BUSY_READER = "while true do pcall(redis.call, 'GET', 'key') end"


def _run_busy(server, script):
    """A connection whose script has become busy; the key "whole" was written before."""
    with server.connect() as connection:
        connection.ok("SET", "whole", "1")
    client = server.connect()
    client.send("EVAL", script, "0")
    with server.connect() as other:
        deadline = time.monotonic() + 10
        while not isinstance(other.call("GET", "whole"), resp.Error):
            assert time.monotonic() < deadline, "the script is not busy"
    return client


@pytest.mark.parametrize("script", [BUSY_WRITER, BUSY_READER])
@pytest.mark.parametrize("appendonly", ["no", "yes"])
def test_shutdown_nosave_ends_any_busy_script(start_server, appendonly, script):
    options = {"busy-reply-threshold": "100", "save": "3600 1", "appendonly": appendonly}
    server = start_server(options)
    client = _run_busy(server, script)
    with server.connect() as other:
        other.send("SHUTDOWN", "NOSAVE")
        assert server.exit_status() == 0
    assert client.is_closed()
    assert not (server.directory / "dump.rdb").exists()
    if appendonly == "yes":
        server.launch()
        with server.connect() as connection:
            assert connection.call("MGET", "whole", "half") == [b"1", None]


@pytest.mark.parametrize("save", ["", "3600 1"])
def test_signalled_server_does_not_wait_for_a_busy_script_that_only_reads(start_server, save):
    server = start_server({"busy-reply-threshold": "100", "save": save})
    client = _run_busy(server, BUSY_READER)
    with server.connect() as other:
        other.call("PING")
        server.signal(signal.SIGTERM)
        if server.kind == "redis":
            time.sleep(0.3)
            assert server.is_running()
            assert other.call("SCRIPT", "KILL") == b"OK"
        assert server.exit_status() == 0
    client.close()
    assert (server.directory / "dump.rdb").exists() == bool(save)


def _run_young(server, script, *keys):
    """A connection whose script runs, and will not be busy for a long time yet."""
    if server.kind == "redis":
        pytest.skip("redis-server hears a signal when a script is busy, and waits for SCRIPT KILL")
    client = server.connect()
    client.send("EVAL", script, str(len(keys)), *keys)
    time.sleep(0.3)
    return client


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("options", [{}, {"save": "3600 1"}, {"appendonly": "yes"}])
def test_signal_ends_an_endless_script_that_has_written_nothing(start_server, options, number):
    server = start_server({"busy-reply-threshold": "60000", **options})
    with server.connect() as connection:
        connection.ok("SET", "key", "kept")
    client = _run_young(server, BUSY_READER)
    server.signal(number)
    assert server.exit_status() == 0
    client.close()
    if options:
        server.launch()
        with server.connect() as connection:
            assert connection.call("GET", "key") == b"kept"


def _wait_for_log(server, text):
    deadline = time.monotonic() + 10
    while text not in server.log():
        assert time.monotonic() < deadline and server.is_running(), server.log()
        time.sleep(0.02)


WAITS = "The end waits for a script that has written already. Another SIGINT, or SHUTDOWN NOSAVE,"


def test_every_signal_is_heard_while_the_end_waits_for_a_young_writer(start_server, tmp_path):
    log = tmp_path / "server.log"
    server = start_server({"busy-reply-threshold": "60000", "save": "3600 1", "logfile": log})
    server.log_path = log
    client = _run_young(server, BUSY_WRITER)
    server.signal(signal.SIGINT)
    _wait_for_log(server, WAITS)
    log.rename(tmp_path / "server.log.1")
    server.signal(signal.SIGHUP)
    deadline = time.monotonic() + 10
    while not log.exists():
        assert time.monotonic() < deadline, "SIGHUP was not heard"
        time.sleep(0.02)
    assert server.is_running()
    server.signal(signal.SIGINT)
    assert server.exit_status() == 0
    client.close()
    assert (tmp_path / "server.log.1").read_text().count(WAITS) == 1
    assert not (server.directory / "dump.rdb").exists()


def test_the_end_waits_for_a_script_that_has_written_and_saves_all_of_it(start_server):
    server = start_server({"busy-reply-threshold": "60000", "save": "3600 1"})
    client = _run_young(server, "redis.call('SET', 'first', '1') for i = 1, 1e8 do end "
                                "redis.call('SET', 'second', '2')")
    server.signal(signal.SIGTERM)
    assert server.exit_status() == 0
    client.close()
    assert WAITS in server.log()
    server.launch()
    with server.connect() as connection:
        assert connection.call("MGET", "first", "second") == [b"1", b"2"]


def test_a_second_sigint_ends_a_server_that_saves_on_a_slow_disk(start_server):
    server = start_server({"save": "3600 1"})
    if server.kind == "redis":
        pytest.skip("redis-server hears no signal while it saves")
    with server.connect() as connection:
        connection.pipeline([("SET", f"key{n}", n) for n in range(20_000)])
        connection.ok("CONFIG", "SET", "rdb-key-save-delay", 10_000)
    server.signal(signal.SIGINT)
    _wait_for_log(server, "Saving the snapshot")
    server.signal(signal.SIGINT)
    server.exit_status()
    assert not (server.directory / "dump.rdb").exists()


def test_an_endless_script_keeps_the_first_base_of_the_log_from_nobody(start_server):
    server = start_server({"busy-reply-threshold": "60000", "save": "3600 1"})
    if server.kind == "redis":
        pytest.skip("in redis-server nobody turns the log on while a script runs")
    with server.connect() as connection, server.connect() as runner:
        runner.ok("SELECT", "3")
        runner.send("EVAL", "while true do end", "0")
        assert connection.ok("CONFIG", "SET", "appendonly", "yes") == b"OK"
        _wait_for_log(server, "rewriting started")
        server.signal(signal.SIGTERM)
        assert server.exit_status() == 0


def test_while_the_end_waits_no_other_script_begins(start_server):
    server = start_server({"busy-reply-threshold": "100", "save": "3600 1", "io-threads": "2"})
    if server.kind == "redis":
        pytest.skip("redis-server runs one script at a time")
    client = _run_busy(server, BUSY_WRITER)
    with server.connect() as other, server.connect() as writer, server.connect() as reader:
        for connection in (other, writer, reader):
            connection.ok("SELECT", "1")
        other.ok("SET", "a", "1")
        server.signal(signal.SIGTERM)
        _wait_for_log(server, WAITS)
        writer.send("EVAL", "return redis.call('SET', 'a', '2')", "0")
        reader.send("EVAL", BUSY_READER, "0")
        # The server serves other commands, and the scripts wait.
        for _ in range(100):
            assert other.call("GET", "a") == b"1"
        server.signal(signal.SIGINT)
        server.signal(signal.SIGINT)
        assert server.exit_status() == 0
        for connection in (writer, reader):
            with contextlib.suppress(OSError, resp.ConnectionClosed):
                # A client on the event loop of the busy script got BUSY at once.
                assert connection.read().startswith(b"BUSY")
    client.close()


@pytest.mark.parametrize("how", ["nosave", "again"])
def test_signalled_server_with_a_busy_writer_ends_when_it_is_told_so(start_server, how):
    server = start_server({"busy-reply-threshold": "100", "save": "3600 1"})
    client = _run_busy(server, BUSY_WRITER)
    with server.connect() as other:
        other.call("PING")
        server.signal(signal.SIGINT)
        time.sleep(0.3)
        assert other.call("SCRIPT", "KILL").startswith(b"UNKILLABLE")
        if how == "nosave":
            other.send("SHUTDOWN", "NOSAVE")
        else:
            server.signal(signal.SIGINT)
        server.exit_status()
    client.close()
    assert not (server.directory / "dump.rdb").exists()


@pytest.mark.parametrize("order", ["SHUTDOWN NOSAVE", "SHUTDOWN", "signal"])
def test_a_server_that_loads_can_be_told_to_end(start_server, order):
    server = start_server({"enable-debug-command": "yes"})
    with server.connect() as connection:
        connection.call("DEBUG", "POPULATE", "1000000", "key", "100")
        assert connection.call("SAVE") == b"OK"
        size = (server.directory / "dump.rdb").stat().st_size
    server.kill()
    server.spawn()
    _wait_until_it_listens(server)
    if order == "signal":
        server.signal(signal.SIGTERM)
    else:
        with server.connect() as connection:
            connection.send(*order.split())
    assert server.exit_status() == 0
    # Whether or not the load was over by then, the file is unchanged.
    assert (server.directory / "dump.rdb").stat().st_size == size


def _wait_until_it_listens(server):
    deadline = time.monotonic() + 10
    while True:
        try:
            return server.connect().close()
        except OSError:
            assert time.monotonic() < deadline and server.is_running(), server.log()
            time.sleep(0.001)


def test_hangup_does_not_end_the_server_and_its_log_follows_a_rename(start_server, tmp_path):
    log = tmp_path / "server.log"
    server = start_server({"logfile": log, "loglevel": "verbose"})
    assert log.exists()
    log.rename(tmp_path / "server.log.1")
    server.signal(signal.SIGHUP)
    deadline = time.monotonic() + 10
    while not log.exists():
        assert time.monotonic() < deadline, "no new log file"
        # Redis opens its file for each line and so needs a line; at this level a connection writes one.
        server.connect().close()
        time.sleep(0.02)
    assert server.is_running()
