"""Replication with other versions of Redis and with Valkey, both ways."""

import platform

import pytest

from links import (PROMPT, assert_same_data, await_link, digest, follow, kill_replicas, replication,
                   syncs)
from other_servers import OTHERS, Unavailable, install
from saving import wait_until
from support import resp

BEFORE_7 = ("redis-5.0", "redis-6.0")
TAKE_ALL = b"""
redis.call('SET', KEYS[1], ARGV[1])
redis.call('RPUSH', KEYS[2], unpack(ARGV))
return redis.call('LLEN', KEYS[2])
"""


@pytest.fixture(scope="module", params=OTHERS, ids=lambda other: other.name)
def other(request, server_kind):
    """The name of the other server's kind."""
    if server_kind != "cloakroom":
        pytest.skip("this is about Cloakroom")
    if platform.machine() != "x86_64":
        pytest.skip("the packages are of amd64")
    try:
        return install(request.param)
    except Unavailable as why:
        pytest.skip(str(why))


def settings(kind):
    if kind == "cloakroom":
        return {**PROMPT, "repl-oldest-replica": "5.0"}
    # Versions before 7.0 allow DEBUG without being told.
    return {**PROMPT, "enable-debug-command": None} if kind in BEFORE_7 else PROMPT


def fill(client):
    """Data of every type and encoding that Redis 5 has, in two databases."""
    client.ok("SET", "number", 12345)
    client.ok("SET", "text", b"\x00\xff" * 300)
    client.ok("SET", "session", "x" * 2000, "EX", 10_000)
    client.ok("HSET", "small hash", "a", 1, "b", "two")
    client.ok("SADD", "numbers", 1, 2, 300, 70_000, 5_000_000_000)
    client.ok("SADD", "words", "one", "two", b"\xff")
    client.ok("ZADD", "small zset", 1, "one", "2.5", "two", "-inf", "low")
    client.ok("RPUSH", "small list", "a", 1, "b" * 100)
    for n in range(0, 2000, 100):
        items = [f"{what}{n + i}" for i in range(100) for what in ("f", "v")]
        client.ok("HSET", "hash", *items)
        client.ok("SADD", "set", *items)
        client.ok("RPUSH", "list", *items)
        client.ok("ZADD", "zset", *[part for i in range(100) for part in ((n + i) / 4, f"m{n + i}")])
    client.ok("GEOADD", "geo", 13.361389, 38.115556, "Palermo", 15.087269, 37.502669, "Catania")
    client.ok("PFADD", "hyperloglog", *range(3000))
    client.ok("SETBIT", "bits", 12_345, 1)
    for n in range(1, 301):
        client.ok("XADD", "stream", f"{n}-1", "field", n, "other", "x" * (n % 50))
    client.ok("XDEL", "stream", "5-1", "299-1")
    client.ok("XGROUP", "CREATE", "stream", "readers", "0")
    client.ok("XREADGROUP", "GROUP", "readers", "alice", "COUNT", 10, "STREAMS", "stream", ">")
    client.ok("XACK", "stream", "readers", "1-1")
    client.ok("SELECT", 9)
    client.ok("SET", "elsewhere", 1)
    client.ok("SELECT", 0)


def change(client):
    """Commands of Redis 5 that servers send to their replicas in other words."""
    client.ok("SETEX", "with time", 5000, "x")
    client.ok("SET", "with time too", "x", "EX", 6000)
    client.ok("PEXPIRE", "text", 7_000_000)
    client.ok("GETSET", "number", 7)
    client.ok("INCRBYFLOAT", "number", "0.1")
    client.ok("HINCRBYFLOAT", "small hash", "a", "1.5")
    client.ok("SPOP", "set", 50)
    client.ok("ZPOPMIN", "zset", 20)
    client.ok("ZUNIONSTORE", "union", 2, "zset", "small zset", "WEIGHTS", 2, 3)
    client.ok("SDIFFSTORE", "difference", "set", "words")
    client.ok("LPOP", "list")
    client.ok("LTRIM", "list", 10, 3000)
    client.ok("LINSERT", "small list", "BEFORE", "a", "first")
    client.ok("BRPOPLPUSH", "list", "taken", 1)
    client.ok("BLPOP", "list", 1)
    client.ok("GEORADIUS", "geo", 15, 37, 500, "km", "STORE", "near")
    client.ok("PFMERGE", "merged", "hyperloglog")
    client.ok("BITFIELD", "bits", "SET", "u8", 0, 255)
    client.ok("SORT", "numbers", "STORE", "sorted")
    client.ok("XADD", "stream", "MAXLEN", 200, "400-1", "a", 1)
    client.ok("XREADGROUP", "GROUP", "readers", "bob", "COUNT", 5, "STREAMS", "stream", ">")
    client.ok("XCLAIM", "stream", "readers", "bob", 0, "2-1", "3-1")
    client.ok("XGROUP", "SETID", "stream", "readers", "300-1")
    client.ok("XTRIM", "stream", "MAXLEN", 100)
    client.ok("RENAME", "words", "renamed")
    client.ok("MOVE", "union", 9)
    client.ok("EVAL", TAKE_ALL, 2, "by script", "list by script", "a", "b", "c")
    sha = client.ok("SCRIPT", "LOAD", TAKE_ALL)
    client.ok("EVALSHA", sha, 2, "by hash", "list by hash", "d")
    client.ok("MULTI")
    client.ok("SET", "in transaction", 1)
    client.ok("SELECT", 9)
    client.ok("INCR", "elsewhere")
    client.ok("SELECT", 0)
    client.ok("EXEC")
    client.ok("SWAPDB", 9, 10)
    client.ok("DEL", "difference")


