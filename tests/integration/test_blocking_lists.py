"""Clients that wait for lists: in which order they are served, and how a wait ends."""

import time

import pytest

from saving import wait_until
from support import resp, servers


@pytest.fixture
def server(server_kind):
    started = servers.start(server_kind)
    yield started
    started.stop()


@pytest.fixture
def writer(server):
    with server.connect() as connection:
        yield connection


def _blocked(writer):
    fields = writer.ok("INFO", "clients").decode().split("\r\n")
    return int(next(field for field in fields if field.startswith("blocked_clients:")).split(":")[1])


def _wait_for(writer, count):
    wait_until(lambda: _blocked(writer) == count, f"{count} clients are waiting")



def test_a_thousand_clients_are_served_in_the_order_of_their_arrival(server, writer):
    takers = [server.connect() for _ in range(1000)]
    for number, taker in enumerate(takers):
        taker.send("BLPOP", "queue", 0)
        if number % 50 == 0:  # in between the order of arrival is that of the connections' threads
            _wait_for(writer, number + 1)
    _wait_for(writer, 1000)
    for at in range(0, 1000, 100):
        writer.ok("RPUSH", "queue", *range(at, at + 100))
    taken = [int(taker.read()[1]) for taker in takers]
    assert sorted(taken) == list(range(1000))
    assert [taken[number] for number in range(0, 1000, 50)] == sorted(taken[::50])
    assert writer.ok("EXISTS", "queue") == 0
    assert _blocked(writer) == 0
    for taker in takers:
        taker.close()


def test_one_who_hangs_up_leaves_at_once(server, writer):
    gone, stays = server.connect(), server.connect()
    gone.send("BLPOP", "queue", 0)
    _wait_for(writer, 1)
    stays.send("BLPOP", "queue", 0)
    _wait_for(writer, 2)
    gone.close()
    _wait_for(writer, 1)
    writer.ok("RPUSH", "queue", "job")
    assert stays.read() == [b"queue", b"job"]
    stays.close()


def test_one_who_hangs_up_in_the_middle_of_a_move_loses_nothing(server, writer):
    for number in range(50):
        source = f"from{number}"
        mover = server.connect()
        mover.send("BLMOVE", source, "to", "LEFT", "RIGHT", 0)
        _wait_for(writer, 1)
        mover.close()
        writer.ok("RPUSH", source, number)
        _wait_for(writer, 0)
    jobs = [job for number in range(50) for job in writer.ok("LRANGE", f"from{number}", 0, -1)]
    jobs += writer.ok("LRANGE", "to", 0, -1)
    assert sorted(map(int, jobs)) == list(range(50))


def test_the_time_limit_is_kept(server, writer):
    with server.connect() as taker:
        began = time.monotonic()
        assert taker.ok("BLPOP", "queue", "0.2") == resp.NULL_ARRAY
        assert 0.19 < time.monotonic() - began < 2
        assert taker.ok("BLMOVE", "queue", "other", "LEFT", "LEFT", "0.01") == resp.NULL_ARRAY
        assert taker.ok("BLMPOP", "0.01", 1, "queue", "LEFT") == resp.NULL_ARRAY
    assert _blocked(writer) == 0


def test_client_unblock_ends_a_wait_with_or_without_an_error(server, writer):
    with server.connect() as taker:
        number = taker.ok("CLIENT", "ID")
        for words in (("TIMEOUT",), ()):
            taker.send("BRPOP", "queue", 0)
            _wait_for(writer, 1)
            assert writer.ok("CLIENT", "UNBLOCK", number, *words) == 1
            assert taker.read() == resp.NULL_ARRAY
        taker.send("BRPOP", "queue", 0)
        _wait_for(writer, 1)
        assert writer.ok("CLIENT", "UNBLOCK", number, "ERROR") == 1
        assert taker.read() == resp.Error(b"UNBLOCKED client unblocked via CLIENT UNBLOCK")
        assert writer.ok("CLIENT", "UNBLOCK", number) == 0


def test_what_is_served_is_in_the_log(server_kind):
    server = servers.Server(server_kind, {"appendonly": "yes", "appendfsync": "always"})
    server.launch()
    try:
        with server.connect() as writer, server.connect() as one, server.connect() as two:
            one.send("BLPOP", "a", 0)
            _wait_for(writer, 1)
            two.send("BLMOVE", "a", "b", "LEFT", "RIGHT", 0)
            _wait_for(writer, 2)
            writer.ok("RPUSH", "a", 1, 2, 3)
            assert one.read() == [b"a", b"1"]
            assert two.read() == b"2"
        server.kill()
        server.launch()
        with server.connect() as connection:
            assert connection.ok("LRANGE", "a", 0, -1) == [b"3"]
            assert connection.ok("LRANGE", "b", 0, -1) == [b"2"]
    finally:
        server.stop()


@pytest.mark.parametrize("before", [("BLPOP", "x", 0), ("BZPOPMIN", "x", 0), ("BLMOVE", "x", "y", "LEFT", "LEFT", 0)],
                         ids=lambda words: words[0])
@pytest.mark.parametrize("remove", [("DEL", "x"), ("RENAME", "x", "z"), ("FLUSHDB",), ("EXPIRE", "x", -1)],
                         ids=lambda words: words[0])
def test_who_reads_for_a_group_hears_that_the_stream_is_gone_behind_others(server, writer, before, remove):
    with server.connect() as first, server.connect() as reader:
        first.send(*before)
        _wait_for(writer, 1)
        writer.ok("XGROUP", "CREATE", "x", "g", "$", "MKSTREAM")
        reader.send("XREADGROUP", "GROUP", "g", "c", "BLOCK", 0, "STREAMS", "x", ">")
        _wait_for(writer, 2)
        writer.ok(*remove)
        assert reader.read() == resp.Error(b"UNBLOCKED the stream key no longer exists")
        _wait_for(writer, 1)
