"""redis-server follows this server: full and partial synchronisation, ACKs, WAIT, time-outs."""

import random
import signal
import threading
import time

import pytest

import holdings
from links import await_replica, follow, info, replication, values
from programs import run
from saving import wait_until
from support import resp
from support.resp import Error

PATIENCE_S = 30
REFUSED = Error(b"NOREPLICAS Not enough good replicas to write.")


@pytest.fixture
def primary(start_one, server_kind):
    return start_one(server_kind, {"repl-diskless-sync-delay": "0", "enable-debug-command": "yes",
                                   "repl-ping-replica-period": "1"})


@pytest.fixture
def replica(start_one):
    return start_one("redis", {"enable-debug-command": "yes"})


def test_a_replica_gets_all_types_and_then_every_change(primary, replica):
    with primary.connect(timeout_s=30) as connection:
        holdings.fill(connection)
    follow(replica, primary)
    await_replica(replica, primary)
    assert values(replica) == values(primary)
    with primary.connect(timeout_s=30) as connection:
        holdings.change(connection)
        for i in range(1000):
            connection.ok("SET", f"more{i}", i)
        connection.ok("SELECT", 3)
        connection.ok("MULTI")
        connection.ok("INCR", "n")
        connection.ok("LPUSH", "l", "a", "b")
        connection.ok("EXEC")
        connection.ok("EVAL", "redis.call('SET', 'a', '1') redis.call('INCR', 'n')", 0)
        connection.ok("SWAPDB", 3, 4)
    await_replica(replica, primary)
    assert values(replica) == values(primary)


def test_a_link_that_was_cut_goes_on_where_it_was(primary, replica):
    follow(replica, primary)
    with primary.connect() as connection:
        connection.ok("SET", "before", "1")
        await_replica(replica, primary)
        for client in connection.ok("CLIENT", "LIST", "TYPE", "replica").decode().splitlines():
            assert " flags=S " in client
        assert connection.ok("CLIENT", "KILL", "TYPE", "replica") == 1
        connection.ok("SET", "after", "2")
    await_replica(replica, primary)
    with replica.connect() as connection:
        assert connection.ok("MGET", "before", "after") == [b"1", b"2"]
    with primary.connect() as connection:
        stats = connection.ok("INFO", "stats").decode()
    assert "sync_full:1\r\n" in stats
    assert "sync_partial_ok:1\r\n" in stats


def test_several_replicas_are_fed_while_clients_write(primary, start_one):
    replicas = [start_one("redis", {"enable-debug-command": "yes"}) for _ in range(2)]
    stop = threading.Event()

    def write(seed):
        choose = random.Random(seed)
        with primary.connect() as connection:
            while not stop.is_set():
                key = f"k{choose.randrange(1000)}"
                connection.ok(*choose.choice((("SET", key, choose.randbytes(50)),
                                              ("DEL", key), ("APPEND", key, "x"),
                                              ("SET", key, "1", "PX", 50))))

    writers = [threading.Thread(target=write, args=(seed,)) for seed in range(3)]
    for writer in writers:
        writer.start()
    for replica in replicas:
        follow(replica, primary)
    time.sleep(1)
    stop.set()
    for writer in writers:
        writer.join()
    with primary.connect() as connection:
        wait_until(lambda: b"expires=0" in connection.ok("INFO", "keyspace"), "expired")
    for replica in replicas:
        await_replica(replica, primary)
        assert values(replica) == values(primary)
    with primary.connect() as connection:
        role = connection.ok("ROLE")
    assert role[0] == b"master"
    assert len(role[2]) == 2


def test_wait_counts_those_that_have_it(primary, replica):
    with primary.connect() as connection:
        connection.ok("SET", "k", "v")
        assert connection.ok("WAIT", 1, 100) == 0
        follow(replica, primary)
        connection.ok("SET", "k", "w")
        assert connection.ok("WAIT", 1, PATIENCE_S * 1000) == 1
        with replica.connect() as other:
            assert other.ok("GET", "k") == b"w"
        connection.ok("SET", "k", "x")
        assert connection.ok("WAIT", 2, 200) == 1


