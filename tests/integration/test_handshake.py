"""How a replica greets its primary, step by step, and what ROLE and INFO say meanwhile.

The primary is the test itself (`hand_primary.py`), so every state lasts as long as it is looked at.
"""

import re
import socket

import pytest

from hand_primary import EMPTY_RDB, REPLICATION_ID, HandPrimary
from links import PROMPT, await_log, await_offset, replication
from saving import wait_until
from support import resp

LINK = ["master_host", "master_port", "master_link_status", "master_last_io_seconds_ago",
        "master_sync_in_progress", "slave_read_repl_offset", "slave_repl_offset"]
TRANSFER = ["master_sync_total_bytes", "master_sync_read_bytes", "master_sync_left_bytes",
            "master_sync_perc", "master_sync_last_io_seconds_ago"]
DOWN = ["master_link_down_since_seconds"]
REPLICA = ["slave_priority", "slave_read_only", "replica_announced"]
BOTH = ["master_failover_state", "master_replid", "master_replid2", "master_repl_offset",
        "second_repl_offset", "repl_backlog_active", "repl_backlog_size",
        "repl_backlog_first_byte_offset", "repl_backlog_histlen"]


@pytest.fixture
def hand():
    primary = HandPrimary()
    yield primary
    primary.close()


@pytest.fixture
def replica(start_server):
    return start_server(PROMPT)


@pytest.fixture
def told(replica):
    with replica.connect() as connection:
        yield connection


def names(server):
    """The fields of INFO replication in their order."""
    with server.connect() as connection:
        text = connection.ok("INFO", "replication").decode()
    assert text.startswith("# Replication\r\nrole:")
    return re.findall(r"^(\w+):", text, re.MULTILINE)


def attach(told, hand):
    told.ok("REPLICAOF", "127.0.0.1", hand.port)


def await_state(told, state):
    wait_until(lambda: told.ok("ROLE")[3] == state, state)


# ---- the states ----


def test_connect(replica, told):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    told.ok("REPLICAOF", "127.0.0.1", port)
    # It tries again and again, so the state does not last.
    wait_until(lambda: resp.same(told.ok("ROLE"), [b"slave", b"127.0.0.1", port, b"connect", -1]), "connect")
    assert names(replica) == ["role", *LINK, *DOWN, *REPLICA, "connected_slaves", *BOTH]
    said = replication(replica)
    assert said["role"] == "slave"
    assert said["master_link_status"] == "down"
    assert said["master_last_io_seconds_ago"] == "-1"
    assert said["master_sync_in_progress"] == "0"
    assert said["master_link_down_since_seconds"] == "-1"
    assert (said["slave_read_repl_offset"], said["slave_repl_offset"]) == ("0", "0")


def test_connecting(told):
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        fillers = [socket.socket() for _ in range(3)]
        for filler in fillers:  # The kernel takes one connection; to more it does not answer.
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        told.ok("REPLICAOF", "127.0.0.1", listener.getsockname()[1])
        await_state(told, b"connecting")
        assert told.ok("ROLE")[4] == -1
        for filler in fillers:
            filler.close()


def test_every_step_of_the_handshake(replica, told, hand):
    told.ok("SET", "own", "1")
    own_id = replication(replica)["master_replid"]
    attach(told, hand)
    link = hand.accept()
    assert link.read() == [b"PING"]
    await_state(told, b"handshake")
    assert resp.same(told.ok("ROLE"), [b"slave", b"127.0.0.1", hand.port, b"handshake", -1])
    link.send_raw(b"+PONG\r\n")
    assert link.read() == [b"REPLCONF", b"listening-port", str(replica.port).encode()]
    assert link.read() == [b"REPLCONF", b"capa", b"eof", b"capa", b"psync2"]
    link.send_raw(b"+OK\r\n+OK\r\n")
    assert link.read() == [b"PSYNC", own_id.encode(), b"1"]
    assert told.ok("ROLE")[3:] == [b"handshake", -1]
    assert names(replica) == ["role", *LINK, *DOWN, *REPLICA, "connected_slaves", *BOTH]
    assert told.ok("GET", "own") == b"1"


