"""Restarts from the log: it says at which offset of which history it ends, so that replicas and
primaries go on with a partial sync; and where it does not account for each byte, a full sync follows.
Always the data must be the same in the end."""

import itertools
import random
import shutil
import subprocess
import threading
import time

import pytest

import holdings
from links import (await_link, await_loss, await_replica, assert_same_data, digest, follow, replication,
                   syncs, values)
from log_places import FOLDER, await_logged, files, last_file, place
from saving import wait_for_rewrite, wait_until, wait_until_written
from support import resp, servers

# No PING comes between the bytes that a test counts.
QUIET = {"repl-diskless-sync-delay": "0", "repl-ping-replica-period": "3600"}
LOGGED = {**QUIET, "appendonly": "yes"}
SMALL = 200


@pytest.fixture(autouse=True)
def _ours(server_kind):
    if server_kind != "cloakroom":
        pytest.skip("redis-server keeps no offsets in its log")


@pytest.fixture
def primary(start_server):
    return start_server(LOGGED)


def replica_of(start, primary, directives=None, kind="cloakroom"):
    """It is what its configuration says also after a restart."""
    replica = start(kind, {**QUIET, "replicaof": f"127.0.0.1 {primary.port}", **(directives or {})})
    await_link(replica)
    return replica


def change(server, times=1):
    with server.connect(timeout_s=30) as connection:
        for n in range(times):
            connection.ok("SELECT", n % 3)
            connection.ok("INCR", "n")
            connection.ok("EVAL", "redis.call('set', KEYS[1], ARGV[1]) redis.call('incr', 'm')", 1, f"k{n}", "v")
            connection.pipeline([("MULTI",), ("SADD", "s", n), ("SELECT", 5), ("RPUSH", "l", n), ("EXEC",)])
            connection.ok("PUBLISH", "channel", "message")


def settle(primary, *replicas):
    for replica in replicas:
        await_replica(replica, primary)
    await_logged(primary)


def granted_since(primary, before):
    return [now - then for now, then in zip(syncs(primary), before)]


# ---- a primary

@pytest.mark.parametrize("fsync", ["everysec", "always", "no"])
@pytest.mark.parametrize("kind", servers.KINDS)
def test_a_killed_primary_answers_with_a_partial_sync(start_one, kind, fsync):
    if not servers.available(kind):
        pytest.skip(f"no {kind}")
    primary = start_one("cloakroom", {**LOGGED, "appendfsync": fsync})
    replica = replica_of(start_one, primary, kind=kind)
    with primary.connect(timeout_s=30) as connection:
        holdings.fill(connection)
        holdings.change(connection)
    change(primary, 5)
    for _ in range(3):
        settle(primary, replica)
        before = replication(primary)
        primary.kill()
        primary.launch()
        await_link(replica)
        after = replication(primary)
        assert syncs(primary) == (0, 1, 0)
        assert after["master_replid2"] == before["master_replid"] != after["master_replid"]
        assert int(after["second_repl_offset"]) == int(before["master_repl_offset"]) + 1
        change(primary, 2)
        assert_same_data(replica, primary)
    assert values(replica) == values(primary)


def test_a_primary_that_ends_in_order(start_one, primary):
    replicas = [replica_of(start_one, primary), replica_of(start_one, primary, kind="redis")]
    change(primary, 3)
    assert primary.terminate() == 0
    primary.launch()
    for replica in replicas:
        await_link(replica)
    assert syncs(primary) == (0, 2, 0)
    change(primary)
    for replica in replicas:
        assert_same_data(replica, primary)


def test_what_a_replica_has_missed_comes_from_the_log(start_one, primary):
    replica = replica_of(start_one, primary, {"appendonly": "yes"})
    change(primary, 3)
    settle(primary, replica)
    await_logged(replica)
    replica.kill()
    with primary.connect(timeout_s=30) as connection:
        connection.pipeline([("SET", f"missed{n}", "x" * 500) for n in range(1000)])
        await_logged(primary)
    primary.kill()
    primary.launch()
    replica.launch()
    await_link(replica)
    assert syncs(primary) == (0, 1, 0)
    assert_same_data(replica, primary)