def test_writes_are_refused_with_too_few_replicas(primary, replica):
    with primary.connect() as connection:
        connection.ok("CONFIG", "SET", "min-replicas-to-write", 1, "min-replicas-max-lag", 10)
        assert connection.call("SET", "k", "v") == REFUSED
        follow(replica, primary)
        wait_until(lambda: replication(primary)["min_slaves_good_slaves"] == "1", "counted")
        connection.ok("SET", "k", "v")
        replica.kill()
        wait_until(lambda: replication(primary)["connected_slaves"] == "0", "gone")
        assert connection.call("SET", "k", "v") == REFUSED


def test_the_log_and_replicas_have_the_same(start_one, server_kind, replica):
    primary = start_one(server_kind, {"repl-diskless-sync-delay": "0", "appendonly": "yes",
                                      "repl-ping-replica-period": "1"})
    follow(replica, primary)
    with primary.connect() as connection:
        for i in range(500):
            connection.ok("INCR", f"n{i % 7}")
            connection.ok("PUBLISH", "channel", "message")
        time.sleep(1.5)
        connection.ok("SET", "last", "1")
        connection.ok("WAIT", 1, 5000)
    await_replica(replica, primary)
    state = values(primary)
    assert values(replica) == state
    primary.terminate()
    log = b"".join(path.read_bytes() for path in
                   sorted((primary.directory / "appendonlydir").glob("*.incr.aof")))
    assert b"INCR" in log or b"SET" in log
    assert b"PUBLISH" not in log
    assert b"PING" not in log
    primary.launch()
    assert values(primary) == state


def test_by_file_it_is_the_same(start_one, server_kind, replica):
    primary = start_one(server_kind, {"repl-diskless-sync": "no"})
    with primary.connect(timeout_s=30) as connection:
        holdings.fill(connection)
    follow(replica, primary)
    await_replica(replica, primary)
    assert values(replica) == values(primary)


def test_redis_cli_takes_an_rdb(primary, tmp_path):
    with primary.connect() as connection:
        connection.ok("SET", "k", "v")
    target = tmp_path / "copy.rdb"
    run(["redis-cli", "-p", primary.port, "--rdb", target])
    assert target.read_bytes().startswith(b"REDIS00")


def test_pings_come_as_often_as_is_said_now(start_one, server_kind, replica):
    primary = start_one(server_kind, {"repl-diskless-sync-delay": "0", "repl-ping-replica-period": "3600"})
    follow(replica, primary)
    await_replica(replica, primary)
    offset = replication(primary)["master_repl_offset"]
    time.sleep(1.5)
    assert replication(primary)["master_repl_offset"] == offset
    with primary.connect() as connection:
        connection.ok("CONFIG", "SET", "repl-ping-replica-period", 1)
        wait_until(lambda: replication(primary)["master_repl_offset"] != offset, "a PING")
        connection.ok("CONFIG", "SET", "repl-ping-replica-period", 3600)
        offset = replication(primary)["master_repl_offset"]
        time.sleep(1.5)
        assert replication(primary)["master_repl_offset"] == offset


@pytest.mark.parametrize("diskless", ["yes", "no"])
@pytest.mark.parametrize("save", ['""', "3600 1000000"], ids=["no save points", "save points"])
def test_an_rdb_that_no_replica_waits_for_ends(start_one, server_kind, replica, diskless, save):
    primary = start_one(server_kind, {"repl-diskless-sync-delay": "0", "repl-diskless-sync": diskless,
                                      "save": save, "rdb-key-save-delay": "3000"})
    saves = lambda: info(primary, "persistence")["rdb_bgsave_in_progress"] == "1"
    with primary.connect() as connection:
        connection.ok("DEBUG", "POPULATE", 1500, "key", 10_000)
    with replica.connect() as connection:
        connection.ok("REPLICAOF", "127.0.0.1", primary.port)
        wait_until(saves, "the RDB begins")
        connection.ok("REPLICAOF", "NO", "ONE")
    if diskless == "no" and save != '""':
        time.sleep(1)  # it is a save, too
        assert saves()
    else:
        wait_until(lambda: not saves(), "given up")


