"""Chains of three: a primary, a replica, and the replica's replica, in every mix of servers."""

import signal

import pytest

import holdings
from links import (PROMPT, assert_same_data, await_link, await_loss, await_replica, follow, functions,
                   kill_replicas, replication, syncs, values)
from saving import wait_until


class Chain:
    def __init__(self, primary, middle, lowest):
        self.primary, self.middle, self.lowest = primary, middle, lowest

    def assert_same(self):
        """All have executed the same stream, byte for byte, and have the same data."""
        assert_same_data(self.middle, self.primary)
        assert_same_data(self.lowest, self.middle)
        assert_same_data(self.lowest, self.primary)
        ids = {replication(server)["master_replid"] for server in (self.primary, self.middle, self.lowest)}
        assert len(ids) == 1


# The middle one and the lowest. One of them at least is the server under test.
@pytest.fixture(params=["ours ours", "ours redis", "redis ours"])
def kinds(request, server_kind):
    if server_kind == "redis" and request.param != "ours ours":
        pytest.skip("the same servers as in another mix")
    return [server_kind if kind == "ours" else kind for kind in request.param.split(" ")]


@pytest.fixture
def chain(kinds, start_one, primary_kind):
    servers = [start_one(kind, PROMPT) for kind in (primary_kind, *kinds)]
    follow(servers[1], servers[0])
    follow(servers[2], servers[1])
    return Chain(*servers)


@pytest.fixture
def source(chain):
    """A connection to the primary, whose stream flows down to the lowest."""
    with chain.primary.connect(timeout_s=30) as connection:
        connection.ok("SET", "first", "1")
        chain.assert_same()
        yield connection


def test_everything_reaches_the_lowest(chain, source):
    holdings.fill(source)
    holdings.change(source)
    source.ok("FUNCTION", "LOAD", "#!lua name=lib\nredis.register_function('f', function() return 1 end)")
    chain.assert_same()
    assert values(chain.lowest) == values(chain.middle) == values(chain.primary)
    assert functions(chain.lowest) == functions(chain.primary) != []
    said = replication(chain.middle)
    assert (said["role"], said["connected_slaves"]) == ("slave", "1")
    assert f"port={chain.lowest.port},state=online" in said["slave0"]
    assert replication(chain.lowest)["master_port"] == str(chain.middle.port)
    with chain.middle.connect() as connection:
        assert connection.ok("ROLE")[:4] == [b"slave", b"127.0.0.1", chain.primary.port, b"connected"]


def test_a_newcomer_gets_everything_from_the_middle(chain, source, start_one, server_kind):
    holdings.fill(source)
    source.ok("SELECT", 3)
    source.ok("SET", "in three", "1")
    newcomer = start_one(server_kind, PROMPT)
    follow(newcomer, chain.middle)
    source.ok("APPEND", "in three", "2")
    chain.assert_same()
    assert_same_data(newcomer, chain.middle)
    assert values(newcomer) == values(chain.primary)
    assert syncs(chain.primary)[0] == 1


def test_messages_reach_the_lowest(chain, source):
    with chain.lowest.connect() as listener:
        listener.ok("SUBSCRIBE", "c")
        source.ok("PUBLISH", "c", "from the top")
        assert listener.read() == [b"message", b"c", b"from the top"]
        with chain.middle.connect() as connection:
            connection.ok("PUBLISH", "c", "from the middle")
        source.ok("PUBLISH", "c", "from the top again")
        assert listener.read() == [b"message", b"c", b"from the top again"]
    chain.assert_same()


def test_a_cut_of_the_upper_link_is_nothing_to_the_lowest(chain, source):
    upper, lower = syncs(chain.primary), syncs(chain.middle)
    chain.middle.signal(signal.SIGSTOP)
    kill_replicas(chain.primary)
    source.ok("SET", "while away", "1")
    chain.middle.signal(signal.SIGCONT)
    wait_until(lambda: syncs(chain.primary)[1] == upper[1] + 1, "back")
    chain.assert_same()
    assert syncs(chain.primary)[0] == upper[0]
    assert syncs(chain.middle) == lower


def test_a_cut_of_the_lower_link(chain, source):
    upper, lower = syncs(chain.primary), syncs(chain.middle)
    chain.lowest.signal(signal.SIGSTOP)
    kill_replicas(chain.middle)
    source.ok("SET", "while away", "1")
    chain.lowest.signal(signal.SIGCONT)
    wait_until(lambda: syncs(chain.middle)[1] == lower[1] + 1, "back")
    chain.assert_same()
    assert syncs(chain.middle)[0] == lower[0]
    assert syncs(chain.primary) == upper