def test_sync_while_the_primary_prepares(replica, told, hand):
    attach(told, hand)
    link = hand.accept()
    link.shake_hands()
    link.send_raw(b"+FULLRESYNC %s 1000\r\n" % REPLICATION_ID.encode())
    await_state(told, b"sync")
    assert told.ok("ROLE")[4] == -1
    assert names(replica) == ["role", *LINK, *TRANSFER, *DOWN, *REPLICA, "connected_slaves", *BOTH]
    said = replication(replica)
    assert said["master_sync_in_progress"] == "1"
    assert [said[name] for name in TRANSFER[:4]] == ["-1", "0", "-1", "-0.00"]
    assert said["slave_repl_offset"] == "0"
    assert said["master_replid"] != REPLICATION_ID


def test_sync_in_the_middle_of_the_file(replica, told, hand):
    told.ok("SET", "own", "1")
    attach(told, hand)
    link = hand.accept()
    link.shake_hands()
    link.send_raw(b"+FULLRESYNC %s 1000\r\n\n\n$%d\r\n" % (REPLICATION_ID.encode(), len(EMPTY_RDB)))
    link.send_raw(EMPTY_RDB[:5])
    wait_until(lambda: replication(replica).get("master_sync_read_bytes") == "5", "read")
    assert told.ok("ROLE")[3:] == [b"sync", -1]
    said = replication(replica)
    assert [said[name] for name in TRANSFER[:4]] == ["18", "5", "13", "27.78"]
    assert told.ok("GET", "own") == b"1"
    link.send_raw(EMPTY_RDB[5:])
    await_state(told, b"connected")
    assert told.ok("GET", "own") is None


def test_connected(replica, told, hand):
    attach(told, hand)
    link = hand.full_sync(offset=1000)
    link.await_ack(1000)
    assert resp.same(told.ok("ROLE"), [b"slave", b"127.0.0.1", hand.port, b"connected", 1000])
    assert names(replica) == ["role", *LINK, *REPLICA, "connected_slaves", *BOTH]
    said = replication(replica)
    assert said["master_last_io_seconds_ago"] in ("0", "1")
    assert [said[name] for name in LINK[2:] if "seconds" not in name] == ["up", "0", "1000", "1000"]
    assert (said["master_replid"], said["master_repl_offset"]) == (REPLICATION_ID, "1000")
    assert (said["master_replid2"], said["second_repl_offset"]) == ("0" * 40, "-1")
    assert (said["repl_backlog_active"], said["repl_backlog_first_byte_offset"]) == ("1", "1001")
    assert said["repl_backlog_histlen"] == "0"
    offset = 1000 + link.send("SELECT", "0") + link.send("SET", "k", "v")
    link.executed(offset)
    wait_until(lambda: int(replication(replica)["slave_repl_offset"]) > offset, "the request itself is executed")
    said = replication(replica)
    assert said["slave_repl_offset"] == said["slave_read_repl_offset"] == said["master_repl_offset"]
    assert int(said["repl_backlog_histlen"]) == int(said["slave_repl_offset"]) - 1000


def test_the_time_since_the_link_went_down(replica, told, hand):
    attach(told, hand)
    link = hand.full_sync()
    await_state(told, b"connected")
    link.close()
    wait_until(lambda: replication(replica)["master_link_status"] == "down", "lost")
    assert names(replica) == ["role", *LINK, *DOWN, *REPLICA, "connected_slaves", *BOTH]
    wait_until(lambda: int(replication(replica)["master_link_down_since_seconds"]) > 0, "counted")


def test_a_replica_of_a_replica_is_listed(replica, told, hand, start_one):
    told.ok("CONFIG", "SET", "min-replicas-to-write", 1)
    attach(told, hand)
    hand.full_sync(offset=500)
    await_state(told, b"connected")
    below = start_one("redis", PROMPT)
    with below.connect() as connection:
        connection.ok("REPLICAOF", "127.0.0.1", replica.port)
    wait_until(lambda: "state=online" in replication(replica).get("slave0", ""), "online")
    assert names(replica) == ["role", *LINK, *REPLICA, "connected_slaves", "min_slaves_good_slaves",
                              "slave0", *BOTH]
    assert re.fullmatch(rf"ip=127\.0\.0\.1,port={below.port},state=online,offset=\d+,lag=[01]",
                        replication(replica)["slave0"])


