"""redis-py 4.3 on lists, sorted sets, streams, places and functions, and on what the server tells."""

import math
import threading

import pytest
import redis
from redis.connection import HiredisParser, PythonParser

from saving import wait_until

JOBS = 300
LIBRARY = """#!lua name=shop
redis.register_function('reserve', function(keys, args)
  if tonumber(redis.call('GET', keys[1]) or 0) < tonumber(args[1]) then return 0 end
  redis.call('DECRBY', keys[1], args[1])
  return 1
end)
redis.register_function{function_name='stock', flags={'no-writes'},
                        callback=function(keys) return redis.call('GET', keys[1]) end}
"""


@pytest.fixture(params=[HiredisParser, PythonParser], ids=["hiredis", "python"])
def client(server, request):
    pool = redis.ConnectionPool(host="127.0.0.1", port=server.port, parser_class=request.param, socket_timeout=20)
    with redis.Redis(connection_pool=pool) as one:
        yield one
    pool.disconnect()


def _blocked(client):
    return client.info("clients")["blocked_clients"]


def _run_together(*works):
    """Runs each work in a thread of its own; what one of them raises fails the test."""
    failures = []

    def guarded(work):
        try:
            work()
        except Exception as error:  # pylint: disable=broad-except
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures


# --- Lists --------------------------------------------------------------------------------------


def test_list_is_pushed_read_changed_and_popped(client):
    assert client.rpush("list", "a", "b", "c") == 3
    assert client.lpush("list", "x", "y") == 5
    assert client.lrange("list", 0, -1) == [b"y", b"x", b"a", b"b", b"c"]
    assert client.lset("list", -1, "z") and client.lindex("list", 4) == b"z"
    assert client.linsert("list", "before", "a", "b") == 6
    assert client.lpos("list", "b", count=0) == [2, 4]
    assert client.lrem("list", -1, "b") == 1
    assert client.ltrim("list", 1, 3) and client.llen("list") == 3
    assert client.lpop("list", 2) == [b"x", b"b"]
    assert client.rpop("list") == b"a" and client.lpop("list") is None
    assert client.exists("list") == 0


def test_lists_hand_elements_to_one_another(client):
    client.rpush("from", 1, 2, 3)
    assert client.lmove("from", "to", "LEFT", "RIGHT") == b"1"
    assert client.rpoplpush("from", "to") == b"3"
    assert client.blmove("from", "to", 1, "RIGHT", "RIGHT") == b"2"
    assert client.lmpop(2, "from", "to", direction="LEFT", count=2) == [b"to", [b"3", b"1"]]
    assert client.blmpop(1, 2, "from", "to", direction="RIGHT", count=9) == [b"to", [b"2"]]
    assert client.blpop(["from", "to"], timeout=0.01) is None


def test_workers_take_each_job_once_and_those_of_a_lost_one_again(client):
    done = []

    def work(name):
        with redis.Redis(connection_pool=client.connection_pool) as own:
            while (job := own.blmove("jobs", f"doing:{name}", 20, "LEFT", "RIGHT")) != b"stop":
                if name == "lost":
                    return
                done.append(job)
                assert own.lrem(f"doing:{name}", 1, job) == 1

    def bring():
        wait_until(lambda: _blocked(client) == 4, "four workers wait")
        client.rpush("jobs", *range(JOBS))
        wait_until(lambda: client.llen("doing:lost") == 1 and client.llen("jobs") == 0, "taken")
        assert client.lmove("doing:lost", "jobs", "LEFT", "RIGHT")
        client.rpush("jobs", *["stop"] * 3)

    _run_together(*(lambda name=name: work(name) for name in ("lost", "one", "two", "three")), bring)
    assert sorted(map(int, done)) == list(range(JOBS))


# --- Sorted sets --------------------------------------------------------------------------------