def test_a_full_sync_of_the_middle_is_one_of_the_lowest(chain, source):
    source.ok("SET", "forgotten", "1")
    chain.assert_same()
    lower = syncs(chain.middle)
    chain.primary.kill()
    await_loss(chain.middle)
    with chain.lowest.connect() as connection:
        assert connection.ok("GET", "forgotten") == b"1"
    assert replication(chain.lowest)["master_link_status"] == "up"
    chain.primary.launch()
    await_link(chain.middle)
    with chain.primary.connect() as connection:
        connection.ok("SET", "new", "1")
    wait_until(lambda: syncs(chain.middle)[0] == lower[0] + 1, "anew")
    chain.assert_same()
    with chain.lowest.connect() as connection:
        assert connection.ok("KEYS", "*") == [b"new"]


def test_the_middle_is_promoted(chain, source):
    source.ok("SET", "k", "v")
    chain.assert_same()
    lower = syncs(chain.middle)
    with chain.middle.connect() as connection:
        connection.ok("REPLICAOF", "NO", "ONE")
        connection.ok("SET", "by the middle", "1")
    wait_until(lambda: syncs(chain.middle)[1] == lower[1] + 1, "back")
    assert_same_data(chain.lowest, chain.middle)
    assert syncs(chain.middle)[0] == lower[0]
    above, below = replication(chain.middle), replication(chain.lowest)
    assert above["role"] == "master" and above["connected_slaves"] == "1"
    for name in ("master_replid", "master_replid2", "second_repl_offset"):
        assert above[name] == below[name]
    assert below["master_replid2"] == replication(chain.primary)["master_replid"]


def test_the_lowest_moves_up(chain, source):
    """It knows the same history, so the primary lets it go on."""
    upper = syncs(chain.primary)
    follow(chain.lowest, chain.primary)
    source.ok("SET", "k", "v")
    assert_same_data(chain.lowest, chain.primary)
    assert syncs(chain.primary)[:2] == (upper[0], upper[1] + 1)
    assert replication(chain.primary)["connected_slaves"] == "2"
    wait_until(lambda: replication(chain.middle)["connected_slaves"] == "0", "left")


def test_a_change_of_history_passes_down(chain, source, start_one):
    """A second replica of the primary is promoted, and the middle follows it from then on."""
    second = start_one("redis", PROMPT)
    follow(second, chain.primary)
    await_replica(second, chain.primary)
    source.ok("SET", "k", "v")
    await_replica(second, chain.primary)
    chain.assert_same()
    chain.primary.signal(signal.SIGSTOP)
    try:
        wait_until(lambda: int(replication(second)["slave_repl_offset"])
                   >= int(replication(chain.middle)["slave_repl_offset"]), "as far")
        lower = syncs(chain.middle)
        with second.connect() as connection:
            connection.ok("REPLICAOF", "NO", "ONE")
            follow(chain.middle, second)
            connection.ok("SET", "by the second", "1")
        wait_until(lambda: syncs(chain.middle)[1] == lower[1] + 1, "back")
        Chain(second, chain.middle, chain.lowest).assert_same()
        assert syncs(second)[:2] == (0, 1)
        assert syncs(chain.middle)[0] == lower[0]
    finally:
        chain.primary.signal(signal.SIGCONT)


def test_wait_counts_direct_replicas_only(chain, source):
    source.ok("SET", "k", "v")
    chain.assert_same()
    assert source.ok("WAIT", 1, 5000) == 1
    assert source.ok("WAIT", 2, 100) == 1
    with chain.middle.connect() as connection:
        assert connection.call("WAIT", 0, 0).startswith(b"ERR WAIT cannot be used with replica instances.")
    assert replication(chain.primary)["connected_slaves"] == "1"


def test_without_a_link_of_its_own_the_middle_takes_no_one(kinds, start_one, primary_kind):
    primary, middle, lowest = [start_one(kind, PROMPT) for kind in (primary_kind, *kinds)]
    with middle.connect() as connection, lowest.connect() as below:
        connection.ok("REPLICAOF", "127.0.0.1", 1)
        with middle.connect() as raw:
            assert raw.call("PSYNC", "?", "-1") == (
                b"NOMASTERLINK Can't SYNC while not connected with my master")
        below.ok("REPLICAOF", "127.0.0.1", middle.port)
        wait_until(lambda: "NOMASTERLINK" in lowest.log(), "refused")
        assert replication(lowest)["master_link_status"] == "down"
        connection.ok("REPLICAOF", "127.0.0.1", primary.port)
        await_link(middle)
        await_link(lowest)
        with primary.connect() as source:
            source.ok("SET", "k", "v")
        Chain(primary, middle, lowest).assert_same()


def test_keys_expire_from_the_top(chain, source):
    with chain.lowest.connect() as connection:
        source.ok("DEBUG", "SET-ACTIVE-EXPIRE", 0)
        source.ok("SET", "mortal", "1", "PX", 200)
        wait_until(lambda: connection.ok("DBSIZE") == 2, "replicated")
        wait_until(lambda: connection.ok("GET", "mortal") is None, "expired")
        assert connection.ok("DBSIZE") == 2
        # The clocks of two servers differ by some milliseconds.
        wait_until(lambda: source.ok("GET", "mortal") is None, "expired at the top")
        wait_until(lambda: connection.ok("DBSIZE") == 1, "deleted")
    chain.assert_same()
