"""A replica gets all data: of every type, in every mode of both ends, and over data of its own."""

import random
import re
import threading

import pytest

import holdings
from hand_primary import REPLICATION_ID, HandPrimary
from links import (PROMPT, assert_same_data, await_link, digest, follow, functions, info, replication,
                   syncs, values)
from saving import wait_until
from support import servers

LIBRARY = "#!lua name=%s\nredis.register_function('%s', function(keys, args) return args[1] end)"
LOAD_MODES = ("disabled", "on-empty-db", "swapdb")
LOADING = b"LOADING Redis is loading the dataset in memory"
OTHER_ID = "f" * 40
KEYS = 60  # of 10 KB


@pytest.fixture(scope="module", params=servers.KINDS)
def full(request):
    """A primary with data of every type, in several databases, and functions. Nobody changes it."""
    if not servers.available(request.param):
        pytest.skip(f"no program at {servers.binary(request.param)}")
    with servers.start(request.param, PROMPT) as primary:
        with primary.connect(timeout_s=30) as connection:
            holdings.fill(connection)
            connection.ok("SELECT", 15)
            connection.ok("SET", "the last database", "has this")
            for name in ("one", "two"):
                connection.ok("FUNCTION", "LOAD", LIBRARY % (name, name))
        yield primary


@pytest.fixture
def primary(start_one, primary_kind):
    return start_one(primary_kind, PROMPT)


@pytest.fixture
def hand():
    primary = HandPrimary()
    yield primary
    primary.close()


@pytest.mark.parametrize("load", LOAD_MODES)
@pytest.mark.parametrize("diskless", ["yes", "no"])
def test_everything_arrives(full, start_server, diskless, load):
    with full.connect() as connection:
        connection.ok("CONFIG", "SET", "repl-diskless-sync", diskless)
    replica = start_server({"repl-diskless-load": load})
    follow(replica, full)
    assert_same_data(replica, full)
    assert functions(replica) == functions(full) != []
    assert holdings.expiries_ms(replica) == holdings.expiries_ms(full) != {}
    assert values(replica) == values(full)
    what = "streamed RDB from master with EOF" if diskless == "yes" else r"\d+ bytes from master"
    line = f"receiving {what} to {'disk' if load == 'disabled' else 'parser'}$"
    wait_until(lambda: re.search(line, replica.log(), re.MULTILINE), line)


@pytest.mark.parametrize("load", LOAD_MODES)
def test_data_of_its_own_is_gone(primary, start_server, load):
    replica = start_server({"repl-diskless-load": load})
    with replica.connect() as connection:
        connection.ok("FUNCTION", "LOAD", LIBRARY % ("own", "own"))
        connection.ok("SCRIPT", "LOAD", "return 'own'")
        for db in (0, 7):
            connection.ok("SELECT", db)
            connection.ok("SET", "own", "1", "EX", 1000)
    with primary.connect() as connection:
        connection.ok("SET", "k", "v")
    follow(replica, primary)
    assert_same_data(replica, primary)
    assert functions(replica) == []
    with replica.connect() as connection:
        assert connection.ok("KEYS", "*") == [b"k"]
        assert connection.ok("INFO", "keyspace").count(b"\r\ndb") == 1


def test_an_empty_primary_empties_its_replica(primary, start_server):
    replica = start_server()
    with replica.connect() as connection:
        connection.ok("SET", "own", "1")
    nothing = digest(primary)
    follow(replica, primary)
    assert digest(replica) == nothing
    assert replication(replica)["slave_repl_offset"] == replication(primary)["master_repl_offset"]
    with primary.connect() as connection:
        connection.ok("SET", "k", "v")
    assert_same_data(replica, primary)


@pytest.mark.parametrize("load", ["disabled", "swapdb"])
def test_changes_made_meanwhile_follow_the_file(primary, start_server, load):
    stop = threading.Event()

    def write():
        choose = random.Random(1)
        with primary.connect() as connection:
            while not stop.is_set():
                connection.ok("SELECT", choose.choice((0, 9)))
                connection.ok("APPEND", f"k{choose.randrange(300)}", "x")

    with primary.connect() as connection:
        connection.pipeline([("SET", f"k{n}", "before ") for n in range(300)])
        connection.ok("CONFIG", "SET", "rdb-key-save-delay", 1000)
    replica = start_server({"repl-diskless-load": load})
    writer = threading.Thread(target=write)
    writer.start()
    try:
        begun = int(replication(primary)["master_repl_offset"])
        follow(replica, primary)
        wait_until(lambda: int(replication(primary)["master_repl_offset"]) > begun + 1000, "written")
    finally:
        stop.set()
        writer.join()
    assert_same_data(replica, primary)
    assert syncs(primary)[0] == 1