@pytest.mark.parametrize("kind", servers.KINDS)
def test_what_the_log_leaves_out_is_no_gap_of_the_backlog(start_one, kind):
    """A replica was cut off between PUBLISHes, which are in no log."""
    if not servers.available(kind):
        pytest.skip(f"no {kind}")
    primary = start_one("cloakroom", LOGGED)
    replica = replica_of(start_one, primary, kind=kind)
    with primary.connect(timeout_s=30) as connection:
        connection.ok("SET", "a", 1)
        connection.ok("PUBLISH", "c", "x" * 50)
        await_replica(replica, primary)
        connection.ok("CONFIG", "SET", "requirepass", "so that it does not come back")
        connection.ok("CLIENT", "KILL", "TYPE", "replica")
        await_loss(replica)
        connection.ok("PUBLISH", "c", "x" * 60)
        connection.ok("SET", "a", 2)
        connection.ok("PUBLISH", "c", "x" * 40)
        wait_until_written(connection)
        time.sleep(1.5)  # offsets at the end are stated once a second
    primary.kill()
    primary.launch()
    await_link(replica)
    assert syncs(primary) == (0, 1, 0)
    change(primary)
    assert_same_data(replica, primary)


def test_a_replica_that_has_missed_more_than_a_backlog_gets_everything(start_one):
    primary = start_one("cloakroom", {**LOGGED, "repl-backlog-size": "20kb"})
    replica = replica_of(start_one, primary, {"appendonly": "yes"})
    settle(primary, replica)
    await_logged(replica)
    replica.kill()
    with primary.connect(timeout_s=30) as connection:
        connection.pipeline([("SET", f"missed{n}", "x" * 500) for n in range(1000)])
    await_logged(primary)
    primary.kill()
    primary.launch()
    assert int(replication(primary)["repl_backlog_histlen"]) <= 20 * 1024
    replica.launch()
    await_link(replica)
    assert syncs(primary) == (1, 0, 1)
    assert_same_data(replica, primary)


def test_pings_are_accounted_for(start_one):
    primary = start_one("cloakroom", {**LOGGED, "repl-ping-replica-period": "1"})
    replica = replica_of(start_one, primary)
    change(primary)
    before = int(replication(primary)["master_repl_offset"])
    wait_until(lambda: int(replication(primary)["master_repl_offset"]) > before + 14, "pinged")
    settle(primary, replica)
    primary.kill()
    primary.launch()
    await_link(replica)
    assert syncs(primary) == (0, 1, 0)
    assert_same_data(replica, primary)


def test_a_replica_that_is_ahead_of_the_log_gets_everything(start_one, primary):
    replica = replica_of(start_one, primary)
    change(primary, 3)
    settle(primary, replica)
    primary.kill()
    path = last_file(primary)
    path.write_bytes(path.read_bytes()[:-10])
    primary.launch()
    await_link(replica)
    assert syncs(primary) == (1, 0, 1)
    assert_same_data(replica, primary)


def test_a_rewrite_keeps_the_place(start_one, primary):
    replica = replica_of(start_one, primary)
    change(primary, 3)
    with primary.connect() as connection:
        connection.ok("BGREWRITEAOF")
        wait_for_rewrite(connection)
    settle(primary, replica)
    # Nothing was written since the rewrite.
    for _ in range(2):
        primary.kill()
        primary.launch()
        await_link(replica)
        assert syncs(primary) == (0, 1, 0)
        change(primary)
        assert_same_data(replica, primary)
        await_logged(primary)


def test_a_rewrite_that_was_cut_off(start_one, primary):
    replica = replica_of(start_one, primary)
    with primary.connect(timeout_s=30) as connection:
        connection.pipeline([("SET", f"k{n}", "v") for n in range(3000)])
        connection.ok("CONFIG", "SET", "rdb-key-save-delay", 10_000)
        connection.ok("SELECT", 3)
        connection.ok("SET", "k", "v")
        old = last_file(primary)
        connection.ok("BGREWRITEAOF")
        wait_until(lambda: last_file(primary) != old, "switched")
        change(primary, 2)
        settle(primary, replica)
    primary.kill()
    assert len(files(primary)) == 3, "the rewrite was not finished"
    primary.launch()
    backlog = int(replication(primary)["repl_backlog_histlen"])
    assert backlog > last_file(primary).stat().st_size, "the backlog is that of both files"
    await_link(replica)
    assert syncs(primary) == (0, 1, 0)
    assert_same_data(replica, primary)


