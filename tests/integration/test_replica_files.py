"""What a replica writes to its own disk: the log, snapshots, and how it comes back from them."""

import pytest

import holdings
from links import (PROMPT, assert_same_data, await_link, await_replica, digest, follow, functions,
                   replication, syncs, values)
from saving import dump, info, wait_for_rewrite, wait_for_save, wait_until, wait_until_written
from support import servers

LIBRARY = "#!lua name=lib\nredis.register_function('f', function() return 1 end)"


@pytest.fixture
def primary(start_one, primary_kind):
    return start_one(primary_kind, PROMPT)


def fill(primary):
    with primary.connect(timeout_s=30) as connection:
        holdings.fill(connection)
        connection.ok("FUNCTION", "LOAD", LIBRARY)


def change(primary):
    with primary.connect(timeout_s=30) as connection:
        holdings.change(connection)
        connection.ok("SELECT", 5)
        connection.pipeline([("MULTI",), ("SET", "m", 1), ("SELECT", 6), ("SET", "n", 1), ("EXEC",)])
        connection.ok("PUBLISH", "c", "m")


def restart_alone(replica):
    """Ends it as a crash does; it comes back as a primary of its own. Under "always" nothing has to be
    waited for: what has been read is on the disk."""
    with replica.connect() as connection:
        if replica.directives.get("appendfsync") != "always":
            wait_until_written(connection)
    replica.kill()
    replica.launch()
    with replica.connect() as connection:
        assert connection.ok("ROLE")[0] == b"master"


@pytest.mark.parametrize("fsync", ["everysec", "always", "no"])
def test_the_log_has_the_file_and_the_stream(primary, start_server, fsync):
    replica = start_server({"appendonly": "yes", "appendfsync": fsync})
    with replica.connect() as connection:
        connection.ok("SET", "own", "is gone")
    fill(primary)
    follow(replica, primary)
    change(primary)
    assert_same_data(replica, primary)
    with replica.connect() as connection:
        wait_for_rewrite(connection)
    restart_alone(replica)
    assert digest(replica) == digest(primary)
    assert values(replica) == values(primary)
    assert functions(replica) == functions(primary) != []
    assert holdings.expiries_ms(replica) == holdings.expiries_ms(primary)


def test_the_log_after_cuts_and_promotion(primary, start_server):
    replica = start_server({"appendonly": "yes"})
    follow(replica, primary)
    with primary.connect() as connection, replica.connect() as told:
        wait_for_rewrite(told)
        for n in range(3):
            connection.ok("SELECT", n)
            connection.ok("APPEND", "k", "x")
            connection.ok("CLIENT", "KILL", "TYPE", "replica")
            connection.ok("APPEND", "k", "y")
            await_replica(replica, primary)
        told.ok("REPLICAOF", "NO", "ONE")
        told.ok("SELECT", 2)
        told.ok("APPEND", "k", "z")
        told.ok("SET", "own", "1")
        told.ok("SELECT", 0)
        told.ok("APPEND", "k", "z")
    state = values(replica)
    assert state[0, b"k"][1] == b"xyz" and state[2, b"k"][1] == b"xyz"
    restart_alone(replica)
    assert values(replica) == state


def test_the_log_is_turned_on_and_rewritten_while_it_follows(primary, start_server):
    replica = start_server({"appendonly": "no"})
    follow(replica, primary)
    fill(primary)
    await_replica(replica, primary)
    with replica.connect() as connection:
        connection.ok("CONFIG", "SET", "appendonly", "yes")
        wait_for_rewrite(connection)
        change(primary)
        await_replica(replica, primary)
        connection.ok("BGREWRITEAOF")
        wait_for_rewrite(connection)
        with primary.connect() as source:
            source.ok("SET", "last", "1")
        assert_same_data(replica, primary)
        assert syncs(primary)[0] == 1
    # The file that `launch` writes says what was turned on.
    replica.directives["appendonly"] = "yes"
    restart_alone(replica)
    assert values(replica) == values(primary)


