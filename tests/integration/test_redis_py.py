"""redis-py 4.3, with its own parser and with hiredis: pipelines, locks, scripts, pub/sub."""

import threading
import time

import pytest
import redis
from redis.connection import HiredisParser, PythonParser

PARSERS = {"python": PythonParser, "hiredis": HiredisParser}


@pytest.fixture(params=sorted(PARSERS))
def client(server, request):
    pool = redis.ConnectionPool(host="127.0.0.1", port=server.port, parser_class=PARSERS[request.param],
                                socket_timeout=10)
    with redis.Redis(connection_pool=pool) as one:
        yield one
    pool.disconnect()


def test_values_of_every_kind_come_back(client):
    blob = bytes(range(256)) * 400
    assert client.set("blob", blob, ex=100)
    assert client.get("blob") == blob
    assert client.hset("hash", mapping={"a": 1, "b": "zwei", "c": 2.5}) == 3
    assert client.hgetall("hash") == {b"a": b"1", b"b": b"zwei", b"c": b"2.5"}
    assert client.sadd("set", *range(100)) == 100
    assert client.smembers("set") == {b"%d" % n for n in range(100)}
    assert client.mget("blob", "nosuch") == [blob, None]
    assert client.ttl("blob") in (99, 100)


def test_pipeline_answers_in_order(client):
    with client.pipeline(transaction=False) as pipeline:
        for n in range(5000):
            pipeline.set(f"key{n}", n).get(f"key{n}")
        replies = pipeline.execute()
    assert replies[1::2] == [b"%d" % n for n in range(5000)]


def test_error_in_a_pipeline_stays_in_its_place(client):
    client.set("text", "abc")
    with client.pipeline(transaction=False) as pipeline:
        pipeline.set("a", 1).incr("text").get("a")
        replies = pipeline.execute(raise_on_error=False)
    assert replies[0] is True and replies[2] == b"1"
    assert str(replies[1]) == "value is not an integer or out of range"


def test_transaction_sees_no_one_else(client):
    with client.pipeline(transaction=True) as pipeline:
        pipeline.incr("n").incr("n").hset("h", "f", "v")
        assert pipeline.execute() == [1, 2, 1]


def test_watched_key_stops_a_transaction(client):
    client.set("stock", 1)
    with client.pipeline() as pipeline:
        pipeline.watch("stock")
        client.decr("stock")
        pipeline.multi()
        pipeline.decr("stock")
        with pytest.raises(redis.WatchError):
            pipeline.execute()
    assert client.get("stock") == b"0"


def test_transaction_helper_counts_right_between_threads(client):
    def add():
        for _ in range(50):
            def increment(pipeline):
                value = int(pipeline.get("count") or 0)
                pipeline.multi()
                pipeline.set("count", value + 1)
            client.transaction(increment, "count")

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert client.get("count") == b"200"


def test_lock_lets_one_in_at_a_time(client):
    inside, worst = [], []

    def enter():
        for _ in range(10):
            with client.lock("door", timeout=10, sleep=0.001):
                inside.append(1)
                worst.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=enter) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(worst) == 60 and max(worst) == 1
    assert client.exists("door") == 0


def test_lock_expires_and_cannot_be_released_twice(client):
    lock = client.lock("brief", timeout=0.1)
    assert lock.acquire(blocking=False)
    assert not client.lock("brief").acquire(blocking=False)
    deadline = time.monotonic() + 5
    while not client.lock("brief", timeout=10).acquire(blocking=False):
        assert time.monotonic() < deadline
    with pytest.raises(redis.exceptions.LockError):
        lock.release()


def test_registered_script_survives_a_flush_of_the_cache(client):
    script = client.register_script("return {KEYS[1], ARGV[1], tonumber(ARGV[2]) * 2}")
    assert script(keys=["k"], args=["a", 21]) == [b"k", b"a", 42]
    client.script_flush()
    assert script(keys=["k"], args=["a", 4]) == [b"k", b"a", 8]
    assert client.script_exists(script.sha) == [True]


def test_unknown_script_is_its_own_exception(client):
    with pytest.raises(redis.exceptions.NoScriptError):
        client.evalsha("0" * 40, 0)


