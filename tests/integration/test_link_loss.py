"""Links that break: a replica goes on where it was if it can, gets everything anew if it must."""

import random
import signal
import threading

import pytest

from links import (PROMPT, assert_same_data, await_link, await_log, await_loss, await_replica, follow, info,
                   kill_replicas, replication, syncs)
from saving import wait_until

SMALL_BACKLOG = 16384
USER = "replica on >secret +psync +replconf +ping"


@pytest.fixture
def primary(start_one, primary_kind):
    return start_one(primary_kind, PROMPT)


@pytest.fixture
def replica(start_server, primary):
    one = start_server()
    follow(one, primary)
    return one


@pytest.fixture
def told(replica):
    with replica.connect() as connection:
        yield connection


@pytest.fixture
def source(primary, replica):
    """A connection to the primary, whose stream flows already."""
    with primary.connect(timeout_s=30) as connection:
        connection.ok("SET", "first", "1")
        await_replica(replica, primary)
        yield connection


def gained(primary, before):
    """Full syncs, partial ones, and refusals since then."""
    return tuple(now - then for now, then in zip(syncs(primary), before))


def write_much(connection, size):
    for _ in range(size // 1000 + 1):
        connection.ok("SET", "filler", "x" * 1000)


# ---- going on ----


@pytest.mark.parametrize("side", ["primary", "replica"])
def test_a_killed_link_goes_on_where_it_was(primary, replica, told, source, side):
    for n in range(3):
        before = syncs(primary)
        source.ok("SELECT", n)
        source.ok("SET", f"before{n}", "1")
        if side == "primary":
            assert kill_replicas(primary) == 1
        else:
            assert told.ok("CLIENT", "KILL", "TYPE", "master") == 1
        source.ok("SET", f"after{n}", "2")
        wait_until(lambda: gained(primary, before)[1] == 1, "back")
        assert_same_data(replica, primary)
        assert gained(primary, before) == (0, 1, 0)
    assert info(replica, "stats")["sync_full"] == "0"
    wait_until(lambda: replica.log().count("Successful partial resynchronization with master.") == 3, "logged")
    assert replica.log().count("Full resync from master") == 1


def test_what_was_written_meanwhile_comes_from_the_backlog(primary, replica, source):
    before = syncs(primary)
    replica.signal(signal.SIGSTOP)
    kill_replicas(primary)
    write_much(source, 500_000)
    source.ok("SET", "while away", "1")
    replica.signal(signal.SIGCONT)
    wait_until(lambda: gained(primary, before)[1] == 1, "back")
    assert_same_data(replica, primary)
    assert gained(primary, before)[0] == 0


def test_links_cut_again_and_again_under_load(primary, replica, source):
    stop = threading.Event()

    def write(seed):
        choose = random.Random(seed)
        with primary.connect() as connection:
            while not stop.is_set():
                connection.ok("SELECT", choose.randrange(3))
                connection.pipeline([("INCR", "n"), ("RPUSH", f"l{choose.randrange(9)}", choose.randbytes(20)),
                                     ("MULTI",), ("INCR", "a"), ("INCR", "b"), ("EXEC",)])

    source.ok("CONFIG", "SET", "repl-backlog-size", "200mb")
    writers = [threading.Thread(target=write, args=(seed,)) for seed in range(2)]
    for writer in writers:
        writer.start()
    try:
        for _ in range(4):
            before = syncs(primary)
            kill_replicas(primary)
            wait_until(lambda: gained(primary, before)[1] + gained(primary, before)[0] == 1, "back")
    finally:
        stop.set()
        for writer in writers:
            writer.join()
    assert_same_data(replica, primary)
    assert syncs(primary)[0] == 1


# ---- anew ----


def test_a_backlog_that_is_too_small_means_a_full_sync(primary, replica, source):
    before = syncs(primary)
    source.ok("CONFIG", "SET", "repl-backlog-size", SMALL_BACKLOG)
    replica.signal(signal.SIGSTOP)
    kill_replicas(primary)
    write_much(source, 20 * SMALL_BACKLOG)
    replica.signal(signal.SIGCONT)
    wait_until(lambda: gained(primary, before)[0] == 1, "anew")
    assert_same_data(replica, primary)
    assert gained(primary, before) == (1, 0, 1)


def test_a_primary_that_forgot_everything(primary, replica, told, source):
    source.ok("SET", "k", "v")
    await_replica(replica, primary)
    old_id = replication(replica)["master_replid"]
    primary.kill()
    await_loss(replica)
    assert told.ok("GET", "k") == b"v"
    primary.launch()
    await_link(replica)
    assert_same_data(replica, primary)
    assert told.ok("DBSIZE") == 0
    assert syncs(primary) == (1, 0, 1)
    said = replication(replica)
    assert said["master_replid"] == replication(primary)["master_replid"] != old_id
    assert (said["master_replid2"], said["second_repl_offset"]) == ("0" * 40, "-1")


def test_a_primary_that_saved_itself_when_it_ended(start_one, primary_kind, start_server):
    primary, replica = start_one(primary_kind, {**PROMPT, "save": "900 1"}), start_server()
    follow(replica, primary)
    with primary.connect() as connection:
        connection.ok("SET", "k", "v")
    await_replica(replica, primary)
    old_id = replication(primary)["master_replid"]
    assert primary.terminate() == 0
    await_loss(replica)
    primary.launch()
    await_link(replica)
    assert_same_data(replica, primary)
    with replica.connect() as connection:
        assert connection.ok("GET", "k") == b"v"
    assert syncs(primary) == (0, 1, 0)
    said = replication(replica)
    assert said["master_replid"] == replication(primary)["master_replid"] != old_id
    assert said["master_replid2"] == old_id


def test_a_history_that_was_changed_by_hand(primary, replica, source):
    before = syncs(primary)
    source.ok("SET", "k", "v")
    await_replica(replica, primary)
    source.ok("DEBUG", "CHANGE-REPL-ID")
    kill_replicas(primary)
    wait_until(lambda: gained(primary, before)[0] == 1, "anew")
    assert_same_data(replica, primary)
    assert replication(replica)["master_replid"] == replication(primary)["master_replid"]


# ---- away ----


def test_data_is_served_while_the_primary_is_down(primary, replica, told, source):
    source.ok("SET", "k", "v")
    await_replica(replica, primary)
    offset = replication(replica)["master_repl_offset"]
    primary.kill()
    await_loss(replica)
    wait_until(lambda: told.ok("ROLE")[3:] == [b"connect", -1], "alone")
    said = replication(replica)
    assert (said["role"], said["master_port"]) == ("slave", str(primary.port))
    assert said["master_last_io_seconds_ago"] == "-1"
    assert int(said["master_link_down_since_seconds"]) in (0, 1, 2)
    assert said["master_repl_offset"] == said["slave_repl_offset"] == offset
    assert told.ok("GET", "k") == b"v"
    await_log(replica, "# Error condition on socket for SYNC: Connection refused")
    assert told.ok("REPLICAOF", "127.0.0.1", primary.port) == b"OK Already connected to specified master"


def test_a_frozen_primary_is_noticed_by_its_silence(primary, replica, told, source):
    told.ok("CONFIG", "SET", "repl-timeout", 3)
    before = syncs(primary)
    primary.signal(signal.SIGSTOP)
    try:
        wait_until(lambda: replication(replica)["master_last_io_seconds_ago"] == "2", "silent")
        assert replication(replica)["master_link_status"] == "up"
        await_loss(replica)
        assert told.ok("GET", "first") == b"1"
    finally:
        primary.signal(signal.SIGCONT)
    await_link(replica)
    assert_same_data(replica, primary)
    assert gained(primary, before)[0] == 0


def test_a_frozen_replica_is_dropped_and_comes_back(primary, replica, source):
    source.ok("CONFIG", "SET", "repl-timeout", 2)
    before = syncs(primary)
    replica.signal(signal.SIGSTOP)
    try:
        wait_until(lambda: replication(primary)["connected_slaves"] == "0", "dropped")
        source.ok("SET", "while frozen", "1")
    finally:
        replica.signal(signal.SIGCONT)
    wait_until(lambda: gained(primary, before)[1] == 1, "back")
    assert_same_data(replica, primary)


# ---- passwords ----


@pytest.fixture
def guarded(start_one, primary_kind):
    return start_one(primary_kind, {**PROMPT, "requirepass": "secret"})


def end_guarded(guarded, replica):
    with guarded.connect() as connection:
        connection.ok("AUTH", "secret")
        connection.ok("SET", "k", "v")
    with replica.connect() as connection:
        wait_until(lambda: connection.ok("GET", "k") == b"v", "replicated")


def test_the_right_password(guarded, start_server):
    replica = start_server({"masterauth": "secret", "replicaof": f"127.0.0.1 {guarded.port}"})
    await_link(replica)
    end_guarded(guarded, replica)


@pytest.mark.parametrize("directives, line", [
    ({}, "MASTER aborted replication with an error: NOAUTH Authentication required."),
    ({}, "(Non critical) Master does not understand REPLCONF listening-port: -NOAUTH Authentication required."),
    ({"masterauth": "wrong"}, "Unable to AUTH to MASTER: -WRONGPASS invalid username-password pair or user is "
                              "disabled."),
], ids=["none: psync", "none: options", "wrong"])
def test_no_or_a_wrong_password_until_it_is_set(guarded, start_server, directives, line):
    replica = start_server(directives)
    with replica.connect() as connection:
        connection.ok("SET", "own", "1")
        connection.ok("REPLICAOF", "127.0.0.1", guarded.port)
        await_log(replica, line)
        assert replication(replica)["master_link_status"] == "down"
        assert connection.ok("GET", "own") == b"1"
        connection.ok("CONFIG", "SET", "masterauth", "secret")
        await_link(replica)
        assert connection.ok("GET", "own") is None
    end_guarded(guarded, replica)


def test_a_user_of_its_own(start_one, start_server):
    primary = start_one("redis", {**PROMPT, "user": USER})
    replica = start_server({"masteruser": "replica", "masterauth": "secret"})
    follow(replica, primary)
    with primary.connect() as connection:
        connection.ok("SET", "k", "v")
        assert_same_data(replica, primary)
        assert " user=replica " in connection.ok("CLIENT", "LIST", "TYPE", "replica").decode()
        connection.ok("ACL", "DELUSER", "replica")
    await_loss(replica)
    with replica.connect() as connection:
        assert connection.ok("GET", "k") == b"v"
    with primary.connect() as connection:
        connection.ok("ACL", "SETUSER", *USER.split(" "))
    await_link(replica)
    assert syncs(primary)[:2] == (1, 1)


def test_both_ends_may_need_a_password(start_one, primary_kind, start_server):
    """A replica's own password is nothing to its primary, and its primary's commands need none."""
    primary = start_one(primary_kind, PROMPT)
    replica = start_server({"requirepass": "own", "replicaof": f"127.0.0.1 {primary.port}"})
    with primary.connect() as connection:
        connection.ok("SET", "k", "v")
    with replica.connect() as connection:
        connection.ok("AUTH", "own")
        wait_until(lambda: connection.ok("ROLE")[3] == b"connected", "linked")
        wait_until(lambda: connection.ok("GET", "k") == b"v", "replicated")
        with primary.connect() as writer:
            writer.ok("SET", "k", "w")
        wait_until(lambda: connection.ok("GET", "k") == b"w", "replicated")
