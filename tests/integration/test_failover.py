"""FAILOVER: a primary and its replica change roles without losing a write; and Sentinels that do it."""

import threading

import pytest

from links import PROMPT, assert_same_data, await_link, await_replica, follow, info, replication, syncs
from saving import wait_until
from sentinels import known, wait_longer
from support.resp import Error


@pytest.fixture
def pair(start_server, start_one, primary_kind):
    """Our primary, and a replica of either kind."""
    primary, replica = start_server(PROMPT), start_one(primary_kind, PROMPT)
    with replica.connect() as connection:
        connection.ok("REPLICAOF", "127.0.0.1", primary.port)
    await_link(replica)
    with primary.connect() as connection:
        connection.ok("SET", "first", "1")
    await_replica(replica, primary)
    return primary, replica


def state(server):
    return replication(server)["master_failover_state"]


def test_they_change_roles_by_a_partial_resync(pair):
    primary, replica = pair
    with primary.connect(timeout_s=30) as connection:
        connection.ok("SELECT", 3)
        connection.ok("SET", "k", "v")
        assert connection.ok("FAILOVER") == b"OK"
        wait_until(lambda: connection.ok("ROLE")[0] == b"slave", "demoted")
        await_link(primary)
        assert state(primary) == "no-failover"
        assert isinstance(connection.call("SET", "k", "w"), Error)
    with replica.connect() as connection:
        assert connection.ok("ROLE")[0] == b"master"
        connection.ok("SET", "after", "1")
    await_replica(primary, replica)
    assert_same_data(primary, replica)
    assert syncs(replica)[:2] == (0, 1)


def test_no_write_is_lost(pair):
    primary, replica = pair
    written, stop = [], threading.Event()

    def write(n):
        with primary.connect(timeout_s=30) as connection:
            for i in range(1_000_000):
                if stop.is_set() or isinstance(connection.call("SET", f"w{n}:{i}", i), Error):
                    return
                written.append(f"w{n}:{i}")

    writers = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for writer in writers:
        writer.start()
    wait_until(lambda: len(written) > 200, "written")
    with primary.connect() as connection:
        connection.ok("FAILOVER", "TO", "127.0.0.1", replica.port, "TIMEOUT", 20_000)
        wait_until(lambda: connection.ok("ROLE")[0] == b"slave", "demoted")
    await_link(primary)
    stop.set()
    for writer in writers:
        writer.join()
    with replica.connect() as connection:
        assert connection.ok("EXISTS", *written) == len(written)
    assert_same_data(primary, replica)


def test_it_can_be_aborted_while_it_waits(pair):
    primary, replica = pair
    with replica.connect() as holder, primary.connect(timeout_s=30) as connection:
        holder.ok("CLIENT", "PAUSE", 600_000, "WRITE")  # it acknowledges nothing more
        connection.ok("SET", "k", "v")
        connection.ok("FAILOVER")
        assert state(primary) == "waiting-for-sync"
        assert connection.call("FAILOVER") == Error(b"ERR FAILOVER already in progress.")
        assert connection.call("REPLICAOF", "127.0.0.1", 1) == Error(
            b"ERR REPLICAOF not allowed while failing over.")
        with primary.connect() as writer:
            writer.send_raw(b"SET k w\r\n")
            connection.ok("FAILOVER", "ABORT")
            assert writer.read() == b"OK"
        assert state(primary) == "no-failover"
        holder.ok("CLIENT", "UNPAUSE")
    assert_same_data(replica, primary)


def test_a_timeout_ends_it(pair):
    primary, replica = pair
    with replica.connect() as holder, primary.connect(timeout_s=30) as connection:
        holder.ok("CLIENT", "PAUSE", 600_000, "WRITE")
        connection.ok("SET", "k", "v")
        connection.ok("FAILOVER", "TIMEOUT", 100)
        wait_until(lambda: state(primary) == "no-failover", "given up")
        assert connection.ok("SET", "k", "w") == b"OK"
        holder.ok("CLIENT", "UNPAUSE")
    assert_same_data(replica, primary)


@pytest.mark.parametrize("diskless", ["yes", "no"])
def test_a_replica_in_its_first_full_sync_is_no_target(start_server, diskless):
    primary = start_server({**PROMPT, "repl-diskless-sync": diskless, "rdb-key-save-delay": "20000"})
    replica = start_server(PROMPT)
    with primary.connect(timeout_s=30) as connection, replica.connect() as other:
        for n in range(100):
            connection.ok("SET", f"k{n}", n)
        other.ok("REPLICAOF", "127.0.0.1", primary.port)
        wait_until(lambda: "state=wait_bgsave" in replication(primary).get("slave0", ""), "in its sync")
        connection.ok("SET", "after", 1)
        to = ("TO", "127.0.0.1", replica.port)
        for words in (to, (*to, "TIMEOUT", 100), (*to, "TIMEOUT", 100, "FORCE")):
            assert str(connection.call("FAILOVER", *words)) == str(Error(
                b"ERR FAILOVER target replica is not online."))
        assert str(connection.call("FAILOVER", "ABORT")) == str(Error(b"ERR No failover in progress."))
        # Without a target it waits for the one that comes.
        assert connection.ok("FAILOVER") == b"OK"
        assert state(primary) == "waiting-for-sync"
        assert connection.ok("FAILOVER", "ABORT") == b"OK"
        assert connection.ok("FAILOVER", "TIMEOUT", 60_000) == b"OK"
        wait_until(lambda: connection.ok("ROLE")[0] == b"slave", "demoted")
    await_link(primary)
    assert_same_data(primary, replica)
    assert syncs(replica)[:2] == (0, 1)


def test_its_errors(start_server):
    alone = start_server(PROMPT)
    with alone.connect() as connection:
        assert connection.call("FAILOVER") == Error(b"ERR FAILOVER requires connected replicas.")
        assert connection.call("FAILOVER", "ABORT") == Error(b"ERR No failover in progress.")
        assert connection.call("FAILOVER", "NONSENSE") == Error(b"ERR syntax error")
        connection.ok("REPLICAOF", "127.0.0.1", 1)
        assert connection.call("FAILOVER") == Error(b"ERR FAILOVER is not valid when server is a replica.")


def test_sentinels_promote_a_replica_of_a_dead_primary(start_server, sentinels):
    primary = start_server(PROMPT)
    replicas = [start_server(PROMPT) for _ in range(2)]
    for replica in replicas:
        follow(replica, primary)
    sentinels.start(primary, replicas)
    with primary.connect() as connection:
        connection.ok("SET", "k", "v")
        assert connection.ok("WAIT", 2, 10_000) == 2
    primary.kill()
    address = lambda: known(sentinels.ports[0], "SENTINEL", "GET-MASTER-ADDR-BY-NAME", "shop")
    wait_longer(lambda: address() and int(address()[1]) != primary.port, "failed over")
    promoted, other = sorted(replicas, key=lambda one: one.port != int(address()[1]))
    wait_longer(lambda: replication(promoted)["role"] == "master", "promoted")
    wait_longer(lambda: replication(other).get("master_port") == str(promoted.port), "told")
    await_link(other)
    with promoted.connect() as connection:
        assert connection.ok("GET", "k") == b"v"
        connection.ok("SET", "k", "w")
    await_replica(other, promoted)
    assert_same_data(other, promoted)
    assert info(promoted, "stats")["sync_full"] == "0", "the other one continues where it was"
