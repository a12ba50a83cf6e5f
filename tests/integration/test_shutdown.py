"""SHUTDOWN and SIGTERM while replicas lag, as Redis 7.0 does it: writes wait, the replicas catch up, then
the server ends; or the time is over, or somebody aborts. The tests run against both servers."""

import signal
import time

import pytest

from links import PROMPT, await_link, await_replica, info
from saving import wait_until
from support import resp

REFUSED = resp.Error(b"ERR Errors trying to SHUTDOWN. Check logs.")
NONE = resp.Error(b"ERR No shutdown in progress.")


@pytest.fixture
def primary(start_server):
    return start_server({**PROMPT, "shutdown-timeout": "60"})


@pytest.fixture
def replica(start_server, primary):
    one = start_server({"replicaof": f"127.0.0.1 {primary.port}"})
    await_link(one)
    await_replica(one, primary)
    yield one
    if one.is_running():
        one.signal(signal.SIGCONT)


def stall(replica, primary):
    """The replica lacks a write from now on."""
    replica.signal(signal.SIGSTOP)
    with primary.connect() as connection:
        connection.ok("SET", "k", "lacking")


def await_shutdown(server):
    wait_until(lambda: "shutdown_in_milliseconds" in info(server, "server"), "waiting for replicas")


def ask(server, *words):
    connection = server.connect(timeout_s=30)
    connection.send("SHUTDOWN", *words)
    return connection


def test_clients_that_wait_for_the_end_are_blocked(primary, replica):
    stall(replica, primary)
    clients = [ask(primary), ask(primary)]
    await_shutdown(primary)
    wait_until(lambda: info(primary, "clients")["blocked_clients"] == "2", "both wait")
    with primary.connect() as connection:
        connection.ok("SHUTDOWN", "ABORT")
    assert [client.read() for client in clients] == [REFUSED, REFUSED]
    assert info(primary, "clients")["blocked_clients"] == "0"


@pytest.mark.parametrize("how", ["signal", "SHUTDOWN", "NOSAVE", "SAVE"])
def test_it_waits_until_the_replicas_have_everything(primary, replica, how):
    stall(replica, primary)
    if how == "signal":
        primary.signal(signal.SIGTERM)
    else:
        ask(primary, *([] if how == "SHUTDOWN" else [how]))
    await_shutdown(primary)
    assert 0 < int(info(primary, "server")["shutdown_in_milliseconds"]) <= 60_000
    assert primary.is_running()
    replica.signal(signal.SIGCONT)
    assert primary.exit_status() == 0
    with replica.connect() as connection:
        assert connection.ok("GET", "k") == b"lacking"
    assert "1 of 1 replicas are in sync when shutting down." in primary.log()
    assert (primary.directory / "dump.rdb").exists() == (how == "SAVE")


def test_meanwhile_it_serves_reads_and_writes_wait(primary, replica):
    stall(replica, primary)
    ask(primary)
    await_shutdown(primary)
    with primary.connect() as reader, primary.connect(timeout_s=0.5) as writer:
        assert reader.ok("GET", "k") == b"lacking"
        with pytest.raises(resp.ReplyTimeout):
            writer.call("SET", "k", "too late")
        assert reader.ok("GET", "k") == b"lacking"


def test_abort(primary, replica):
    stall(replica, primary)
    asked = [ask(primary), ask(primary, "NOSAVE"), ask(primary, "SAVE", "FORCE")]
    await_shutdown(primary)
    with primary.connect() as connection, primary.connect(timeout_s=30) as writer:
        writer.send("INCR", "counter")
        assert connection.call("SHUTDOWN", "ABORT") == b"OK"
        assert [one.read() for one in asked] == [REFUSED] * 3
        assert writer.read() == 1, "it has waited"
        assert connection.call("SHUTDOWN", "ABORT") == NONE
        assert "shutdown_in_milliseconds" not in info(primary, "server")
        assert connection.ok("SET", "k", "goes on") == b"OK"
        # Scripts and all else go on, too; so does the replication.
        assert connection.ok("EVAL", "return redis.call('incr', 'counter')", 0) == 2
    assert "Shutdown manually aborted" in primary.log()
    replica.signal(signal.SIGCONT)
    await_replica(replica, primary)
    # And the next end is an end.
    ask(primary)
    assert primary.exit_status() == 0
    with replica.connect() as connection:
        assert connection.ok("GET", "k") == b"goes on"


def test_an_abort_of_a_signal(primary, replica):
    stall(replica, primary)
    primary.signal(signal.SIGTERM)
    await_shutdown(primary)
    with primary.connect() as connection:
        assert connection.call("SHUTDOWN", "ABORT") == b"OK"
        assert connection.ok("SET", "k", "goes on") == b"OK"


def test_the_time_is_over(primary, replica):
    with primary.connect() as connection:
        connection.ok("CONFIG", "SET", "shutdown-timeout", 1)
    stall(replica, primary)
    began = time.monotonic()
    ask(primary)
    assert primary.exit_status() == 0
    assert 0.9 < time.monotonic() - began < 6
    assert "0 of 1 replicas are in sync when shutting down." in primary.log()
    assert "Lagging replica 127.0.0.1:" in primary.log()


@pytest.mark.parametrize("how", ["NOW", "no time"])
def test_nobody_is_waited_for(primary, replica, how):
    if how != "NOW":
        with primary.connect() as connection:
            connection.ok("CONFIG", "SET", "shutdown-timeout", 0)
    stall(replica, primary)
    began = time.monotonic()
    ask(primary, *(["NOW"] if how == "NOW" else []))
    assert primary.exit_status() == 0
    assert time.monotonic() - began < 5


def test_a_second_request_in_a_hurry(primary, replica, server_kind):
    if server_kind != "cloakroom":
        pytest.skip("redis-server keeps waiting")
    stall(replica, primary)
    ask(primary)
    await_shutdown(primary)
    ask(primary, "NOW")
    assert primary.exit_status() == 0


def test_it_fails_after_the_wait(primary, replica):
    """The data cannot be saved: the server goes on, and writes too."""
    stall(replica, primary)
    dump = primary.directory / "dump.rdb"
    if dump.exists():
        dump.unlink()
    dump.mkdir()
    (dump / "in the way").write_text("")
    one = ask(primary, "SAVE")
    await_shutdown(primary)
    replica.signal(signal.SIGCONT)
    assert one.read() == REFUSED
    with primary.connect() as connection:
        assert connection.ok("SET", "k", "goes on") == b"OK"
        assert connection.call("SHUTDOWN", "ABORT") == NONE
    await_replica(replica, primary)
    assert "can't exit" in primary.log()


def test_without_replicas_nothing_is_waited_for(primary):
    with primary.connect() as connection:
        connection.ok("SET", "k", "v")
        assert connection.call("SHUTDOWN", "ABORT") == NONE
        assert connection.call("SHUTDOWN", "ABORT", "NOW") == resp.Error(b"ERR syntax error")
    ask(primary)
    assert primary.exit_status() == 0