def test_a_log_that_was_turned_on_at_run_time(start_one):
    primary = start_one("cloakroom", QUIET)
    replica = replica_of(start_one, primary)
    change(primary, 3)
    with primary.connect() as connection:
        connection.ok("CONFIG", "SET", "appendonly", "yes")
        wait_for_rewrite(connection)
    change(primary)
    settle(primary, replica)
    primary.kill()
    primary.directives["appendonly"] = "yes"
    primary.launch()
    await_link(replica)
    assert syncs(primary) == (0, 1, 0)
    assert_same_data(replica, primary)


@pytest.mark.parametrize("on_again", [False, True])
def test_a_log_that_was_turned_off_at_run_time(start_one, primary, on_again):
    replica = replica_of(start_one, primary)
    change(primary, 3)
    settle(primary, replica)
    with primary.connect() as connection:
        connection.ok("CONFIG", "SET", "appendonly", "no")
        time.sleep(0.5)  # it closes its files a moment later
        connection.ok("SET", "in", "no log")
        if on_again:
            connection.ok("CONFIG", "SET", "appendonly", "yes")
            wait_for_rewrite(connection)
            await_logged(primary)
    await_replica(replica, primary)
    primary.kill()
    primary.launch()
    await_link(replica)
    assert syncs(primary) == ((0, 1, 0) if on_again else (1, 0, 1))
    assert_same_data(replica, primary)


def test_data_that_was_loaded_at_run_time_is_not_the_logs(start_one, primary):
    replica = replica_of(start_one, primary)
    change(primary, 3)
    with primary.connect(timeout_s=30) as connection:
        connection.ok("SAVE")
        change(primary)
        connection.ok("DEBUG", "RELOAD", "NOSAVE")
        assert_same_data(replica, primary)
        change(primary)
        assert_same_data(replica, primary)
        wait_until_written(connection)
    assert place(primary) is None
    primary.kill()
    primary.launch()
    await_link(replica)
    assert syncs(primary)[:2] == (1, 0)
    assert_same_data(replica, primary)


# ---- a replica

@pytest.mark.parametrize("fsync", ["everysec", "always", "no"])
def test_a_killed_replica_asks_for_what_its_log_lacks(start_one, primary_kind, fsync):
    primary = start_one(primary_kind, QUIET)
    replica = replica_of(start_one, primary, {"appendonly": "yes", "appendfsync": fsync})
    with primary.connect(timeout_s=30) as connection:
        holdings.fill(connection)
        holdings.change(connection)
    with replica.connect() as connection:
        wait_for_rewrite(connection)
    for _ in range(3):
        change(primary, 3)
        await_replica(replica, primary)
        with replica.connect() as connection:
            wait_until_written(connection)
        before = syncs(primary)
        replica.kill()
        change(primary, 3)
        replica.launch()
        await_link(replica)
        assert granted_since(primary, before) == [0, 1, 0]
        assert_same_data(replica, primary)
    assert values(replica) == values(primary)


def test_a_log_that_is_cut_off_anywhere(start_one, primary_kind):
    """From each byte of the end on, the replica gets what is missing; also in the middle of a
    transaction or of a statement."""
    primary = start_one(primary_kind, {**QUIET, "repl-ping-replica-period": "1"})
    replica = replica_of(start_one, primary, {"appendonly": "yes"})
    with replica.connect() as connection:
        wait_for_rewrite(connection)
    start = last_file(replica).stat().st_size
    change(primary)
    time.sleep(1.2)  # a PING comes
    change(primary)
    await_replica(replica, primary)
    await_logged(replica)
    replica.kill()
    saved = replica.directory / "saved"
    shutil.copytree(replica.directory / FOLDER, saved)
    name = last_file(replica).name
    whole = (saved / name).read_bytes()
    assert b"#OFF:" in whole[start:]
    cuts = random.Random(7).sample(range(start, len(whole)), 25)
    for cut in [start, *cuts, len(whole)]:
        (replica.directory / FOLDER / name).write_bytes(whole[:cut])
        before = syncs(primary)
        replica.launch()
        await_link(replica)
        assert granted_since(primary, before) == [0, 1, 0], cut
        assert_same_data(replica, primary)
        replica.kill()


