"""Bad input and rude clients: every limit holds, and the others are served meanwhile."""

import os
import re
import resource
import socket
import struct
import time

import pytest

from support import resp

CONNECTIONS = 12_000
IP_BIND_ADDRESS_NO_PORT = 24  # <linux/in.h>


def _wait_for(condition, what, timeout_s=10.0):
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {timeout_s} s: {what}"
        time.sleep(0.02)


def _info(server, section, field):
    with server.connect() as connection:
        return _field(connection, section, field)


def _field(connection, section, field):
    text = connection.call("INFO", section).decode()
    return dict(line.split(":", 1) for line in text.split("\r\n") if ":" in line)[field]


# --- How a client may send --------------------------------------------------------------------


def test_request_byte_by_byte(connection):
    for byte in resp.encode(("SET", "key", "va\r\nlue")) + resp.encode(("GET", "key")):
        connection.send_raw(bytes([byte]))
    assert [connection.read(), connection.read()] == [b"OK", b"va\r\nlue"]


def test_requests_cut_at_every_place(connection):
    data = resp.encode(("SET", "k", "v")) + b"PING\r\n" + resp.encode(("GET", "k"))
    for cut in range(1, len(data)):
        connection.send_raw(data[:cut])
        time.sleep(0.001)
        connection.send_raw(data[cut:])
        assert [connection.read() for _ in range(3)] == [b"OK", b"PONG", b"v"]


def test_slow_sender_does_not_hold_up_the_others(server):
    with server.connect() as slow, server.connect() as quick:
        slow.send_raw(b"*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$1000000\r\n" + b"x" * 500_000)
        assert quick.call("SET", "key", "mine") == b"OK"
        slow.send_raw(b"x" * 500_000 + b"\r\n")
        assert slow.read() == b"OK"
        assert quick.call("STRLEN", "key") == 1_000_000


def test_half_closed_client_still_gets_its_replies(server):
    with server.connect() as connection:
        connection.send_raw(resp.encode(("SET", "key", "x" * 100)) + resp.encode(("GET", "key")))
        connection.shutdown_write()
        assert connection.read() == b"OK"
        assert connection.read() == b"x" * 100
        assert connection.is_closed()
    _wait_for(lambda: int(_info(server, "clients", "connected_clients")) == 1, "client is gone")


def test_client_that_vanishes_in_the_middle_leaves_nothing(server):
    for _ in range(50):
        with server.connect() as connection:
            connection.send_raw(b"*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$100\r\nabc")
    _wait_for(lambda: int(_info(server, "clients", "connected_clients")) == 1, "clients are gone")
    with server.connect() as connection:
        assert connection.call("EXISTS", "key") == 0


def _hold(server, pause):
    """A connection whose write CLIENT PAUSE holds back, and one that watches."""
    watching = server.connect()
    assert watching.call("CLIENT", "PAUSE", "60000", pause) == b"OK"
    held = server.connect()
    held.send("SET", "key", "held")
    if pause == "WRITE":
        _wait_for(lambda: _field(watching, "clients", "blocked_clients") == "1", "it is held")
    return held, watching


@pytest.mark.parametrize("how", ["close", "half-close", "half-close behind more", "kill"])
def test_what_a_pause_holds_of_a_client_that_leaves_is_not_executed(server, how):
    held, watching = _hold(server, "WRITE")
    if how == "kill":
        ids = [line.split()[0][3:] for line in watching.call("CLIENT", "LIST").decode().splitlines()]
        assert watching.call("CLIENT", "KILL", "ID", ids[-1]) == 1
    elif how == "close":
        held.close()
    else:
        if how.endswith("more"):
            held.send("SET", "key", "more")
        held.shutdown_write()
    _wait_for(lambda: _field(watching, "clients", "connected_clients") == "1", "its slot is free")
    _wait_for(lambda: _field(watching, "clients", "blocked_clients") == "0", "nobody is held")
    assert watching.call("CLIENT", "UNPAUSE") == b"OK"
    assert watching.call("EXISTS", "key") == 0
    held.close()


def test_what_a_pause_holds_of_a_client_that_stays_is_executed_in_order(server):
    held, watching = _hold(server, "WRITE")
    held.send("APPEND", "key", "+more")
    held.send("GET", "key")
    time.sleep(0.05)
    assert watching.call("CLIENT", "UNPAUSE") == b"OK"
    assert [held.read() for _ in range(3)] == [b"OK", 9, b"held+more"]


