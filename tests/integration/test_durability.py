"""What the saves of a busy server hold, and what is left after kill -9."""

import re
import shutil

import pytest

import accounts
import holdings
from saving import crash, dump, info, wait_for_rewrite, wait_for_save, wait_until, wait_until_written
from support import resp, servers

MOVERS = 8
SAVES = 8
BALLAST_KEYS = 100_000  # so that a save takes some time
SURE_LOG = {"appendonly": "yes", "appendfsync": "always", "auto-aof-rewrite-percentage": "0"}


def _log_file(server, number=1):
    return server.directory / "appendonlydir" / f"appendonly.aof.{number}.incr.aof"


# --- One point in time ----------------------------------------------------------------------------


def _await_moves(movers):
    """Waits until each mover has finished a move that began after this call."""
    goals = [mover.acknowledged + 2 for mover in movers]
    wait_until(lambda: all(mover.acknowledged >= goal or mover.error
                           for mover, goal in zip(movers, goals)), "moved")


@pytest.fixture
def ledger(start_server):
    """Starts a server with accounts, and with enough other data to keep a save busy."""
    def start(settings=None):
        server = start_server(settings)
        with server.connect() as connection:
            connection.ok("DEBUG", "POPULATE", BALLAST_KEYS, "ballast", 30)
            accounts.open_all(connection)
        return server
    return start


def _folder_with(snapshot, folder):
    folder.mkdir()
    shutil.copy(snapshot, folder / "dump.rdb")
    return folder


def test_each_snapshot_is_one_point_in_time(ledger, start_server, tmp_path):
    server = ledger()
    copies = [tmp_path / f"{number}.rdb" for number in range(SAVES)]
    moved_meanwhile = 0
    with server.connect() as connection, accounts.moving(server, MOVERS) as movers:
        for copy in copies:
            _await_moves(movers)
            before = sum(mover.acknowledged for mover in movers)
            connection.ok("BGSAVE")
            assert wait_for_save(connection) == "ok"
            moved_meanwhile += sum(mover.acknowledged for mover in movers) - before
            shutil.copy(dump(server), copy)
    assert moved_meanwhile > 0
    moves = []
    for copy in copies:
        reader = start_server(directory=_folder_with(copy, tmp_path / copy.stem))
        accounts.assert_conserved(reader)
        with reader.connect() as connection:
            counters = connection.ok("MGET", *(mover.counter for mover in movers))
            assert connection.ok("DBSIZE") == BALLAST_KEYS + len(accounts.ACCOUNTS) + MOVERS
        moves.append([int(counter) for counter in counters])
        reader.stop()
    assert all(earlier < later for row in zip(*moves) for earlier, later in zip(row, row[1:])), moves
    with servers.start("redis", directory=_folder_with(copies[-1], tmp_path / "redis")) as redis:
        accounts.assert_conserved(redis)


def test_rewrites_under_load_lose_nothing_that_was_acknowledged(ledger):
    server = ledger(SURE_LOG)
    with server.connect() as connection, accounts.moving(server, MOVERS) as movers:
        for _ in range(SAVES):
            _await_moves(movers)
            connection.ok("BGREWRITEAOF")
            assert wait_for_rewrite(connection) == "ok"
        assert info(connection)["aof_rewrites"] == str(SAVES)
        _await_moves(movers)
        for mover in movers:
            mover.crash_is_due = True
        server.kill()
    server.launch()
    accounts.assert_conserved(server)
    with server.connect() as connection:
        for mover in movers:
            # A move that ran at the kill may be there or not, but only whole.
            assert int(connection.ok("GET", mover.counter)) - mover.acknowledged in (0, 1)
        assert connection.ok("DBSIZE") == BALLAST_KEYS + len(accounts.ACCOUNTS) + MOVERS


def test_saves_that_pause_the_fsync_leave_nobody_waiting(start_server):
    server = start_server(SURE_LOG | {"no-appendfsync-on-rewrite": "yes"})
    with server.connect() as connection:
        accounts.open_all(connection)
        with accounts.moving(server, MOVERS) as movers:
            for _ in range(150):
                connection.ok("BGSAVE")
                assert wait_for_save(connection) == "ok"
            _await_moves(movers)


# --- The log --------------------------------------------------------------------------------------