def test_a_redis_server_reads_the_log(primary, start_server):
    replica = start_server({"appendonly": "yes"})
    follow(replica, primary)
    fill(primary)
    change(primary)
    assert_same_data(replica, primary)
    with replica.connect() as connection:
        wait_for_rewrite(connection)
        wait_until_written(connection)
    replica.kill()
    reader = servers.Server("redis", {"appendonly": "yes"}, directory=replica.directory)
    try:
        reader.launch()
        assert values(reader) == values(primary)
    finally:
        reader.kill()


@pytest.mark.parametrize("how", ["SAVE", "BGSAVE", "save points"])
def test_snapshots(primary, start_server, how):
    replica = start_server({"save": "1 1"} if how == "save points" else {})
    follow(replica, primary)
    fill(primary)
    change(primary)
    assert_same_data(replica, primary)
    with replica.connect(timeout_s=30) as connection:
        if how == "save points":
            wait_until(lambda: info(connection)["rdb_changes_since_last_save"] == "0"
                       and dump(replica).exists(), "saved")
        else:
            assert int(info(connection)["rdb_changes_since_last_save"]) > 0
            connection.ok(how)
        assert wait_for_save(connection) == "ok"
        assert info(connection)["rdb_changes_since_last_save"] == "0"
    assert replication(replica)["master_link_status"] == "up"
    replica.kill()
    replica.launch()
    assert values(replica) == values(primary)
    assert functions(replica) == functions(primary)


def test_a_snapshot_while_the_stream_flows(primary, start_server):
    replica = start_server({"rdb-key-save-delay": 300})
    follow(replica, primary)
    with primary.connect() as source, replica.connect() as connection:
        source.pipeline([("SET", f"k{n}", "x") for n in range(500)])
        await_replica(replica, primary)
        connection.ok("BGSAVE")
        for _ in range(20):
            source.pipeline([("APPEND", f"k{n}", "y") for n in range(0, 500, 7)])
        assert_same_data(replica, primary)
        assert wait_for_save(connection) == "ok"
    replica.kill()
    replica.launch()
    with replica.connect() as connection:
        assert connection.ok("DBSIZE") == 500
        # One instant: each is a prefix of the primary's history.
        lengths = [connection.ok("STRLEN", f"k{n}") for n in range(0, 500, 7)]
        assert max(lengths) - min(lengths) <= 1
        assert lengths == sorted(lengths, reverse=True)


def test_debug_reload_keeps_the_link(primary, start_server):
    replica = start_server()
    follow(replica, primary)
    fill(primary)
    await_replica(replica, primary)
    before = syncs(primary)
    with replica.connect(timeout_s=30) as connection:
        connection.ok("DEBUG", "RELOAD")
    change(primary)
    assert_same_data(replica, primary)
    assert values(replica) == values(primary)
    assert syncs(primary) == before


def test_a_replica_that_saved_itself_goes_on_where_it_was(primary, start_server):
    replica = start_server({"save": "900 1", "replicaof": f"127.0.0.1 {primary.port}"})
    await_link(replica)
    with primary.connect() as source:
        source.ok("SELECT", 4)
        source.ok("SET", "k", "v")
        assert_same_data(replica, primary)
        before = syncs(primary)
        assert replica.terminate() == 0
        source.ok("APPEND", "k", "w")
        replica.launch()
        await_link(replica)
        source.ok("APPEND", "k", "x")
    assert_same_data(replica, primary)
    assert [now - then for now, then in zip(syncs(primary), before)] == [0, 1, 0]


@pytest.mark.parametrize("appendonly", ["yes", "no"])
def test_a_replica_that_was_killed_comes_back(primary, start_server, appendonly):
    replica = start_server({"appendonly": appendonly, "replicaof": f"127.0.0.1 {primary.port}"})
    await_link(replica)
    fill(primary)
    await_replica(replica, primary)
    replica.kill()
    change(primary)
    replica.launch()
    await_link(replica)
    assert_same_data(replica, primary)
    assert values(replica) == values(primary)
    assert replication(replica)["master_replid"] == replication(primary)["master_replid"]