def test_sorted_set_keeps_scores_and_ranks(client):
    assert client.zadd("rank", {"ann": 3, "bob": 1.5, "cyd": math.inf, "dan": -2}) == 4
    assert client.zadd("rank", {"ann": 1}, gt=True, ch=True) == 0
    assert client.zadd("rank", {"bob": 2}, xx=True, incr=True) == 3.5
    assert client.zrange("rank", 0, -1, withscores=True) == [
        (b"dan", -2.0), (b"ann", 3.0), (b"bob", 3.5), (b"cyd", math.inf)]
    assert client.zrange("rank", "(3", "inf", byscore=True, offset=0, num=1) == [b"bob"]
    assert client.zrevrangebyscore("rank", 3.5, -2) == [b"bob", b"ann", b"dan"]
    assert (client.zrank("rank", "bob"), client.zrevrank("rank", "bob"), client.zrank("rank", "no")) == (2, 1, None)
    assert client.zmscore("rank", ["ann", "no"]) == [3.0, None]
    assert (client.zcount("rank", "-inf", "(3"), client.zcard("rank")) == (1, 4)
    assert client.zpopmin("rank") == [(b"dan", -2.0)] and client.zpopmax("rank") == [(b"cyd", math.inf)]
    assert client.zremrangebyrank("rank", 0, 0) == 1 and client.zscore("rank", "ann") is None
    assert client.bzpopmax(["none", "rank"], 1) == (b"rank", b"bob", 3.5)
    assert client.exists("rank") == 0


def test_sorted_sets_are_joined_with_weights(client):
    client.zadd("a", {"x": 1, "y": 2})
    client.zadd("b", {"y": 10, "z": 20})
    assert client.zunion({"a": 2, "b": 1}, withscores=True) == [(b"x", 2.0), (b"y", 14.0), (b"z", 20.0)]
    assert client.zinter(["a", "b"], aggregate="MAX", withscores=True) == [(b"y", 10.0)]
    assert client.zdiff(["a", "b"]) == [b"x"] and client.zintercard(2, ["a", "b"]) == 1
    assert client.zinterstore("both", ["a", "b"]) == 1 and client.zscore("both", "y") == 12.0
    assert client.zrangestore("part", "b", 0, 0) and client.zrange("part", 0, -1) == [b"y"]
    assert client.zmpop(2, ["none", "a"], max=True) == [b"a", [[b"y", b"2"]]]


def test_sorted_set_of_names_is_read_by_prefix(client):
    client.zadd("names", {f"{letter}{n:02}": 0 for letter in "abc" for n in range(50)})
    assert client.zrangebylex("names", "[b", "(b03") == [b"b00", b"b01", b"b02"]
    assert client.zlexcount("names", "[b", "(c") == 50
    assert client.zremrangebylex("names", "-", "(c") == 100
    assert len(dict(client.zscan_iter("names", count=7))) == 50


def test_one_waits_for_the_most_urgent_job(client):
    taken = []

    def wait():
        with redis.Redis(connection_pool=client.connection_pool) as own:
            taken.append(own.bzpopmin(["urgent", "jobs"], 20))
            taken.append(own.bzmpop(20, 2, ["urgent", "jobs"], min=True, count=2))

    def bring():
        wait_until(lambda: _blocked(client) == 1, "one waits")
        client.zadd("jobs", {"later": 5, "first": 1})
        wait_until(lambda: client.exists("jobs") == 0, "taken")

    _run_together(wait, bring)
    assert taken == [(b"jobs", b"first", 1.0), [b"jobs", [[b"later", b"5"]]]]


# --- Streams ------------------------------------------------------------------------------------


