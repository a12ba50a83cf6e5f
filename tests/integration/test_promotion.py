"""Roles that change: a replica is promoted, others follow it, and the old primary is demoted."""

import signal
import threading

import pytest

from links import (PROMPT, assert_same_data, await_link, await_log, await_replica, follow, info, replication,
                   syncs)
from saving import wait_until
from support import resp
from support.resp import Error

UNBLOCKED = Error(b"UNBLOCKED force unblock from blocking operation, instance state changed "
                  b"(master -> replica?)")
READONLY = Error(b"READONLY You can't write against a read only replica.")
NO_ID = "0" * 40


@pytest.fixture
def primary(start_one, primary_kind):
    return start_one(primary_kind, PROMPT)


@pytest.fixture
def replica(start_server, primary):
    one = start_server(PROMPT)
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


def promote(server):
    with server.connect() as connection:
        assert resp.same(connection.call("REPLICAOF", "NO", "ONE"), resp.Simple(b"OK"))


# ---- the promoted server ----


def test_it_takes_writes_and_begins_a_history(primary, replica, told, source):
    before = replication(replica)
    promote(replica)
    said = replication(replica)
    assert said["role"] == "master"
    assert said["master_replid2"] == before["master_replid"] == replication(primary)["master_replid"]
    assert said["master_replid"] not in (before["master_replid"], NO_ID)
    assert said["second_repl_offset"] == str(int(said["master_repl_offset"]) + 1)
    assert int(said["master_repl_offset"]) >= int(before["slave_repl_offset"])
    assert not {"master_host", "master_link_status", "slave_repl_offset", "slave_priority"} & set(said)
    assert said["repl_backlog_active"] == "1"
    assert told.ok("ROLE") == [b"master", int(said["master_repl_offset"]), []]
    assert told.ok("SET", "k", "v") == b"OK"
    assert told.ok("EVAL", "return redis.call('INCR', 'first')", 0) == 2
    assert told.ok("WAIT", 0, 10) == 0
    wait_until(lambda: replication(primary)["connected_slaves"] == "0", "left")
    source.ok("SET", "not for the promoted", "1")
    assert told.ok("EXISTS", "not for the promoted") == 0


def test_promotion_twice_is_once(replica, told, source):
    promote(replica)
    said = replication(replica)
    promote(replica)
    assert replication(replica) == said


def test_what_it_had_acknowledged_is_there(primary, replica, told, source):
    """No write that the replica has acknowledged is lost, and they are the first ones written."""
    stop = threading.Event()
    acknowledged = []

    def write():
        with primary.connect() as connection:
            n = 0
            while not stop.is_set():
                connection.pipeline([("RPUSH", "l", n + i) for i in range(20)])
                n += 20
                if connection.ok("WAIT", 1, 50) == 1:
                    acknowledged.append(n)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        wait_until(lambda: len(acknowledged) > 5, "acknowledged")
        covered = int(replication(replica)["slave_repl_offset"])
        had = len(acknowledged)
        promote(replica)
    finally:
        stop.set()
        writer.join()
    values = [int(value) for value in told.ok("LRANGE", "l", 0, -1)]
    assert values == list(range(len(values)))
    assert len(values) >= acknowledged[had - 1]
    assert int(replication(replica)["master_repl_offset"]) >= covered


def test_after_the_death_of_the_primary(primary, replica, told, source):
    for n in range(500):
        source.ok("SET", f"k{n}", n)
    source.ok("WAIT", 1, 5000)
    primary.kill()
    promote(replica)
    assert told.ok("DBSIZE") == 501
    assert told.ok("MGET", *[f"k{n}" for n in range(500)]) == [str(n).encode() for n in range(500)]
    assert told.ok("SET", "k", "v") == b"OK"


def test_before_it_ever_synchronised(start_server, start_one):
    server, primary = start_server(), start_one("redis")
    with server.connect() as connection:
        connection.ok("SET", "own", "1")
        before = replication(server)["master_replid"]
        primary.signal(signal.SIGSTOP)
        connection.ok("REPLICAOF", "127.0.0.1", primary.port)
        promote(server)
        primary.signal(signal.SIGCONT)
        assert connection.ok("ROLE")[0] == b"master"
        assert connection.ok("GET", "own") == b"1"
        assert connection.ok("SET", "own", "2") == b"OK"
        said = replication(server)
        assert (said["master_replid2"], said["second_repl_offset"]) == (before, "1")


# ---- others follow it ----