def test_a_log_of_redis_server_means_a_full_sync(start_one, tmp_path):
    primary = start_one("redis", QUIET)
    replica = replica_of(start_one, primary, {"appendonly": "yes"}, kind="redis")
    change(primary, 3)
    assert_same_data(replica, primary)
    with replica.connect() as connection:
        wait_for_rewrite(connection)
    replica.kill()
    before = syncs(primary)
    replica.kind = "cloakroom"
    replica.launch()
    await_link(replica)
    assert granted_since(primary, before)[0] == 1
    assert_same_data(replica, primary)


def test_both_were_killed(start_one, primary):
    replica = replica_of(start_one, primary, {"appendonly": "yes"})
    for _ in range(3):
        change(primary, 3)
        settle(primary, replica)
        await_logged(replica)
        for one in (primary, replica):
            one.kill()
        primary.launch()
        replica.launch()
        await_link(replica)
        assert syncs(primary) == (0, 1, 0)
        assert_same_data(replica, primary)


def test_a_killed_replica_of_a_replica(start_one, primary_kind):
    primary = start_one(primary_kind, QUIET)
    middle = replica_of(start_one, primary, {"appendonly": "yes"})
    last = replica_of(start_one, middle, {"appendonly": "yes"})
    change(primary, 2)
    for one in (middle, last):
        await_replica(one, primary)
        await_logged(one)
    for one in (middle, last):
        one.kill()
    change(primary, 2)
    before = syncs(primary)
    middle.launch()
    last.launch()
    for one in (middle, last):
        await_link(one)
    change(primary)
    assert granted_since(primary, before) == [0, 1, 0]
    assert syncs(middle) == (0, 1, 0)
    for one in (middle, last):
        assert_same_data(one, primary)


def test_a_replica_of_another_database(start_one, primary_kind):
    """The primary's stream does not say the database again."""
    primary = start_one(primary_kind, QUIET)
    replica = replica_of(start_one, primary, {"appendonly": "yes"})
    with primary.connect() as connection:
        connection.ok("SELECT", 3)
        connection.ok("SET", "k", "v")
        await_replica(replica, primary)
        await_logged(replica)
        for n in range(3):
            replica.kill()
            connection.ok("APPEND", "k", n)
            replica.launch()
            await_link(replica)
            connection.ok("APPEND", "k", n)
            assert_same_data(replica, primary)
            with replica.connect() as told:
                if n == 1:
                    told.ok("BGREWRITEAOF")
                    wait_for_rewrite(told)
    assert values(replica)[3, b"k"][1] == b"v001122"


# ---- changes of roles

def test_a_promoted_replica_and_the_old_primary(start_one, primary):
    replica = replica_of(start_one, primary, {"appendonly": "yes"})
    change(primary, 3)
    settle(primary, replica)
    primary.kill()
    await_loss(replica)
    with replica.connect() as connection:
        connection.ok("REPLICAOF", "NO", "ONE")
    replica.directives.pop("replicaof")
    change(replica, 2)
    primary.directives["replicaof"] = f"127.0.0.1 {replica.port}"
    primary.launch()
    await_link(primary)
    assert syncs(replica) == (0, 1, 0)
    assert_same_data(primary, replica)
    # And once more, now that the log knows two names.
    settle(replica, primary)
    replica.kill()
    replica.launch()
    await_link(primary)
    assert syncs(replica) == (0, 1, 0)
    change(replica)
    assert_same_data(primary, replica)


def test_a_primary_that_wrote_more_than_its_successor_has(start_one, primary):
    replica = replica_of(start_one, primary, {"appendonly": "yes"})
    change(primary, 3)
    settle(primary, replica)
    with replica.connect() as connection:
        connection.ok("REPLICAOF", "NO", "ONE")
    change(primary, 2)
    change(replica, 1)
    await_logged(primary)
    primary.kill()
    primary.directives["replicaof"] = f"127.0.0.1 {replica.port}"
    primary.launch()
    await_link(primary)
    assert syncs(replica) == (1, 0, 1)
    assert_same_data(primary, replica)