def test_several_replicas_share_one_file(primary, start_server, start_one):
    with primary.connect() as connection:
        connection.ok("CONFIG", "SET", "repl-diskless-sync-delay", 1)
        connection.ok("SET", "k", "v")
    replicas = [start_server(), start_server(), start_one("redis")]
    for replica in replicas:
        with replica.connect() as connection:
            connection.ok("REPLICAOF", "127.0.0.1", primary.port)
    for replica in replicas:
        await_link(replica)
        assert_same_data(replica, primary)
    assert syncs(primary)[0] == 3
    assert primary.log().count("Starting BGSAVE for SYNC") == 1


def test_watched_keys_have_changed(primary, start_server):
    replica = start_server()
    with replica.connect() as watcher, replica.connect() as other:
        for connection in (watcher, other):
            connection.ok("SET", "own", "1")
            connection.ok("WATCH", "own" if connection is watcher else "absent")
        follow(replica, primary)
        for connection in (watcher, other):
            connection.ok("MULTI")
            connection.ok("PING")
        assert not isinstance(watcher.ok("EXEC"), list)
        assert other.ok("EXEC") == [b"PONG"]


@pytest.mark.parametrize("setting, left", [("no", True), ("yes", False)])
def test_the_file_of_the_transfer(primary, start_server, setting, left):
    replica = start_server({"rdb-del-sync-files": setting, "dbfilename": "own.rdb"})
    if replica.kind == "cloakroom" and setting == "yes":
        pytest.skip("the directive has no effect, as the server log says")
    with primary.connect() as connection:
        connection.ok("SET", "k", "v")
    follow(replica, primary)
    assert_same_data(replica, primary)
    wait_until(lambda: (replica.directory / "own.rdb").exists() == left, "as configured")
    assert [path.name for path in replica.directory.glob("temp*")] == []


# ---- loading, with a primary that sends as slowly as the test likes ----


@pytest.fixture(scope="module")
def big_file():
    noise = random.Random(4)
    with servers.start("redis", {"rdbcompression": "no"}) as server, server.connect() as connection:
        for n in range(KEYS):
            connection.ok("SET", f"new{n}", noise.randbytes(10_000))
        connection.ok("SAVE")
        return (server.directory / "dump.rdb").read_bytes()


@pytest.fixture
def start_replica(start_server, server_kind):
    def start(load):
        # redis-server serves clients only at such intervals while it loads.
        often = {"loading-process-events-interval-bytes": 1024} if server_kind == "redis" else {}
        return start_server({"repl-diskless-load": load, **often})
    return start


class Trickle:
    """Sends the first part of a file bit by bit, and the rest when it is told to."""

    def __init__(self, link, rdb, first):
        self._link, self._rdb, self._first = link, rdb, first
        self.go_on = threading.Event()
        self._thread = threading.Thread(target=self._run)
        link.send_raw(b"$%d\r\n" % len(rdb))
        self._thread.start()

    def _run(self):
        at, step = 0, 10_000
        while at < len(self._rdb):
            if at >= self._first:
                # A little goes on, because redis-server only serves clients between two reads. It is
                # over after four seconds.
                step = 100 if not self.go_on.wait(0.002) else len(self._rdb)
            self._link.send_raw(self._rdb[at:at + step])
            at += step

    def end(self):
        self.go_on.set()
        self._thread.join()


def begin_sync(hand, replication_id, offset):
    link = hand.accept()
    link.shake_hands()
    link.send_raw(b"+FULLRESYNC %s %d\r\n" % (replication_id.encode(), offset))
    return link


def attach_with_data(replica, hand):
    """The replica has all data of the history once, and then loses the link."""
    with replica.connect() as connection:
        connection.ok("REPLICAOF", "127.0.0.1", hand.port)
    link = hand.full_sync(offset=100)
    link.executed(100 + link.send("SELECT", "0") + link.send("SET", "old", "1"))
    link.close()


@pytest.mark.parametrize("replication_id, load, reply, loading", [
    (REPLICATION_ID, "swapdb", b"1", "0 1"), (OTHER_ID, "swapdb", LOADING, "1 0"),
    (REPLICATION_ID, "on-empty-db", b"1", "0 0")],
    ids=["swapdb with the same history", "swapdb with another history", "by way of the disk"])