def test_log_that_has_grown_is_rewritten_by_itself(start_server):
    server = start_server({"appendonly": "yes", "auto-aof-rewrite-percentage": "100",
                           "auto-aof-rewrite-min-size": "64kb"})
    with server.connect() as connection:
        connection.ok("HSET", "hash", "a", 1, "b", 2)
        connection.ok("SADD", "set", 1, 2, 3)
        connection.ok("SET", "mortal", 1, "PXAT", holdings.FAR_MS)
        written = 0
        while info(connection)["aof_rewrites"] == info(connection)["aof_rewrite_in_progress"] == "0":
            connection.pipeline([("SET", f"session{n}", f"{written} " + "v" * 100) for n in range(20)])
            written += 20 * 100
            assert written < 64_000_000, "it grows and grows"
        assert wait_for_rewrite(connection) == "ok"
        about = info(connection)
        assert int(about["aof_rewrites"]) >= 1 and int(about["aof_base_size"]) > 0
        connection.ok("SET", "after", 1)
        wait_until_written(connection)
    folder = _log_file(server).parent
    # The old files are removed in the background.
    wait_until(lambda: not list(folder.glob("*.aof.1.*")), "tidied up")
    base, = folder.glob("*.base.rdb")
    assert base.stat().st_size < 64 * 1024
    before = holdings.values(holdings.of(server))
    crash(server)
    assert holdings.values(holdings.of(server)) == before


@pytest.mark.parametrize("writer_is", ["redis", "own"])
def test_log_with_notes_of_the_time_is_read_by_both(server_kind, tmp_path, writer_is):
    settings = {**SURE_LOG, "aof-timestamp-enabled": "yes"}
    folder = tmp_path / "written"
    folder.mkdir()
    with servers.start("redis" if writer_is == "redis" else server_kind, settings, folder) as writer:
        with writer.connect(timeout_s=30) as connection:
            began = connection.ok("TIME")[0]
            holdings.fill(connection)
            wait_until(lambda: connection.ok("TIME")[0] > began, "in another second")
            holdings.change(connection)
            ended = connection.ok("TIME")[0]
        before, expiries_ms = holdings.values(holdings.of(writer)), holdings.expiries_ms(writer)
        log = _log_file(writer).read_bytes()
    notes = [int(second) for second in re.findall(rb"^#TS:(\d+)\r$", log, re.MULTILINE)]
    assert log.startswith(b"#TS:") and len(notes) > 1
    assert notes == sorted(set(notes)) and int(began) <= notes[0] and notes[-1] <= int(ended)
    for kind in sorted({"redis", server_kind}):
        copy = tmp_path / kind
        shutil.copytree(folder / "appendonlydir", copy / "appendonlydir")
        with servers.start(kind, settings, copy) as reader:
            assert holdings.values(holdings.of(reader)) == before
            assert holdings.expiries_ms(reader) == expiries_ms != {}


# --- Scripts --------------------------------------------------------------------------------------


@pytest.fixture
def scripted(start_server, server_kind):
    """Starts a server with settings, and loads a script into it: (server, digest)."""
    if server_kind == "redis":
        pytest.skip("redis-server forgets its scripts")

    def start(settings):
        server = start_server(settings)
        with server.connect() as connection:
            connection.ok("SET", "key", 1)
            return server, connection.ok("SCRIPT", "LOAD", "return 'kept ' .. ARGV[1]")
    return start


def _bgsave(server):
    with server.connect() as connection:
        connection.ok("BGSAVE")
        assert wait_for_save(connection) == "ok"


def _rewrite(server):
    with server.connect() as connection:
        connection.ok("BGREWRITEAOF")
        assert wait_for_rewrite(connection) == "ok"


def _nothing(server):
    """Saves nothing: only the log has the script."""


SAVED_BY = pytest.mark.parametrize("settings, save", [
    ({}, _bgsave), (SURE_LOG, _nothing), (SURE_LOG, _rewrite),
    ({**SURE_LOG, "aof-use-rdb-preamble": "no"}, _rewrite),
], ids=["snapshot", "log", "rewritten log", "rewritten log of commands"])


@SAVED_BY
def test_loaded_script_survives_acrash(scripted, settings, save):
    server, digest = scripted(settings)
    save(server)
    crash(server)
    with server.connect() as connection:
        assert connection.call("EVALSHA", digest, 0, "well") == b"kept well"
        assert connection.ok("GET", "key") == b"1"


@SAVED_BY
@pytest.mark.parametrize("mode", [(), ("ASYNC",), ("SYNC",)], ids=lambda mode: "".join(mode) or "plain")
def test_flushed_scripts_stay_away_after_acrash(scripted, settings, save, mode):
    server, digest = scripted(settings)
    save(server)
    with server.connect() as connection:
        connection.ok("SCRIPT", "FLUSH", *mode)
    save(server)
    crash(server)
    with server.connect() as connection:
        reply = connection.call("EVALSHA", digest, 0, "well")
        assert isinstance(reply, resp.Error) and reply.startswith(b"NOSCRIPT"), reply
        assert connection.ok("GET", "key") == b"1"


@SAVED_BY
def test_script_loaded_again_after_a_flush_survives_acrash(scripted, settings, save):
    server, digest = scripted(settings)
    save(server)
    with server.connect() as connection:
        connection.ok("SCRIPT", "FLUSH")
        other = connection.ok("SCRIPT", "LOAD", "return 'another'")
    save(server)
    crash(server)
    with server.connect() as connection:
        assert connection.ok("SCRIPT", "EXISTS", digest, other) == [0, 1]
        assert connection.call("EVALSHA", other, 0) == b"another"