def test_a_full_sync_begins_another_log(start_one, primary):
    other = start_one("cloakroom", LOGGED)
    change(primary, 2)
    change(other, 5)
    follow(other, primary)
    with other.connect() as connection:
        wait_for_rewrite(connection)
    change(primary)
    assert_same_data(other, primary)
    await_logged(other)
    other.kill()
    other.directives["replicaof"] = f"127.0.0.1 {primary.port}"
    before = syncs(primary)
    other.launch()
    await_link(other)
    assert granted_since(primary, before) == [0, 1, 0]
    assert_same_data(other, primary)


# ---- who else reads the log

def test_the_log_can_be_read_by_redis_and_by_the_checkers(start_one, primary):
    replica = replica_of(start_one, primary, {"appendonly": "yes"})
    change(primary, 3)
    settle(primary, replica)
    await_logged(replica)
    for one in (primary, replica):
        state = values(one)
        one.kill()
        text = last_file(one).read_bytes()
        assert b"#REPL:" in text and b"#OFF:" in text
        manifest = one.directory / FOLDER / "appendonly.aof.manifest"
        for checker in ("redis-check-aof", servers.binary("cloakroom").replace("-server", "-check-aof")):
            checked = subprocess.run([checker, manifest], capture_output=True, text=True)
            assert checked.returncode == 0 and "valid" in checked.stdout, checked.stdout
        one.kind = "redis"
        one.directives.pop("replicaof", None)
        one.launch()
        assert values(one) == state


def test_a_server_without_replicas_states_nothing(primary):
    change(primary, 2)
    with primary.connect() as connection:
        wait_until_written(connection)
    primary.kill()
    primary.launch()
    assert b"#" not in last_file(primary).read_bytes()


# ---- kills under load

class Load:
    """Writes all the time, whatever happens to the server."""

    def __init__(self, port):
        self._port = port
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()

    def _run(self):
        numbers = random.Random(self._port)
        while not self._over.is_set():
            try:
                with resp.Connection(self._port, timeout_s=5) as connection:
                    while not self._over.is_set():
                        connection.pipeline(list(itertools.chain.from_iterable(
                            self._requests(numbers) for _ in range(10))))
            except (OSError, resp.ConnectionClosed, resp.ReplyTimeout):
                time.sleep(0.05)

    @staticmethod
    def _requests(numbers):
        key = numbers.randrange(SMALL)
        return [("SELECT", numbers.randrange(3)), ("APPEND", f"s{key}", "x"), ("INCR", f"n{key}"),
                ("MULTI",), ("RPUSH", f"l{key}", key), ("INCR", "all"), ("EXEC",),
                ("LTRIM", f"l{key}", -5, -1), ("PUBLISH", "c", "m"), ("PEXPIRE", f"n{key}", 100_000),
                ("SETRANGE", f"s{key}", numbers.randrange(30), "y")]


@pytest.mark.parametrize("fsync", ["everysec", "always"])
@pytest.mark.parametrize("kind", servers.KINDS)
def test_replicas_are_killed_under_load(start_one, kind, fsync):
    if not servers.available(kind):
        pytest.skip(f"no {kind}")
    primary = start_one(kind, {**QUIET, "repl-ping-replica-period": "1", "repl-backlog-size": "64mb"})
    replica = replica_of(start_one, primary, {"appendonly": "yes", "appendfsync": fsync})
    with replica.connect() as connection:
        wait_for_rewrite(connection)
    before = syncs(primary)
    with Load(primary.port):
        for n in range(6):
            time.sleep(0.1 * n)
            replica.kill()
            replica.launch()
            await_link(replica)
    assert granted_since(primary, before) == [0, 6, 0]
    assert_same_data(replica, primary)


@pytest.mark.parametrize("fsync", ["everysec", "always"])
def test_primaries_are_killed_under_load(start_one, fsync):
    """The replica may have got what its primary's log does not have: then it gets everything."""
    primary = start_one("cloakroom", {**LOGGED, "repl-ping-replica-period": "1", "appendfsync": fsync})
    replica = replica_of(start_one, primary, {"appendonly": "yes"})
    for n in range(6):
        with Load(primary.port):
            time.sleep(0.2 + 0.1 * n)
            primary.kill()
        primary.launch()
        await_link(replica)
        change(primary)
        assert_same_data(replica, primary)
        assert sum(syncs(primary)[:2]) == 1
    assert values(replica) == values(primary)