def test_script_error_can_be_caught_and_is_reported(client):
    client.set("text", "abc")
    assert client.eval("return redis.pcall('INCR', KEYS[1])['err'] ~= nil", 1, "text") == 1
    with pytest.raises(redis.ResponseError):
        client.eval("return redis.call('INCR', KEYS[1])", 1, "text")


def test_subscriber_gets_messages_of_channels_and_patterns(client):
    subscriber = client.pubsub()
    subscriber.subscribe("news")
    subscriber.psubscribe("sess*")
    assert [subscriber.get_message(timeout=5)["type"] for _ in range(2)] == [
        "subscribe", "psubscribe"]
    assert client.publish("news", "open") == 1
    assert client.publish("session", b"\x00\xff") == 1
    assert client.publish("nobody", "x") == 0
    first, second = (subscriber.get_message(timeout=5) for _ in range(2))
    assert (first["type"], first["channel"], first["data"]) == ("message", b"news", b"open")
    assert (second["type"], second["pattern"], second["data"]) == (
        "pmessage", b"sess*", b"\x00\xff")
    assert client.pubsub_numsub("news") == [(b"news", 1)]
    assert client.pubsub_numpat() == 1
    subscriber.unsubscribe()
    subscriber.punsubscribe()
    assert [subscriber.get_message(timeout=5)["type"] for _ in range(2)] == [
        "unsubscribe", "punsubscribe"]
    subscriber.close()


def test_thousand_messages_arrive_in_order(client):
    subscriber = client.pubsub(ignore_subscribe_messages=True)
    subscriber.subscribe("queue")
    while subscriber.get_message(timeout=0.2):
        pass
    with client.pipeline(transaction=False) as pipeline:
        for n in range(1000):
            pipeline.publish("queue", n)
        assert pipeline.execute()[-1] == 1
    got = []
    while len(got) < 1000:
        message = subscriber.get_message(timeout=5)
        assert message, f"{len(got)} messages came"
        got.append(int(message["data"]))
    assert got == list(range(1000))
    subscriber.close()


@pytest.mark.needs("psync")
def test_expired_key_is_announced(client):
    before = client.config_get("notify-keyspace-events")["notify-keyspace-events"]
    client.config_set("notify-keyspace-events", "Ex")
    subscriber = client.pubsub(ignore_subscribe_messages=True)
    subscriber.subscribe("__keyevent@0__:expired")
    try:
        client.set("brief", 1, px=50)
        deadline = time.monotonic() + 5
        message = None
        while message is None and time.monotonic() < deadline:
            message = subscriber.get_message(timeout=0.5)
        assert message and message["data"] == b"brief"
    finally:
        client.config_set("notify-keyspace-events", before)
        subscriber.close()


def test_scan_iterators_see_everything(client):
    client.mset({f"key{n}": n for n in range(3000)})
    client.hset("hash", mapping={f"f{n}": n for n in range(2000)})
    client.sadd("set", *[f"m{n}" for n in range(2000)])
    assert len(set(client.scan_iter(match="key*", count=50))) == 3000
    assert len(dict(client.hscan_iter("hash"))) == 2000
    assert len(set(client.sscan_iter("set"))) == 2000


def test_parsed_answers_of_operators_commands(client):
    info = client.info()
    assert info["redis_version"].count(".") == 2 and info["used_memory"] > 0
    assert client.client_list()[0]["addr"].startswith("127.0.0.1:")
    assert client.client_setname("shop") and client.client_getname() == "shop"
    assert isinstance(client.client_id(), int)
    assert client.config_get("maxmemory") == {"maxmemory": "0"}
    assert client.slowlog_get() is not None
    assert client.memory_usage("nosuch") is None
    assert len(client.time()) == 2
    assert "get" in client.command()


def test_two_databases_are_two(server):
    with redis.Redis(port=server.port, db=2) as sessions, redis.Redis(port=server.port) as cache:
        sessions.set("key", "session")
        assert cache.get("key") is None
        assert cache.move("nosuch", 2) is False


def test_connection_is_replaced_after_it_was_killed(server):
    with redis.Redis(port=server.port, retry_on_error=[redis.ConnectionError]) as client:
        client.set("key", "1")
        with redis.Redis(port=server.port) as killer:
            killer.client_kill_filter(_id=client.client_id())
        assert client.get("key") == b"1"