def change_in_new_words(client):
    """Commands that the other server may not know, though it must get what they do."""
    client.ok("RPUSH", "pops", *range(30))
    client.ok("LPOP", "pops", 4)
    client.ok("RPOP", "pops", 5)
    client.ok("LMOVE", "pops", "moved", "LEFT", "RIGHT")
    client.ok("COPY", "zset", "copied")
    client.ok("GETEX", "number", "EX", 8000)
    client.ok("ZRANGESTORE", "ranged", "zset", 0, 10)
    client.ok("GEOSEARCHSTORE", "near too", "geo", "FROMLONLAT", 15, 37, "BYRADIUS", 500, "km")
    client.ok("XAUTOCLAIM", "stream", "readers", "carol", 0, "0")
    client.ok("XGROUP", "CREATE", "stream", "new", "$", "ENTRIESREAD", 3)
    client.ok("XSETID", "stream", "900-1", "ENTRIESADDED", 500, "MAXDELETEDID", "5-1")
    client.ok("SET", "number", 3, "KEEPTTL")
    client.ok("ZMPOP", 1, "zset", "MAX", "COUNT", 3)
    client.ok("LMPOP", 1, "pops", "RIGHT", "COUNT", 2)


def pair(other, start_one, primary_is_other, **more):
    kinds = (other, "cloakroom") if primary_is_other else ("cloakroom", other)
    primary, replica = [start_one(kind, settings(kind) | more) for kind in kinds]
    with primary.connect(timeout_s=30) as client:
        fill(client)
    follow(replica, primary)
    return primary, replica


@pytest.mark.parametrize("primary_is_other", [True, False], ids=["it is the primary", "it is the replica"])
def test_all_data_and_every_change_arrive(other, start_one, primary_is_other):
    primary, replica = pair(other, start_one, primary_is_other)
    assert_same_data(replica, primary)
    with primary.connect(timeout_s=30) as client:
        change(client)
        if not primary_is_other:
            change_in_new_words(client)
    assert_same_data(replica, primary)
    assert b"CRITICAL" not in (primary.log() + replica.log()).encode()


@pytest.mark.parametrize("primary_is_other", [True, False], ids=["it is the primary", "it is the replica"])
def test_a_cut_costs_a_partial_sync(other, start_one, primary_is_other):
    primary, replica = pair(other, start_one, primary_is_other)
    assert_same_data(replica, primary)
    for n in range(3):
        with primary.connect() as client:
            client.ok("SET", "before the cut", n)
        kill_replicas(primary)
        with primary.connect() as client:
            client.ok("SET", "after the cut", n)
        wait_until(lambda: syncs(primary)[1] > n, "partial")
        await_link(replica)
        assert_same_data(replica, primary)
    assert syncs(primary)[0] == 1


def test_a_failover_there_and_back(other, start_one):
    """A shop moves to Cloakroom, and back. A PING of the server that is left, after its replica was
    promoted, would be history that the new primary lacks: a full sync."""
    old, new = pair(other, start_one, True, **{"repl-ping-replica-period": "3600"})
    assert_same_data(new, old)
    with new.connect() as client:
        client.ok("REPLICAOF", "NO", "ONE")
        client.ok("SET", "written on", "cloakroom")
    follow(old, new)
    assert_same_data(old, new)
    with new.connect() as client:
        change(client)
    assert_same_data(old, new)
    with old.connect() as client:
        client.ok("SLAVEOF", "NO", "ONE")
        client.ok("SET", "written on", "the other")
    follow(new, old)
    assert_same_data(new, old)
    with new.connect() as client:
        assert client.ok("GET", "written on") == b"the other"
        assert isinstance(client.call("SET", "k", "v"), resp.Error)
    assert syncs(new)[1] == 1 and syncs(old)[1] == 1, "nothing was sent twice"


def test_a_chain_of_three(other, start_one):
    first, middle, last = [start_one(kind, settings(kind)) for kind in ("cloakroom", other, "cloakroom")]
    with first.connect(timeout_s=30) as client:
        fill(client)
    follow(middle, first)
    follow(last, middle)
    with first.connect(timeout_s=30) as client:
        change(client)
    for server in (middle, last):
        wait_until(lambda server=server: replication(server)["master_repl_offset"]
                   == replication(first)["master_repl_offset"], "as far")
    wait_until(lambda: digest(last) == digest(first) == digest(middle), "equal")