# ---- what it says ----


@pytest.mark.parametrize("settings, expected", [
    ({"masterauth": "secret"}, [(b"AUTH", b"secret")]),
    ({"masterauth": "secret", "masteruser": "someone"}, [(b"AUTH", b"someone", b"secret")]),
    ({"masteruser": "someone"}, []),
], ids=["password", "user and password", "user without password"])
def test_it_authenticates(replica, told, hand, settings, expected):
    for name, value in settings.items():
        told.ok("CONFIG", "SET", name, value)
    attach(told, hand)
    link = hand.accept()
    assert link.read() == [b"PING"]
    link.send_raw(b"-NOAUTH Authentication required.\r\n")
    for words in expected:
        assert link.read() == list(words)
    assert link.read() == [b"REPLCONF", b"listening-port", str(replica.port).encode()]


def test_it_announces_what_it_is_told_to(told, hand):
    told.ok("CONFIG", "SET", "replica-announce-ip", "10.0.0.9", "replica-announce-port", 77)
    attach(told, hand)
    link = hand.accept()
    link.read()
    link.send_raw(b"+PONG\r\n")
    assert link.read() == [b"REPLCONF", b"listening-port", b"77"]
    assert link.read() == [b"REPLCONF", b"ip-address", b"10.0.0.9"]
    assert link.read() == [b"REPLCONF", b"capa", b"eof", b"capa", b"psync2"]


@pytest.mark.parametrize("reply", [b"-NOAUTH Authentication required.", b"-NOPERM x",
                                   b"-ERR operation not permitted", b"+anything"])
def test_these_replies_to_ping_will_do(told, hand, reply):
    attach(told, hand)
    link = hand.accept()
    link.read()
    link.send_raw(reply + b"\r\n")
    assert link.read()[0] == b"REPLCONF"


@pytest.mark.parametrize("reply", [b"-LOADING x", b"-ERR y", b"garbage"])
def test_after_other_replies_to_ping_it_comes_again(replica, told, hand, reply):
    attach(told, hand)
    link = hand.accept()
    link.read()
    link.send_raw(reply + b"\r\n")
    assert hand.accept().read() == [b"PING"]
    await_log(replica, f"# Error reply to PING from master: '{reply.decode()}'")


def test_a_refused_password_is_logged(replica, told, hand):
    told.ok("CONFIG", "SET", "masterauth", "wrong")
    attach(told, hand)
    link = hand.accept()
    link.read()
    link.send_raw(b"+PONG\r\n")
    assert link.read() == [b"AUTH", b"wrong"]
    link.send_raw(b"-WRONGPASS no\r\n+OK\r\n+OK\r\n")
    assert hand.accept().read() == [b"PING"]
    await_log(replica, "# Unable to AUTH to MASTER: -WRONGPASS no")


def test_refused_options_do_not_matter(replica, told, hand):
    attach(told, hand)
    link = hand.accept()
    link.read()
    link.send_raw(b"+PONG\r\n-ERR a\r\n-ERR b\r\n")
    assert [link.read()[0] for _ in range(3)] == [b"REPLCONF", b"REPLCONF", b"PSYNC"]
    for name, error in (("listening-port", "-ERR a"), ("capa", "-ERR b")):
        await_log(replica, f"* (Non critical) Master does not understand REPLCONF {name}: {error}")


@pytest.mark.parametrize("reply", [b"-NOMASTERLINK Can't SYNC", b"-LOADING x"])
def test_these_replies_to_psync_mean_later(replica, told, hand, reply):
    attach(told, hand)
    link = hand.accept()
    link.shake_hands()
    link.send_raw(reply + b"\r\n")
    assert hand.accept().read() == [b"PING"]
    await_log(replica, f"* Master is currently unable to PSYNC but should be in the future: {reply.decode()}")


