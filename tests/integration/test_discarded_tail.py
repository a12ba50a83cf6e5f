"""What a former primary wrote alone: a full sync replaces its data, and a file keeps those commands."""

import signal
import subprocess
from pathlib import Path

import pytest

from links import PROMPT, assert_same_data, await_link, await_replica, follow, syncs
from saving import wait_until
from support import servers


@pytest.fixture
def replica(start_server):
    return start_server(PROMPT)


@pytest.fixture(params=["disabled", "swapdb"])
def primary(request, start_server, replica):
    return primary_of(start_server, replica,
                      {**PROMPT, "appendonly": "yes", "repl-diskless-load": request.param})


def primary_of(start_server, replica, directives):
    """A primary whose replica has acknowledged a write."""
    one = start_server(directives)
    follow(replica, one)
    with one.connect() as connection:
        connection.ok("SELECT", 2)
        connection.ok("SET", "acknowledged", 1)
        assert connection.ok("WAIT", 1, 10_000) == 1
    return one


def part(primary, replica):
    """The replica is promoted, and its primary does not know of it. Both are written to."""
    with replica.connect() as connection:
        connection.ok("REPLICAOF", "NO", "ONE")
        connection.ok("SET", "new", 1)
    wait_until(lambda: replication_count(primary) == 0, "left alone")
    with primary.connect() as connection:
        connection.ok("SELECT", 2)
        connection.ok("SET", "lost", 1)
        connection.ok("PUBLISH", "channel", "lost, but not data")
        connection.ok("MULTI")
        connection.ok("RPUSH", "lost list", "a", "b")
        connection.ok("SELECT", 5)
        connection.ok("HSET", "lost hash", "f", "v")
        connection.ok("EXEC")


def replication_count(primary):
    with primary.connect() as connection:
        return len(connection.ok("ROLE")[2])


def files_of(server, form="discarded"):
    return sorted(Path(server.directory).glob(f"{form}-*.aof"))


def demote(server):
    """Makes it a replica, also after a restart, of a server that cannot be reached."""
    port = servers.free_port()
    server.directives["replicaof"] = f"127.0.0.1 {port}"
    with server.connect() as connection:
        connection.ok("REPLICAOF", "127.0.0.1", port)


def restart(server, how):
    server.signal(how)
    server.exit_status()
    server.launch()


def replayed(path, start_server, program):
    """The data that the file makes in an empty server, read by redis-cli."""
    with start_server() as fresh:
        done = subprocess.run([program("redis-cli"), "-p", str(fresh.port), "--pipe"], input=path.read_bytes(),
                              capture_output=True, check=False)
        assert b"errors: 0" in done.stdout, done.stdout + done.stderr
        data = {}
        with fresh.connect() as connection:
            for db in range(16):
                connection.ok("SELECT", db)
                data.update({(db, key): connection.ok("TYPE", key) for key in connection.ok("KEYS", "*")})
    return data


LOST = {(2, b"lost"): b"string", (2, b"lost list"): b"list", (5, b"lost hash"): b"hash"}


def test_a_file_has_what_the_new_primary_does_not_know(primary, replica, start_server, program):
    part(primary, replica)
    follow(primary, replica)
    assert_same_data(primary, replica)
    [path] = files_of(primary)
    assert replayed(path, start_server, program) == LOST
    check = Path(servers.binary("cloakroom")).parent / "cloakroom-check-aof"
    assert subprocess.run([check, path], capture_output=True, check=False).returncode == 0
    assert f"They are kept in {path}" in primary.log()
    assert not files_of(replica)


def test_a_restart_in_between_forgets_who_had_what(primary, replica, start_server, program):
    part(primary, replica)
    restart(primary, signal.SIGTERM)
    follow(primary, replica)
    assert_same_data(primary, replica)
    [path] = files_of(primary)
    assert replayed(path, start_server, program) == {**LOST, (2, b"acknowledged"): b"string"}


@pytest.mark.parametrize("log", ["yes", "no"])
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_restart_between_demotion_and_full_sync(start_server, replica, program, how, log):
    primary = primary_of(start_server, replica, {**PROMPT, "appendonly": log})
    part(primary, replica)
    demote(primary)
    if how == signal.SIGKILL:
        wait_until(lambda: files_of(primary, "undecided"), "written")
    restart(primary, how)
    assert not files_of(primary)
    follow(primary, replica)
    assert_same_data(primary, replica)
    [path] = files_of(primary)
    assert replayed(path, start_server, program) == LOST
    assert f"They are kept in {path}" in primary.log()
    assert not files_of(primary, "undecided")


@pytest.mark.parametrize("restarted", [False, True])
def test_what_the_new_primary_has_is_kept_until_it_shows_that(start_server, restarted):
    quiet = {**PROMPT, "repl-ping-replica-period": "3600", "appendonly": "yes"}
    primary, replica, gone = start_server(quiet), start_server(quiet), start_server(quiet)
    for one in (replica, gone):
        follow(one, primary)
    wait_until(lambda: replication_count(primary) == 2, "both have acknowledged")
    gone.kill()
    with primary.connect() as connection:
        connection.ok("SET", "only one has it", 1)
        assert connection.ok("WAIT", 1, 10_000) == 1
    with replica.connect() as connection:
        connection.ok("REPLICAOF", "NO", "ONE")
    wait_until(lambda: replication_count(primary) == 0, "left alone")
    demote(primary)
    wait_until(lambda: files_of(primary, "undecided"), "written")
    if restarted:
        restart(primary, signal.SIGTERM)
        assert files_of(primary, "undecided")
    follow(primary, replica)
    wait_until(lambda: not files_of(primary, "undecided"), "removed")
    assert syncs(replica)[:2] == (0, 1)
    assert not files_of(primary)


def test_a_partial_sync_discards_nothing(primary, replica):
    with primary.connect(timeout_s=30) as connection:
        connection.ok("FAILOVER")
        wait_until(lambda: connection.ok("ROLE")[0] == b"slave", "demoted")
    await_link(primary)
    await_replica(primary, replica)
    assert syncs(replica)[1] == 1
    assert not files_of(primary) and not files_of(replica)
    assert not files_of(primary, "undecided")


def test_a_replica_that_never_was_a_primary_has_nothing_of_its_own(primary, replica):
    with primary.connect() as connection:
        connection.ok("DEBUG", "CHANGE-REPL-ID")
    wait_until(lambda: syncs(primary)[0] == 2, "a second full sync")
    await_link(replica)
    assert not files_of(replica)


def test_three_files_stay(primary, replica):
    for n in range(5):
        part(primary, replica)
        follow(primary, replica)
        await_replica(primary, replica)
        with primary.connect() as connection, replica.connect() as other:
            connection.ok("REPLICAOF", "NO", "ONE")
            other.ok("SET", "apart", n)
        follow(replica, primary)
        with primary.connect() as connection:
            connection.ok("SET", "acknowledged", n)
            assert connection.ok("WAIT", 1, 10_000) == 1
    assert len(files_of(primary)) == len(files_of(replica)) == 3