# --- How a client may not send ----------------------------------------------------------------


@pytest.mark.parametrize("data, message", [
    (b"*2147483648\r\n", b"ERR Protocol error: invalid multibulk length"),
    (b"*x\r\n", b"ERR Protocol error: invalid multibulk length"),
    (b"*1\r\n$536870913\r\n", b"ERR Protocol error: invalid bulk length"),
    (b"*1\r\n$-5\r\n", b"ERR Protocol error: invalid bulk length"),
    (b"*1\r\nPING\r\n", b"ERR Protocol error: expected '$', got 'P'"),
    (b'SET "unbalanced\r\n', b"ERR Protocol error: unbalanced quotes in request"),
    (b"x" * 70_000, b"ERR Protocol error: too big inline request"),
    (b"*" + b"1" * 70_000, b"ERR Protocol error: too big mbulk count string"),
    (b"*1\r\n$" + b"1" * 70_000, b"ERR Protocol error: too big bulk count string"),
], ids=["multibulk-int32", "multibulk-text", "bulk", "bulk-negative", "no-bulk", "quotes",
        "inline", "endless-multibulk", "endless-bulk"])
def test_broken_protocol_ends_the_connection(server, data, message):
    with server.connect() as connection:
        connection.send_raw(data)
        assert connection.read() == resp.Error(message)
        assert connection.is_closed()


def test_empty_requests_are_passed_over(connection):
    connection.send_raw(b"\r\n*0\r\n*-1\r\n\r\nPING\r\n")
    assert connection.read() == b"PONG"


def test_before_authentication_the_limits_are_small(start_server):
    server = start_server({"requirepass": "cloak"})
    for data, message in [
            (b"*11\r\n", b"ERR Protocol error: unauthenticated multibulk length"),
            (b"*1\r\n$16385\r\n", b"ERR Protocol error: unauthenticated bulk length")]:
        with server.connect() as connection:
            connection.send_raw(data)
            assert connection.read() == resp.Error(message)
            assert connection.is_closed()
    with server.connect() as connection:
        connection.ok("AUTH", "cloak")
        assert connection.call("SET", "key", "x" * 20_000) == b"OK"


def test_bulk_limit_is_the_configured_one(start_server):
    server = start_server({"proto-max-bulk-len": "1mb"})
    with server.connect() as connection:
        assert connection.call("SET", "key", "x" * 1_000_000) == b"OK"
        connection.send_raw(b"*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$1048577\r\n")
        assert connection.read() == resp.Error(b"ERR Protocol error: invalid bulk length")
        assert connection.is_closed()


def test_query_buffer_limit_ends_the_connection(start_server):
    server = start_server({"client-query-buffer-limit": "1mb"})
    with server.connect() as connection, server.connect() as other:
        try:
            connection.send_raw(b"*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$8000000\r\n" + b"x" * 6_000_000)
        except OSError:
            pass  # the server may have closed already
        assert connection.is_closed()
        assert other.call("EXISTS", "key") == 0


def test_what_multi_has_queued_counts_as_query_buffer(start_server):
    server = start_server({"client-query-buffer-limit": "1mb"})
    with server.connect() as connection, server.connect() as other:
        assert connection.call("MULTI") == b"OK"
        assert connection.call("SET", "key", "x" * 600_000) == b"QUEUED"
        with pytest.raises((resp.ConnectionClosed, OSError)):
            connection.call("SET", "key", "x" * 600_000)
            connection.call("PING")
        assert other.call("EXISTS", "key") == 0


# --- Clients that do not read -----------------------------------------------------------------


def _deaf(server):
    """A connection with a small window, whose owner will not read."""
    quiet = socket.socket()
    quiet.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    quiet.settimeout(10)
    quiet.connect(("127.0.0.1", server.port))
    return quiet


def test_subscriber_that_never_reads_is_dropped(start_server):
    server = start_server({"client-output-buffer-limit": "pubsub 1mb 0 0"})
    with _deaf(server) as subscriber, server.connect() as publisher:
        subscriber.sendall(resp.encode(("SUBSCRIBE", "news")))
        _wait_for(lambda: publisher.call("PUBSUB", "NUMSUB", "news") == [b"news", 1], "subscribed")
        message = b"x" * 100_000
        for _ in range(200):
            if publisher.call("PUBLISH", "news", message) == 0:
                break
        _wait_for(lambda: publisher.call("PUBSUB", "NUMSUB", "news") == [b"news", 0], "dropped")
        assert publisher.call("PING") == b"PONG"