def test_other_replicas_go_on_at_the_promoted_one(primary, replica, told, source, start_one):
    others = [start_one(kind) for kind in ("redis", replica.kind)]
    for one in others:
        follow(one, primary)
    source.ok("SET", "last", "1")
    for one in (*others, replica):
        await_replica(one, primary)
    before = syncs(replica)
    # It has at least what the others have, since it is told of the promotion last.
    primary.signal(signal.SIGSTOP)
    try:
        for one in others:
            await_as_far(replica, one)
        promote(replica)
        told.ok("SET", "by the promoted", "1")
        for one in others:
            follow(one, replica)
            assert_same_data(one, replica)
            with one.connect() as connection:
                assert connection.ok("MGET", "last", "by the promoted") == [b"1", b"1"]
            for name in ("master_replid", "master_replid2", "second_repl_offset"):
                assert replication(one)[name] == replication(replica)[name]
    finally:
        primary.signal(signal.SIGCONT)
    assert syncs(replica) == (before[0], before[1] + len(others), before[2])


def await_as_far(replica, other):
    wait_until(lambda: int(replication(replica)["slave_repl_offset"])
               >= int(replication(other)["slave_repl_offset"]), "as far")


def test_the_old_primary_becomes_a_replica(primary, replica, told, source):
    """Nothing was written to it since, so it needs no full sync."""
    source.ok("SET", "k", "v")
    await_replica(replica, primary)
    promote(replica)
    told.ok("SET", "k", "w")
    before = syncs(replica)
    follow(primary, replica)
    assert_same_data(primary, replica)
    assert source.ok("GET", "k") == b"w"
    assert source.call("SET", "k", "x") == READONLY
    gained = [now - then for now, then in zip(syncs(replica), before)]
    # A PING that the old primary sent meanwhile is a part of its history that the new one lacks.
    assert gained in ([0, 1, 0], [1, 0, 1])
    if gained[1] == 1:
        await_log(primary, "* Successful partial resynchronization with master.")


def test_an_old_primary_that_went_its_own_way_gets_everything_anew(primary, replica, told, source):
    promote(replica)
    wait_until(lambda: replication(primary)["connected_slaves"] == "0", "left")
    source.ok("SET", "only here", "1")
    told.ok("SET", "only there", "1")
    before = syncs(replica)
    follow(primary, replica)
    assert_same_data(primary, replica)
    assert source.ok("KEYS", "only*") == [b"only there"]
    assert syncs(replica)[0] == before[0] + 1


def test_there_and_back_again(primary, replica, told, source):
    for round_number in range(2):
        promote(replica)
        told.ok("SET", f"there{round_number}", "1")
        follow(primary, replica)
        assert_same_data(primary, replica)
        promote(primary)
        source.ok("SET", f"back{round_number}", "1")
        follow(replica, primary)
        assert_same_data(replica, primary)
    assert sorted(told.ok("KEYS", "*0")) == [b"back0", b"there0"]
    assert told.ok("DBSIZE") == 5


def test_both_roles_change_in_one_transaction_each(primary, replica, told, source):
    """As a Sentinel does it."""
    replies = told.pipeline([("MULTI",), ("SLAVEOF", "NO", "ONE"), ("CONFIG", "REWRITE"),
                             ("CLIENT", "KILL", "TYPE", "pubsub"), ("EXEC",)])
    assert replies[-1] == [b"OK", b"OK", 0]
    replies = source.pipeline([("MULTI",), ("SLAVEOF", "127.0.0.1", replica.port), ("CONFIG", "REWRITE"),
                               ("CLIENT", "KILL", "TYPE", "pubsub"), ("EXEC",)])
    assert replies[-1] == [b"OK", b"OK", 0]
    await_link(primary)
    told.ok("SET", "k", "v")
    assert_same_data(primary, replica)
    assert f"replicaof 127.0.0.1 {replica.port}\n" in (primary.directory / "server.conf").read_text()
    assert "replicaof" not in (replica.directory / "server.conf").read_text()


# ---- the demoted server ----


@pytest.fixture
def server(start_server):
    return start_server(PROMPT)


def test_clients_that_wait_are_told_and_closed(server, start_one):
    other = start_one("redis", PROMPT)
    with server.connect() as connection:
        connection.ok("XGROUP", "CREATE", "s", "g", "$", "MKSTREAM")
        waiting = [("BLPOP", "l", 0), ("BLMOVE", "a", "b", "LEFT", "LEFT", 0), ("BZPOPMIN", "z", 0),
                   ("XREAD", "BLOCK", 0, "STREAMS", "x", "$"), ("BLMPOP", 0, 1, "l", "LEFT"),
                   ("XREADGROUP", "GROUP", "g", "c", "BLOCK", 0, "STREAMS", "s", ">"), ("WAIT", 1, 0)]
        parked = [server.connect() for _ in waiting]
        for one, command in zip(parked, waiting):
            one.send(*command)
        count = f"blocked_clients:{len(waiting)}\r\n".encode()
        wait_until(lambda: count in connection.ok("INFO", "clients"), "blocked")
        connection.ok("REPLICAOF", "127.0.0.1", other.port)
        for one, command in zip(parked, waiting):
            assert one.read() == UNBLOCKED, command
            with pytest.raises(resp.ConnectionClosed):
                one.read()
            one.close()
        assert b"blocked_clients:0\r\n" in connection.ok("INFO", "clients")