@pytest.mark.parametrize("how", ["SIGTERM", "SHUTDOWN NOSAVE"])
def test_the_end_waits_until_replicas_have_every_acknowledged_write(primary, replica, how):
    follow(replica, primary)
    acknowledged = [0, 0, 0]

    def write(number):
        try:
            with primary.connect() as connection:
                while True:
                    assert connection.call("INCR", f"n{number}") == acknowledged[number] + 1
                    acknowledged[number] += 1
        except (OSError, resp.ConnectionClosed, AssertionError):
            pass

    writers = [threading.Thread(target=write, args=(number,)) for number in range(3)]
    for writer in writers:
        writer.start()
    time.sleep(0.5)
    replica.signal(signal.SIGSTOP)
    time.sleep(0.3)
    if how == "SIGTERM":
        primary.signal(signal.SIGTERM)
    else:
        with primary.connect() as connection:
            connection.send("SHUTDOWN", "NOSAVE")
    time.sleep(0.5)
    replica.signal(signal.SIGCONT)
    for writer in writers:
        writer.join()
    primary.exit_status()
    with replica.connect() as connection:
        for number, count in enumerate(acknowledged):
            assert int(connection.ok("GET", f"n{number}")) >= count > 0


def test_a_flood_of_acks_holds_up_nobody(primary, replica):
    flood = primary.connect()
    flood.ok("REPLCONF", "capa", "eof")
    flood.send("PSYNC", "?", "-1")
    stop = threading.Event()

    def send():
        lines = resp.encode(("REPLCONF", "ACK", "1")) * 1000
        try:
            while not stop.is_set():
                flood.send_raw(lines)
        except OSError:
            pass

    sender = threading.Thread(target=send)
    sender.start()
    try:
        follow(replica, primary)
        with primary.connect() as connection:
            connection.ok("SET", "k", "v")
            assert connection.ok("WAIT", 1, 5000) >= 1
    finally:
        stop.set()
        flood.close()
        sender.join()


def test_under_always_nobody_waits_for_what_the_log_leaves_out(start_one, server_kind, replica):
    primary = start_one(server_kind, {"repl-diskless-sync-delay": "0", "appendonly": "yes",
                                      "appendfsync": "always", "repl-ping-replica-period": "1"})
    follow(replica, primary)
    with primary.connect() as connection:
        connection.ok("SET", "k", "v")
        offset = replication(primary)["master_repl_offset"]
        wait_until(lambda: replication(primary)["master_repl_offset"] != offset, "pinged")
        assert connection.ok("EVAL", "return 1", 0) == 1
        assert connection.ok("FUNCTION", "LIST") == []


def test_what_a_slow_replica_has_not_read_evicts_nothing(primary, replica):
    follow(replica, primary)
    with primary.connect(timeout_s=60) as connection:
        for i in range(0, 2000, 100):
            connection.pipeline([("SET", f"key{i + j}", "x" * 1000) for j in range(100)])
        connection.ok("CONFIG", "SET", "maxmemory", "60mb", "maxmemory-policy", "allkeys-lru")
        replica.signal(signal.SIGSTOP)
        for _ in range(90):
            connection.pipeline([("SET", "hot", "y" * 10_000)] * 100)
        assert connection.ok("DBSIZE") == 2001
        replica.signal(signal.SIGCONT)
    await_replica(replica, primary)


def test_behind_unsent_replies_psync_is_an_error(primary):
    with primary.connect() as connection:
        assert connection.pipeline([("PING",), ("PSYNC", "?", "-1"), ("PING",)]) == [
            b"PONG", resp.Error(b"ERR SYNC and PSYNC are invalid with pending output"), b"PONG"]