def test_stream_is_added_to_read_and_trimmed(client):
    ids = [client.xadd("log", {"n": n, "text": "x" * n}) for n in range(100)]
    assert client.xlen("log") == 100 and ids == sorted(ids, key=lambda one: tuple(map(int, one.split(b"-"))))
    assert client.xrange("log", ids[3], ids[4]) == [
        (ids[n], {b"n": b"%d" % n, b"text": b"x" * n}) for n in (3, 4)]
    assert [entry for entry, _ in client.xrevrange("log", count=2)] == [ids[99], ids[98]]
    assert client.xread({"log": ids[97]}) == [[b"log", client.xrange("log", ids[98])]]
    assert client.xdel("log", ids[0]) == 1
    assert client.xtrim("log", maxlen=10, approximate=False) == 89
    assert client.xadd("log", {"n": 100}, maxlen=5, approximate=False) and client.xlen("log") == 5
    assert client.xadd("none", {"n": 1}, nomkstream=True) is None
    info = client.xinfo_stream("log")
    assert (info["length"], info["first-entry"][0]) == (5, ids[96])
    with pytest.raises(redis.ResponseError, match="equal or smaller"):
        client.xadd("log", {"n": 1}, id="1-1")


def test_group_delivers_claims_and_acknowledges(client):
    ids = [client.xadd("jobs", {"n": n}) for n in range(10)]
    assert client.xgroup_create("jobs", "workers", id="0")
    with pytest.raises(redis.ResponseError, match="BUSYGROUP"):
        client.xgroup_create("jobs", "workers")
    read = client.xreadgroup("workers", "one", {"jobs": ">"}, count=4)
    assert [entry for entry, _ in read[0][1]] == ids[:4]
    assert client.xack("jobs", "workers", ids[0]) == 1
    pending = client.xpending("jobs", "workers")
    assert (pending["pending"], pending["min"], pending["max"]) == (3, ids[1], ids[3])
    assert pending["consumers"] == [{"name": b"one", "pending": 3}]
    assert client.xclaim("jobs", "workers", "two", 0, [ids[1]]) == [(ids[1], {b"n": b"1"})]
    after, claimed = client.xautoclaim("jobs", "workers", "three", 0, count=2)[:2]
    assert (after, [entry for entry, _ in claimed]) == (ids[3], ids[1:3])
    details = client.xpending_range("jobs", "workers", "-", "+", 10)
    assert [(one["message_id"], one["consumer"], one["times_delivered"]) for one in details] == [
        (ids[1], b"three", 3), (ids[2], b"three", 2), (ids[3], b"one", 1)]
    assert client.xreadgroup("workers", "one", {"jobs": "0"})[0][1] == [(ids[3], {b"n": b"3"})]
    assert client.xgroup_delconsumer("jobs", "workers", "one") == 1
    group = client.xinfo_groups("jobs")[0]
    assert (group["name"], group["consumers"], group["pending"], group["lag"]) == (b"workers", 2, 2, 6)
    assert {one["name"] for one in client.xinfo_consumers("jobs", "workers")} == {b"two", b"three"}
    assert client.xgroup_destroy("jobs", "workers")


def test_group_of_waiting_consumers_delivers_each_entry_once(client):
    client.xgroup_create("jobs", "workers", mkstream=True)
    done = []

    def consume(name):
        with redis.Redis(connection_pool=client.connection_pool) as own:
            stop = False
            while not stop:
                for entry, fields in own.xreadgroup("workers", name, {"jobs": ">"}, count=3, block=20_000)[0][1]:
                    assert own.xack("jobs", "workers", entry) == 1
                    if stop := fields[b"n"] == b"stop":
                        own.xadd("jobs", {"n": "stop"})
                        break
                    done.append(int(fields[b"n"]))

    def bring():
        wait_until(lambda: _blocked(client) == 3, "three consumers wait")
        for n in range(JOBS):
            client.xadd("jobs", {"n": n}, maxlen=JOBS * 2)
        client.xadd("jobs", {"n": "stop"})

    _run_together(*(lambda name=name: consume(name) for name in ("one", "two", "three")), bring)
    assert sorted(done) == list(range(JOBS))


# --- Places, estimates, functions ---------------------------------------------------------------