def test_clients_that_do_not_wait_stay(server, start_one):
    other = start_one("redis", PROMPT)
    with server.connect() as writer, server.connect() as listener, server.connect() as connection:
        writer.ok("SET", "k", "v")
        listener.ok("SUBSCRIBE", "c")
        connection.ok("REPLICAOF", "127.0.0.1", other.port)
        await_link(server)
        connection.ok("CONFIG", "SET", "close-after-readonly", "no")
        assert writer.call("SET", "k", "w") == READONLY
        assert writer.call("GET", "k") is None
        assert writer.call("SET", "k", "w") == READONLY
        with other.connect() as source:
            source.ok("PUBLISH", "c", "hello")
        assert listener.read() == [b"message", b"c", b"hello"]


SET_BY_SCRIPT = "return redis.pcall('SET', KEYS[1], 'w')"
WRITES = {
    "plain": [("SET", "k", "w")],
    "in a script": [("EVAL", SET_BY_SCRIPT, 1, "k")],
    "in a transaction": [("MULTI",), ("SET", "k", "w")],
    "without replies": [("CLIENT", "REPLY", "OFF"), ("SET", "k", "w")],
}


@pytest.mark.parametrize("how", WRITES)
def test_a_client_from_before_the_demotion_is_closed_behind_READONLY(server, start_one, how):
    other = start_one("redis", PROMPT)
    with server.connect() as early, server.connect() as admin:
        early.ok("SET", "k", "v")
        admin.ok("REPLICAOF", "127.0.0.1", other.port)
        await_link(server)
        assert early.ok("GET", "k") is None  # who only reads stays
        for command in WRITES[how]:
            early.send(*command)
        early.send("GET", "k")
        replies = []
        with pytest.raises(resp.ConnectionClosed):
            while True:
                replies.append(early.read())
        assert replies == {"in a transaction": [b"OK", READONLY], "without replies": []}.get(
            how, [READONLY])
        # Who knows the role stays: the client that changed it, and those that came later.
        with server.connect() as late:
            for one in (admin, late, admin, late):
                assert one.call("SET", "k", "w") == READONLY


def test_nobody_is_closed_once_it_is_a_primary_again(server, start_one):
    other = start_one("redis", PROMPT)
    with server.connect() as early, server.connect() as admin:
        early.ok("PING")
        admin.ok("REPLICAOF", "127.0.0.1", other.port)
        await_link(server)
        admin.ok("REPLICAOF", "NO", "ONE")
        assert early.ok("SET", "k", "v") == b"OK"
        assert early.ok("GET", "k") == b"v"


def test_no_write_slips_behind_the_change_of_role(server, start_one):
    """Whatever was acknowledged before the demotion is in the history that it leaves with."""
    other = start_one("redis", PROMPT)
    follow(other, server)
    counts = [0, 0, 0]

    def write(number):
        with server.connect() as connection:
            while connection.call("INCR", f"n{number}") == counts[number] + 1:
                counts[number] += 1

    writers = [threading.Thread(target=write, args=(number,)) for number in range(3)]
    for writer in writers:
        writer.start()
    wait_until(lambda: min(counts) > 100, "written")
    with server.connect() as connection:
        connection.ok("REPLICAOF", "127.0.0.1", 1)
        for writer in writers:
            writer.join()
        values = [int(value) for value in connection.ok("MGET", "n0", "n1", "n2")]
    assert values == counts
    # Its own replica stays with it, and gets all of that.
    wait_until(lambda: replication(other)["slave_repl_offset"] == replication(server)["master_repl_offset"],
               "replicated")
    with other.connect() as connection:
        assert [int(value) for value in connection.ok("MGET", "n0", "n1", "n2")] == counts


def test_scripts_loaded_before_stay_loaded(primary, replica, told, source):
    sha = told.ok("SCRIPT", "LOAD", "return 7")
    promote(replica)
    assert told.ok("EVALSHA", sha, 0) == 7
    follow(replica, primary)
    assert told.ok("EVALSHA", sha, 0) == 7
    assert info(replica, "replication")["role"] == "slave"