def test_reads_while_a_file_is_loaded_over_data(start_replica, hand, big_file, replication_id, load,
                                                reply, loading):
    replica = start_replica(load)
    attach_with_data(replica, hand)
    trickle = Trickle(begin_sync(hand, replication_id, 5000), big_file, 400_000)
    try:
        with replica.connect() as connection:
            def is_so():
                said, link = info(replica, "persistence"), replication(replica)
                read = max(int(said.get("loading_loaded_bytes", 0)),
                           int(link.get("master_sync_read_bytes", 0)))
                return (connection.call("GET", "old") == reply and read > 300_000
                        and f"{said['loading']} {said['async_loading']}" == loading)
            wait_until(is_so, "loading")
            if loading == "0 1":
                assert connection.call("CONFIG", "SET", "appendonly", "yes").startswith(b"LOADING ")
    finally:
        trickle.end()
    await_link(replica)
    with replica.connect() as connection:
        assert connection.ok("DBSIZE") == KEYS
        assert connection.ok("GET", "old") is None


def test_nothing_is_read_while_an_empty_replica_loads(start_replica, hand, big_file):
    replica = start_replica("on-empty-db")
    with replica.connect() as connection:
        connection.ok("REPLICAOF", "127.0.0.1", hand.port)
        trickle = Trickle(begin_sync(hand, REPLICATION_ID, 5000), big_file, 400_000)
        try:
            wait_until(lambda: connection.call("GET", "new1") == LOADING, "loading")
            assert info(replica, "persistence")["loading"] == "1"
            assert connection.call("PING") == LOADING
            assert connection.call("ROLE")[3] == b"sync"
        finally:
            trickle.end()
        await_link(replica)
        assert connection.ok("DBSIZE") == KEYS


@pytest.mark.parametrize("load", ["disabled", "swapdb"])
def test_a_file_that_breaks_off_leaves_the_old_data(start_replica, hand, big_file, load):
    replica = start_replica(load)
    attach_with_data(replica, hand)
    link = begin_sync(hand, REPLICATION_ID, 5000)
    link.send_raw(b"$%d\r\n%s" % (len(big_file), big_file[:300_000]))
    link.close()
    second = hand.accept()
    assert second.read() == [b"PING"]
    with replica.connect() as connection:
        assert connection.ok("GET", "old") == b"1"
        assert connection.ok("DBSIZE") == 1
    second.close()
    hand.full_sync(big_file, offset=6000)
    await_link(replica)
    with replica.connect() as connection:
        assert connection.ok("DBSIZE") == KEYS


@pytest.mark.parametrize("load", ["on-empty-db", "swapdb"])
def test_a_file_with_an_unknown_type_is_not_taken(start_replica, hand, big_file, load):
    replica = start_replica(load)
    damaged = big_file.replace(b"\x00\x05new40", b"\xee\x05new40")  # a type that nobody knows
    assert damaged != big_file
    with replica.connect() as connection:
        connection.ok("REPLICAOF", "127.0.0.1", hand.port)
    try:
        begin_sync(hand, REPLICATION_ID, 5000).send_file(damaged)
    except ConnectionError:
        pass  # It has seen enough.
    second = begin_sync(hand, REPLICATION_ID, 7000)
    assert replication(replica)["master_link_status"] == "down"
    with replica.connect() as connection:
        assert connection.ok("DBSIZE") == 0
    second.send_file(big_file)
    await_link(replica)
    with replica.connect() as connection:
        assert connection.ok("DBSIZE") == KEYS
    assert replication(replica)["slave_repl_offset"] == "7000"


def test_streamed_with_a_mark_at_its_end(start_replica, hand, big_file):
    replica = start_replica("disabled")
    with replica.connect() as connection:
        connection.ok("REPLICAOF", "127.0.0.1", hand.port)
    link = begin_sync(hand, REPLICATION_ID, 5000)
    mark = b"m" * 40
    link.send_raw(b"$EOF:%s\r\n" % mark)
    for at in range(0, len(big_file), 100_003):
        link.send_raw(big_file[at:at + 100_003])
    link.send_raw(mark[:7])
    link.send_raw(mark[7:])
    link.await_ack(5000)
    with replica.connect() as connection:
        assert connection.ok("DBSIZE") == KEYS
