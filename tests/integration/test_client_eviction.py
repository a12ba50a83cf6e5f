"""maxmemory-clients: the largest clients are closed when all together use too much."""

import pytest

from links import info
from saving import wait_until
from support import resp

MB = 1 << 20


@pytest.fixture
def limited(start_server):
    return start_server({"maxmemory-clients": 10 * MB})


@pytest.fixture
def watcher(limited):
    """A small client, which is never among the largest."""
    with limited.connect() as one:
        one.ok("CLIENT", "NO-EVICT", "ON")
        yield one


def evicted(server):
    return int(info(server, "stats")["evicted_clients"])


def names(watcher):
    lines = watcher.ok("CLIENT", "LIST").decode().splitlines()
    return {word[5:] for line in lines for word in line.split() if word.startswith("name=")} - {""}


def holding(server, name, size):
    """A client that holds so many bytes: of a request that is not whole."""
    client = server.connect(timeout_s=30)
    client.ok("CLIENT", "SETNAME", name)
    try:
        client.send_raw(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$%d\r\n" % size + b"x" * size)
    except OSError:
        pass  # it was closed before it had sent all
    return client


def memory_of(watcher, name):
    line, = (line for line in watcher.ok("CLIENT", "LIST").decode().splitlines() if f"name={name} " in line)
    return int(line.split("tot-mem=")[1].split()[0])


def test_a_client_that_sends_too_much_is_closed(limited, watcher):
    with holding(limited, "large", 20 * MB):
        wait_until(lambda: evicted(limited) == 1, "evicted")
        wait_until(lambda: "large" not in names(watcher), "gone")
    assert "Evicting client: id=" in limited.log()


def test_a_transaction_that_grows_too_large_is_closed(limited, watcher):
    with limited.connect() as client:
        client.ok("CLIENT", "SETNAME", "queueing")
        client.ok("MULTI")
        with pytest.raises((resp.ConnectionClosed, OSError)):
            for _ in range(30):
                client.ok("SET", "k", "x" * MB)
    assert evicted(limited) == 1
    assert watcher.ok("GET", "k") is None


def test_a_client_that_does_not_read_is_closed(limited, watcher):
    watcher.ok("SET", "k", "x" * MB)
    with limited.connect() as client:
        client.ok("CLIENT", "SETNAME", "idle-reader")
        client.send_raw(b"GET k\r\n" * 40)
        wait_until(lambda: evicted(limited) == 1, "evicted")
        wait_until(lambda: "idle-reader" not in names(watcher), "gone")


def test_the_largest_go_first_and_no_more_than_must(limited, watcher):
    with holding(limited, "small", MB), holding(limited, "large", 6 * MB):
        wait_until(lambda: memory_of(watcher, "small") > MB and memory_of(watcher, "large") > 6 * MB, "held")
        assert names(watcher) == {"small", "large"}
        with holding(limited, "middle", 4 * MB):
            wait_until(lambda: names(watcher) == {"small", "middle"}, "the largest is gone")
            assert evicted(limited) == 1


def test_who_says_so_is_not_evicted(limited, watcher):
    with limited.connect(timeout_s=30) as client:
        client.ok("CLIENT", "SETNAME", "exempt")
        client.ok("CLIENT", "NO-EVICT", "ON")
        client.send_raw(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$%d\r\n" % (20 * MB) + b"x" * (15 * MB))
        wait_until(lambda: memory_of(watcher, "exempt") > 15 * MB, "held")
        client.send_raw(b"x" * (5 * MB) + b"\r\n")
        assert client.read() == b"OK"
    assert evicted(limited) == 0


def test_a_lower_limit_works_at_once(start_server):
    server = start_server()
    with server.connect() as watcher:
        watcher.ok("CLIENT", "NO-EVICT", "ON")
        with holding(server, "large", 5 * MB), holding(server, "small", MB):
            wait_until(lambda: memory_of(watcher, "small") > MB and memory_of(watcher, "large") > 5 * MB, "held")
            watcher.ok("CONFIG", "SET", "maxmemory-clients", 4 * MB)
            wait_until(lambda: names(watcher) == {"small"}, "the largest is gone")
            watcher.ok("CONFIG", "RESETSTAT")
            assert evicted(server) == 0


def test_a_percentage_is_one_of_maxmemory(start_server):
    server = start_server({"maxmemory": 100 * MB, "maxmemory-clients": "5%"})
    with server.connect() as watcher:
        watcher.ok("CLIENT", "NO-EVICT", "ON")
        assert watcher.ok("CONFIG", "GET", "maxmemory-clients") == [b"maxmemory-clients", b"5%"]
        with holding(server, "large", 6 * MB):
            wait_until(lambda: evicted(server) == 1, "evicted")
        watcher.ok("CONFIG", "SET", "maxmemory", 0)
        with holding(server, "large", 6 * MB):
            wait_until(lambda: memory_of(watcher, "large") > 6 * MB, "held")
        assert evicted(server) == 1