@pytest.mark.parametrize("reply, line", [
    (b"-ERR unknown command", "* Master does not support PSYNC or is in error state (reply: "
                              "-ERR unknown command)"),
    (b"+OK", "# Unexpected reply to PSYNC from master: +OK")], ids=["error", "nonsense"])
def test_without_psync_it_uses_sync(replica, told, hand, reply, line):
    attach(told, hand)
    link = hand.accept()
    link.shake_hands()
    link.send_raw(reply + b"\r\n")
    assert link.read_line() == b"SYNC"
    await_log(replica, line)
    await_log(replica, "* Retrying with SYNC...")
    link.send_file(EMPTY_RDB)
    await_state(told, b"connected")
    link.send("SELECT", "0")
    link.send("SET", "k", "v")
    wait_until(lambda: told.ok("GET", "k") == b"v", "executed")


def test_newlines_keep_it_waiting(told, hand):
    attach(told, hand)
    link = hand.accept()
    link.shake_hands()
    for _ in range(3):
        link.send_raw(b"\n")
        assert told.ok("ROLE")[3] == b"handshake"
    link.send_raw(b"+FULLRESYNC %s 7\r\n\n\n" % REPLICATION_ID.encode())
    link.send_file(EMPTY_RDB)
    link.await_ack(7)


def test_continue_with_another_id_is_a_change_of_history(replica, told, hand):
    attach(told, hand)
    link = hand.full_sync(offset=100)
    behind = 100 + link.send("SELECT", "0")
    await_offset(replica, behind)
    link.close()
    link = hand.accept()
    assert link.shake_hands() == [b"PSYNC", REPLICATION_ID.encode(), str(behind + 1).encode()]
    link.send_raw(b"+CONTINUE %s\r\n" % (b"b" * 40))
    await_state(told, b"connected")
    said = replication(replica)
    assert (said["master_replid"], said["master_replid2"]) == ("b" * 40, REPLICATION_ID)
    assert said["second_repl_offset"] == str(behind + 1)
    await_log(replica, f"# Master replication ID changed to {'b' * 40}")


@pytest.mark.parametrize("header, line", [
    (b"-ERR no", "# MASTER aborted replication with an error: ERR no"),
    (b"+OK", "# Bad protocol from MASTER, the first byte is not '$' (we received '+OK'), are you sure "
             "the host and port are right?")], ids=["error", "nonsense"])
def test_a_file_that_does_not_begin(replica, told, hand, header, line):
    told.ok("SET", "own", "1")
    attach(told, hand)
    link = hand.accept()
    link.shake_hands()
    link.send_raw(b"+FULLRESYNC %s 1\r\n%s\r\n" % (REPLICATION_ID.encode(), header))
    assert hand.accept().read() == [b"PING"]
    await_log(replica, f"{line}")
    await_log(replica, f"* Reconnecting to MASTER 127.0.0.1:{hand.port} after failure")
    assert told.ok("GET", "own") == b"1"


def test_a_silent_primary_is_given_up_after_the_timeout(replica, told, hand):
    told.ok("CONFIG", "SET", "repl-timeout", 1)
    attach(told, hand)
    link = hand.accept()
    assert link.read() == [b"PING"]
    assert hand.accept().read() == [b"PING"]
    with pytest.raises((resp.ConnectionClosed, ConnectionError)):
        link.read()
    await_log(replica, "# Timeout connecting to the MASTER...")


def test_it_leaves_in_the_middle_of_a_handshake(told, hand):
    attach(told, hand)
    link = hand.accept()
    assert link.read() == [b"PING"]
    told.ok("REPLICAOF", "NO", "ONE")
    with pytest.raises((resp.ConnectionClosed, ConnectionError)):
        link.read()
    assert told.ok("SET", "k", "v") == b"OK"


def test_a_promoted_replica_offers_its_history_to_the_next_primary(replica, told, hand):
    attach(told, hand)
    link = hand.full_sync(offset=100)
    behind = 100 + link.send("SELECT", "0")
    await_offset(replica, behind)
    told.ok("REPLICAOF", "NO", "ONE")
    promoted = replication(replica)
    attach(told, hand)
    assert hand.accept().shake_hands() == [b"PSYNC", promoted["master_replid"].encode(),
                                           str(behind + 1).encode()]