def test_soft_limit_gives_a_subscriber_its_seconds(start_server):
    server = start_server({"client-output-buffer-limit": "pubsub 0 200kb 1"})
    with _deaf(server) as subscriber, server.connect() as publisher:
        subscriber.sendall(resp.encode(("SUBSCRIBE", "news")))
        _wait_for(lambda: publisher.call("PUBSUB", "NUMSUB", "news") == [b"news", 1], "subscribed")
        for _ in range(80):
            assert publisher.call("PUBLISH", "news", b"x" * 100_000) == 1
        _wait_for(lambda: publisher.call("PUBLISH", "news", b"x") == 0, "dropped after a second")


def test_normal_client_that_never_reads_is_dropped_at_its_limit(start_server):
    server = start_server({"client-output-buffer-limit": "normal 2mb 0 0"})
    with server.connect() as other:
        other.ok("SET", "big", "x" * 500_000)
        with _deaf(server) as deaf:
            deaf.setblocking(False)
            try:
                deaf.sendall(resp.encode(("GET", "big")) * 60)
            except OSError:
                pass
            _wait_for(lambda: int(_info(server, "clients", "connected_clients")) == 2, "dropped")
        assert other.call("STRLEN", "big") == 500_000


def test_monitor_that_never_reads_is_dropped_at_the_limit_of_normal_clients(start_server):
    server = start_server({"client-output-buffer-limit": "normal 1mb 0 0"})
    with _deaf(server) as monitor, server.connect() as other:
        def monitors():
            return other.call("CLIENT", "LIST").count(b"flags=O")

        monitor.sendall(resp.encode(("MONITOR",)))
        _wait_for(lambda: monitors() == 1, "monitoring")
        for _ in range(200):
            other.ok("SET", "key", b"x" * 100_000)
            if monitors() == 0:
                break
        _wait_for(lambda: monitors() == 0, "dropped")
        assert other.call("STRLEN", "key") == 100_000


def test_normal_client_that_reads_late_gets_everything(server):
    with server.connect() as other, server.connect(timeout_s=30) as late:
        other.ok("SET", "big", "x" * 100_000)
        late.send_raw(resp.encode(("GET", "big")) * 300)
        for _ in range(20):
            assert other.call("PING") == b"PONG"
        assert all(len(late.read()) == 100_000 for _ in range(300))


def test_reply_of_many_megabytes_arrives_whole_and_in_order(server):
    """The server sends it in pieces, between the turns of other clients."""
    value = bytes(range(256)) * 40_000
    with server.connect(timeout_s=30) as connection, server.connect() as other:
        connection.ok("SET", "large", value)
        connection.send("MGET", "large", "large", "large")
        connection.send("PING")
        assert other.ok("PING") == b"PONG"
        assert connection.read() == [value] * 3
        assert connection.read() == b"PONG"


def test_client_output_is_seen_in_client_list(server):
    with server.connect() as other, _deaf(server) as deaf:
        other.ok("SET", "big", "x" * 3_000_000)
        deaf.sendall(resp.encode(("CLIENT", "SETNAME", "deaf")) + resp.encode(("GET", "big")) * 4)

        def pending():
            lines = other.call("CLIENT", "LIST").decode().splitlines()
            fields = [dict(part.split("=", 1) for part in line.split(" ")) for line in lines]
            mine = [one for one in fields if one["name"] == "deaf"]
            return bool(mine) and int(mine[0]["omem"]) + int(mine[0]["obl"]) > 1_000_000
        _wait_for(pending, "omem of the client that does not read")


def _peak_memory(server):
    with open(f"/proc/{server.pid}/status", encoding="ascii") as status:
        return int(re.search(r"VmHWM:\s+(\d+) kB", status.read())[1]) * 1024


def _big_hash(server):
    with server.connect() as connection:
        # Few enough to be written into the reply at once, without a worker.
        for part in range(15):
            fields = [word for n in range(1000) for word in (f"field{part}:{n}", "x" * 150)]
            connection.call("HSET", "big", *fields)