def test_shops_are_found_near_a_place(client):
    assert client.geoadd("shops", (13.361389, 38.115556, "Palermo", 15.087269, 37.502669, "Catania")) == 2
    assert client.geodist("shops", "Palermo", "Catania", "km") == 166.2742
    assert client.geosearch("shops", longitude=15, latitude=37, radius=100, unit="km") == [b"Catania"]
    found = client.geosearch("shops", longitude=15, latitude=37, width=400, height=400, unit="km", sort="ASC",
                             withdist=True)
    assert found == [[b"Catania", 56.4413], [b"Palermo", 190.4424]]
    assert client.geosearchstore("near", "shops", member="Palermo", radius=200, unit="km", storedist=True) == 2
    assert client.zscore("near", "Palermo") == 0
    longitude, latitude = client.geopos("shops", "Palermo")[0]
    assert abs(longitude - 13.361389) < 1e-5 and abs(latitude - 38.115556) < 1e-5
    assert client.geohash("shops", "Catania") == ["sqdtr74hyu0"]


def test_visitors_are_estimated(client):
    for day in range(3):
        assert client.pfadd(f"day{day}", *(f"visitor{n}" for n in range(day * 500, day * 500 + 1000))) == 1
    assert abs(client.pfcount("day0") - 1000) < 30
    assert client.pfmerge("all", "day0", "day1", "day2")
    assert client.pfcount("all") == client.pfcount("day0", "day1", "day2")
    assert abs(client.pfcount("all") - 2000) < 60


def test_functions_are_loaded_called_and_moved(client):
    assert client.function_load(LIBRARY) == b"shop"
    with pytest.raises(redis.ResponseError, match="already exists"):
        client.function_load(LIBRARY)
    client.set("coats", 2)
    assert [client.fcall("reserve", 1, "coats", 1) for _ in range(3)] == [1, 1, 0]
    assert client.fcall_ro("stock", 1, "coats") == b"0"
    with pytest.raises(redis.ResponseError, match="write flag"):
        client.fcall_ro("reserve", 1, "coats", 1)
    dump = client.function_dump()
    assert client.function_delete("shop")
    with pytest.raises(redis.ResponseError, match="not found"):
        client.fcall("stock", 1, "coats")
    assert client.function_restore(dump)
    assert client.fcall("stock", 1, "coats") == b"0"
    assert b"shop" in client.function_list()[0]


def test_script_works_on_every_type(client):
    script = client.register_script("""
        redis.call('RPUSH', KEYS[1], ARGV[1])
        redis.call('ZADD', KEYS[2], 1.5, ARGV[1])
        local id = redis.call('XADD', KEYS[3], '7-1', 'f', ARGV[1])
        return {redis.call('LPOP', KEYS[1]), redis.call('ZSCORE', KEYS[2], ARGV[1]), id,
                redis.call('LLEN', KEYS[1])}""")
    assert script(keys=["list", "zset", "stream"], args=["v"]) == [b"v", b"1.5", b"7-1", 0]


def test_value_of_every_type_is_dumped_and_restored(client):
    client.rpush("list", *range(500))
    client.zadd("zset", {f"m{n}": n / 8 for n in range(500)})
    for n in range(300):
        client.xadd("stream", {"n": n}, id=f"{n + 1}-0")
    client.pfadd("log", *range(100))
    reads = {"list": lambda key: client.lrange(key, 0, -1), "stream": client.xrange, "log": client.get,
             "zset": lambda key: client.zrange(key, 0, -1, withscores=True)}
    for key, read in reads.items():
        client.restore(f"copy of {key}", 100_000, client.dump(key))
        assert read(f"copy of {key}") == read(key)
        assert client.copy(key, f"second {key}") and read(f"second {key}") == read(key)
    assert client.sort("list", desc=True, start=0, num=2) == [b"499", b"498"]


# --- What the server tells ----------------------------------------------------------------------


