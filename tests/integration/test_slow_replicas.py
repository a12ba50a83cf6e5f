"""Replicas that read slowly: memory stays small, the disk keeps the rest, and the others feel nothing."""

import random
import signal

import pytest

from links import (PROMPT, assert_same_data, await_link, await_log, await_replica, follow, info, is_up,
                   replication, syncs)
from saving import wait_until

MB = 1 << 20
SMALL = {**PROMPT, "repl-memory": "1mb", "repl-timeout": "600"}


@pytest.fixture(autouse=True)
def _of_ours(server_kind):
    if server_kind != "cloakroom":
        pytest.skip("redis-server has no spool")


def spooled(server):
    return int(info(server, "memory")["cloakroom_repl_spool_bytes"])


def stream_memory(server):
    return int(info(server, "memory")["mem_total_replication_buffers"])


def write(primary, megabytes, keys=100):
    """Overwrites the keys with bytes that do not compress."""
    choose = random.Random(megabytes)
    with primary.connect(timeout_s=60) as connection:
        for _ in range(megabytes):
            connection.pipeline([("SET", f"key{choose.randrange(keys)}", choose.randbytes(10_000))
                                 for _ in range(105)])


def fill(primary, megabytes):
    """Keys with bytes that do not compress."""
    with primary.connect(timeout_s=60) as connection:
        for at in range(megabytes):
            fill_one(connection, at)


def fill_one(connection, at):
    connection.pipeline([("SET", f"big{at}.{n}", random.randbytes(100_000)) for n in range(10)])


def ask_and_stop(replica, primary):
    """The replica asks for a full sync, and then reads nothing."""
    asked = syncs(primary)[0]
    with replica.connect() as connection:
        connection.ok("REPLICAOF", "127.0.0.1", primary.port)
    wait_until(lambda: syncs(primary)[0] > asked, "asked")
    replica.signal(signal.SIGSTOP)


def test_what_a_slow_replica_needs_of_the_stream_goes_to_the_disk(start_server):
    primary, slow, fast = start_server(SMALL), start_server(PROMPT), start_server(PROMPT)
    follow(slow, primary)
    follow(fast, primary)
    slow.signal(signal.SIGSTOP)
    write(primary, 80)
    wait_until(lambda: spooled(primary) > 60 * MB, "spooled")
    wait_until(lambda: stream_memory(primary) < 4 * MB, "freed")
    assert_same_data(fast, primary)
    slow.signal(signal.SIGCONT)
    assert_same_data(slow, primary)
    wait_until(lambda: spooled(primary) == 0, "given back")
    assert syncs(primary)[:2] == (2, 0)


def test_it_catches_up_while_others_write(start_server):
    primary, slow = start_server(SMALL), start_server(PROMPT)
    follow(slow, primary)
    for _ in range(3):
        slow.signal(signal.SIGSTOP)
        write(primary, 25)
        slow.signal(signal.SIGCONT)
        write(primary, 10)
    assert_same_data(slow, primary)
    assert syncs(primary)[:2] == (1, 0)


def test_a_link_that_is_cut_while_it_reads_the_spool(start_server):
    primary, slow = start_server(SMALL), start_server(PROMPT)
    follow(slow, primary)
    slow.signal(signal.SIGSTOP)
    write(primary, 40)
    wait_until(lambda: spooled(primary) > 20 * MB, "spooled")
    with primary.connect() as connection:
        assert connection.ok("CLIENT", "KILL", "TYPE", "replica") == 1
    wait_until(lambda: spooled(primary) == 0, "given back")
    slow.signal(signal.SIGCONT)
    write(primary, 1)
    wait_until(lambda: syncs(primary)[0] == 2, "too far behind for the backlog")
    assert_same_data(slow, primary)


@pytest.mark.parametrize("size", ["0", "8mb"])
def test_without_room_on_the_disk_the_limit_counts(start_server, size):
    primary = start_server({**SMALL, "repl-spool-size": size,
                            "client-output-buffer-limit": "replica 16mb 0 0"})
    slow = start_server(PROMPT)
    follow(slow, primary)
    slow.signal(signal.SIGSTOP)
    write(primary, 60)
    wait_until(lambda: replication(primary)["connected_slaves"] == "0", "dropped")
    assert "bytes behind. Raise repl-spool-size, if the disk has room, or" in primary.log()
    wait_until(lambda: spooled(primary) == 0, "given back")
    warned = "Cannot spool the stream for slow replicas: repl-spool-size is reached." in primary.log()
    assert warned == (size != "0")
    slow.signal(signal.SIGCONT)
    wait_until(lambda: syncs(primary)[0] == 2, "again")
    assert_same_data(slow, primary)


def test_one_that_takes_its_rdb_slowly_holds_up_nobody(start_server):
    primary = start_server({**SMALL, "repl-diskless-sync-delay": "1"})
    slow, fast = start_server(PROMPT), start_server(PROMPT)
    fill(primary, 100)
    ask_and_stop(slow, primary)
    follow(fast, primary)
    wait_until(lambda: info(primary, "persistence")["rdb_bgsave_in_progress"] == "0", "made")
    assert spooled(primary) > 50 * MB
    write(primary, 40)
    assert_same_data(fast, primary)
    wait_until(lambda: stream_memory(primary) < 4 * MB, "freed")
    with primary.connect(timeout_s=30) as connection:
        connection.ok("SAVE")
    slow.signal(signal.SIGCONT)
    assert_same_data(slow, primary)
    wait_until(lambda: spooled(primary) == 0, "given back")
    assert syncs(primary)[:2] == (2, 0)
    assert primary.log().count("Starting BGSAVE for SYNC") == 1


def test_without_a_spool_the_slowest_is_dropped_before_the_rdb_fails(start_server):
    primary = start_server({**SMALL, "repl-diskless-sync-delay": "1", "repl-spool-size": "0"})
    fill(primary, 150)
    dropped = 0
    for attempt in range(2):
        slow, fast = start_server(PROMPT), start_server(PROMPT)
        ask_and_stop(slow, primary)
        with fast.connect() as connection:
            connection.ok("REPLICAOF", "127.0.0.1", primary.port)
        # Every key that the walk has not reached keeps its old value in memory. Not much more than
        # that takes: the RDB must not fail for the fast one as well.
        with primary.connect(timeout_s=60) as connection:
            for at in range(30_000):
                fill_one(connection, at % 150)
                dropped = at % 10 == 9 and primary.log().count("takes its RDB too slowly")
                if dropped > attempt:
                    break
        assert dropped == attempt + 1
        await_link(fast)
        assert_same_data(fast, primary)
        for replica in (slow, fast):
            replica.signal(signal.SIGKILL)
    last = start_server(PROMPT)
    follow(last, primary)
    await_log_of_disk(primary)
    await_replica(last, primary)


def await_log_of_disk(primary):
    """After two syncs of that kind the next one goes through a file."""
    wait_until(lambda: "Starting BGSAVE for SYNC with target: disk" in primary.log(), "by file")


def test_the_end_does_not_wait_for_one_that_takes_its_rdb_slowly(start_server):
    primary, slow = start_server(SMALL), start_server(PROMPT)
    fill(primary, 60)
    ask_and_stop(slow, primary)
    wait_until(lambda: spooled(primary) > 0, "spooled")
    with primary.connect() as connection:
        connection.send("SHUTDOWN", "NOSAVE", "NOW")
    primary.exit_status()
    slow.signal(signal.SIGCONT)
    wait_until(lambda: not is_up(slow), "alone")