def test_pipeline_of_big_replies_ends_at_the_output_limit(start_server):
    server = start_server({"client-output-buffer-limit": "normal 8mb 4mb 10"})
    _big_hash(server)
    before = _peak_memory(server)
    with server.connect() as greedy:
        assert greedy.call("PING") == b"PONG"  # the server counts it from here on
        greedy.send_raw(resp.encode(("HGETALL", "big")) * 600)
        # It never reads its replies, and is closed all the same.
        _wait_for(lambda: int(_info(server, "clients", "connected_clients")) == 1, "it is closed")
    assert _peak_memory(server) - before < 100 * 1024 * 1024
    if server.kind == "cloakroom":  # redis-server 7.0 does not count them
        assert int(_info(server, "stats", "client_output_buffer_limit_disconnections")) == 1
    calls = int(re.search(r"calls=(\d+)", _info(server, "commandstats", "cmdstat_hgetall"))[1])
    assert calls < 20


def test_pipeline_of_big_replies_does_not_grow_without_end_where_there_is_no_limit(start_server):
    server = start_server()
    if server.kind != "cloakroom":
        pytest.skip("redis-server keeps all of them")
    _big_hash(server)
    before = _peak_memory(server)
    requests = 200
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as greedy:
        greedy.sendall(resp.encode(("HGETALL", "big")) * requests + resp.encode(("PING",)))
        with server.connect() as other:
            for _ in range(200):
                assert other.call("PING") == b"PONG"
        count, tail = 0, b""
        while not tail.endswith(b"+PONG\r\n"):
            data = greedy.recv(1 << 20)
            assert data, "it is not closed"
            count, tail = count + len(data), (tail + data)[-16:]
        assert count > requests * 15_000 * 150
    assert _peak_memory(server) - before < 250 * 1024 * 1024


# --- Too many clients -------------------------------------------------------------------------


def test_maxclients_refuses_with_the_known_text(start_server):
    server = start_server({"maxclients": "20"})
    held = [server.connect() for _ in range(20)]
    # Several threads accept: all connections must be in before one too many comes.
    assert [connection.call("PING") for connection in held] == [b"PONG"] * 20
    refused = server.connect()
    assert refused.read() == resp.Error(b"ERR max number of clients reached")
    assert refused.is_closed()
    held.pop().close()

    def admitted():
        with server.connect() as again:
            try:
                return again.call("PING") == b"PONG"
            except (resp.ConnectionClosed, OSError):
                return False
    _wait_for(admitted, "a place is free again")
    # Asks on an open connection: the place of the last one may not be free yet.
    stats = held[0].call("INFO", "stats").decode()
    assert int(re.search(r"^rejected_connections:(\d+)", stats, re.MULTILINE)[1]) >= 1
    for connection in held + [refused]:
        connection.close()


def _try_open(server, count):
    """Opens connections until one is refused or the count is reached."""
    opened = []
    for n in range(count):
        one = socket.socket()
        # The ports of one source address would be too few for several runs in a row, and none may
        # linger, because a later test wants to listen on one of them.
        one.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        one.bind((f"127.0.0.{2 + n % 60}", 0))
        one.settimeout(10)
        one.connect(("127.0.0.1", server.port))
        opened.append(one)
    return opened


def _settled_descriptors(server):
    """How many the server has open. It answers a moment before the last of its threads has started."""
    used = 0
    while used != (used := len(os.listdir(f"/proc/{server.pid}/fd"))):
        time.sleep(0.3)
    return used


@pytest.mark.slow
def test_twelve_thousand_connections_at_once(start_server):
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < CONNECTIONS + 200:
        pytest.skip(f"only {hard} file descriptors are allowed here")
    server = start_server({"maxclients": str(CONNECTIONS + 100), "protected-mode": "no"})
    opened = _try_open(server, CONNECTIONS)
    try:
        for one in opened:
            one.sendall(b"INCR n\r\n")
        replies = {one.recv(64) for one in opened}
        assert len(replies) == CONNECTIONS and b":%d\r\n" % CONNECTIONS in replies
        assert int(_info(server, "clients", "connected_clients")) == CONNECTIONS + 1
    finally:
        for one in opened:
            one.close()
    _wait_for(lambda: int(_info(server, "clients", "connected_clients")) == 1, "all are gone", 30)