def _told(subscriber, count):
    messages = []
    while len(messages) < count:
        message = subscriber.get_message(timeout=5)
        assert message, f"only {messages} came"
        messages.append((message["channel"], message["data"]))
    return messages


def _subscribed(client, **patterns):
    subscriber = client.pubsub()
    for method, names in patterns.items():
        getattr(subscriber, method)(*names)
        for _ in names:
            assert subscriber.get_message(timeout=5)["type"] == method
    return subscriber


def test_changes_of_keys_are_told_in_their_order(client):
    client.config_set("notify-keyspace-events", "KEA")
    subscriber = _subscribed(client, psubscribe=["__key*@0__:*"])
    try:
        client.rpush("list", 1)
        client.lpop("list")
        client.zadd("zset", {"m": 1})
        client.xadd("stream", {"f": 1}, maxlen=1, approximate=False)
        expected = [("rpush", "list"), ("lpop", "list"), ("del", "list"), ("zadd", "zset"), ("xadd", "stream")]
        assert _told(subscriber, 2 * len(expected)) == [
            pair for event, key in expected
            for pair in ((f"__keyspace@0__:{key}".encode(), event.encode()),
                         (f"__keyevent@0__:{event}".encode(), key.encode()))]
    finally:
        client.config_set("notify-keyspace-events", "")
        subscriber.close()


def test_expired_key_of_each_type_is_told_of(client):
    client.config_set("notify-keyspace-events", "Ex")
    subscriber = _subscribed(client, subscribe=["__keyevent@0__:expired"])
    try:
        client.rpush("list", 1)
        client.zadd("zset", {"m": 1})
        client.xadd("stream", {"f": 1})
        for key in ("list", "zset", "stream"):
            client.pexpire(key, 20)
        assert {key for _, key in _told(subscriber, 3)} == {b"list", b"zset", b"stream"}
    finally:
        client.config_set("notify-keyspace-events", "")
        subscriber.close()


def test_reader_hears_that_what_it_read_is_stale(client):
    """RESP2's way: another connection, which subscribes to the invalidations, hears of them."""
    subscriber = _subscribed(client, subscribe=["__redis__:invalidate"])
    with redis.Redis(connection_pool=client.connection_pool, single_connection_client=True) as reader:
        listener = next(int(one["id"]) for one in client.client_list() if one["sub"] == "1")
        assert reader.client_tracking_on(clientid=listener) == b"OK"
        assert reader.client_getredir() == listener
        client.mset({"price": 1, "other": 1})
        client.zadd("rank", {"a": 1})
        assert reader.get("price") == b"1" and reader.zrange("rank", 0, -1) == [b"a"]
        client.set("other", 2)
        client.set("price", 2)
        client.zadd("rank", {"b": 2})
        client.set("price", 3)
        assert _told(subscriber, 2) == [(b"__redis__:invalidate", [b"price"]), (b"__redis__:invalidate", [b"rank"])]
        assert reader.get("price") == b"3"
        client.flushdb()
        assert _told(subscriber, 1) == [(b"__redis__:invalidate", None)]
        assert reader.client_tracking_off() == b"OK" and reader.client_getredir() == -1
    subscriber.close()


def test_reader_hears_of_a_prefix_without_reading(client):
    subscriber = _subscribed(client, subscribe=["__redis__:invalidate"])
    with redis.Redis(connection_pool=client.connection_pool, single_connection_client=True) as reader:
        listener = next(int(one["id"]) for one in client.client_list() if one["sub"] == "1")
        reader.client_tracking_on(clientid=listener, bcast=True, prefix=["price:", "stock:"], noloop=True)
        client.set("other:1", 1)
        reader.set("price:own", 1)
        client.rpush("stock:1", 1)
        assert _told(subscriber, 1) == [(b"__redis__:invalidate", [b"stock:1"])]
        info = reader.client_trackinginfo()
        assert b"bcast" in info[1] and sorted(info[-1]) == [b"price:", b"stock:"]
    subscriber.close()