def test_server_without_file_descriptors_serves_those_it_has(start_server):
    server = start_server({"maxclients": "1000", "protected-mode": "no"})
    with server.connect() as first:
        assert first.call("SET", "key", "1") == b"OK"
        used = _settled_descriptors(server)
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (used + 5, used + 5))
        opened = _try_open(server, 50)
        time.sleep(0.2)
        assert first.call("GET", "key") == b"1"
        assert server.is_running()
        for one in opened:
            one.close()

        def admitted():
            with server.connect(timeout_s=2) as again:
                try:
                    return again.call("PING") == b"PONG"
                except (resp.ConnectionClosed, resp.ReplyTimeout, OSError):
                    return False
        _wait_for(admitted, "new clients are accepted again")


def test_commands_that_need_file_descriptors_fail_without_them(start_server, server_kind):
    target = start_server()
    server = start_server({"maxclients": "1000"})
    with server.connect() as client:
        assert client.call("SET", "key", "1") == b"OK"
        used = _settled_descriptors(server)
        _, hard = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (used, hard))
        migrated = client.call("MIGRATE", "127.0.0.1", target.port, "key", 0, 1000)
        assert migrated.startswith(b"IOERR error or timeout connecting")
        assert client.call("SAVE").startswith(b"ERR")
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (used + 20, hard))
        assert client.call("MIGRATE", "127.0.0.1", target.port, "key", 0, 1000) == b"OK"


def test_idle_client_is_closed_after_its_timeout(start_server):
    server = start_server({"timeout": "1"})
    with server.connect() as idle, server.connect() as subscriber:
        assert idle.call("PING") == b"PONG"
        subscriber.call("SUBSCRIBE", "news")
        start = time.monotonic()
        assert idle.is_closed(timeout_s=10)
        assert time.monotonic() - start > 0.5
        with pytest.raises(resp.ReplyTimeout):
            subscriber.read(timeout_s=1.5)  # subscribers may wait as long as they like


# --- Memory -----------------------------------------------------------------------------------


def test_noeviction_refuses_writes_with_the_known_text(start_server):
    server = start_server({"maxmemory": "20mb", "maxmemory-policy": "noeviction"})
    with server.connect() as connection:
        refusal = None
        for n in range(400):
            reply = connection.call("SET", f"key{n}", "x" * 100_000)
            if isinstance(reply, resp.Error):
                refusal = reply
                break
        assert refusal == b"OOM command not allowed when used memory > 'maxmemory'."
        assert connection.call("STRLEN", "key0") == 100_000
        connection.ok("CONFIG", "SET", "maxmemory", "6mb")  # far below, so that nothing fits
        for request in (("SET", "k", "v"), ("HSET", "h", "f", "v"), ("INCR", "n")):
            assert connection.call(*request) == refusal
        refused = connection.call("EVAL", "return redis.call('SET', KEYS[1], 'x')", "1", "key")
        assert isinstance(refused, resp.Error) and refused.startswith(b"OOM ")
        assert connection.call("UNLINK", "key0") == 1
        assert connection.call("FLUSHALL") == b"OK"
        assert connection.call("SET", "key", "1") == b"OK"


def test_a_limit_that_was_lowered_is_kept_without_a_write(start_server):
    server = start_server({"maxmemory-policy": "allkeys-lru", "save": '""'})
    with server.connect() as connection:
        for n in range(20):
            connection.ok("SET", f"k{n}", b"x" * 1_000_000)
        used = int(_info(server, "memory", "used_memory"))
        connection.ok("CONFIG", "SET", "maxmemory", used - 10_000_000)
        deadline = time.monotonic() + 10
        while connection.ok("DBSIZE") > 10:
            assert time.monotonic() < deadline, "nothing is evicted"
            time.sleep(0.02)
        assert connection.ok("DBSIZE") >= 8
        connection.ok("CONFIG", "SET", "maxmemory-policy", "noeviction", "maxmemory", "1mb")
        assert connection.ok("DBSIZE") >= 8


def test_eviction_keeps_inside_the_limit(start_server):
    server = start_server({"maxmemory": "20mb", "maxmemory-policy": "allkeys-lru", "hz": "1"})
    with server.connect() as connection:
        for n in range(600):
            assert connection.call("SET", f"key{n}", "x" * 100_000) == b"OK"
        assert 50 < connection.call("DBSIZE") < 220
    assert int(_info(server, "stats", "evicted_keys")) > 300
    assert int(_info(server, "memory", "used_memory")) < 22 * 1024 * 1024
