"""WAITAOF, which redis-server 7.0 does not have: what a client has changed is on the disk."""

import pytest

from links import PROMPT, await_link, await_replica, follow
from support.resp import Error


@pytest.fixture
def logged(start_server, server_kind):
    if server_kind != "cloakroom":
        pytest.skip("it came with Redis 7.2")
    return start_server({**PROMPT, "appendonly": "yes"})


def test_it_waits_for_the_own_log(logged):
    with logged.connect(timeout_s=30) as connection:
        assert connection.ok("WAITAOF", 1, 0, 0) == [1, 0], "nothing was changed"
        connection.ok("SET", "k", "v")
        assert connection.ok("WAITAOF", 1, 0, 20_000) == [1, 0]
        assert connection.ok("WAITAOF", 0, 1, 50) == [1, 0], "there is no replica"
        assert connection.pipeline([("MULTI",), ("WAITAOF", 1, 1, 0), ("EXEC",)])[-1] == [[1, 0]]


def test_it_waits_for_a_replica_with_a_log(logged, start_server):
    replica, other = start_server({**PROMPT, "appendonly": "yes"}), start_server(PROMPT)
    for one in (replica, other):
        follow(one, logged)
    with logged.connect(timeout_s=60) as connection:
        connection.ok("SET", "k", "v")
        await_replica(other, logged)
        assert connection.ok("WAITAOF", 1, 1, 40_000) == [1, 1]
        connection.ok("SET", "k", "w")
        assert connection.ok("WAITAOF", 0, 2, 3_000)[1] == 1, "the other has no log"


def test_its_errors(logged, start_server):
    plain = start_server(PROMPT)
    with plain.connect() as connection:
        assert connection.call("WAITAOF", 1, 0, 0) == Error(
            b"ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.")
        assert connection.call("WAITAOF", 2, 0, 0) == Error(
            b"ERR value is out of range, value must between 0 and 1")
        assert connection.call("WAITAOF", 0, -1, 0) == Error(
            b"ERR value is out of range, must be positive")
        assert connection.call("WAITAOF", 0, 0, -1) == Error(b"ERR timeout is negative")
        assert connection.call("WAITAOF", 0, 0, "x") == Error(
            b"ERR timeout is not an integer or out of range")
    follow(plain, logged)
    await_link(plain)
    with plain.connect() as connection:
        assert connection.call("WAITAOF", 0, 0, 0) == Error(
            b"ERR WAITAOF cannot be used with replica instances. Please also note that writes to "
            b"replicas are just local and are not propagated.")
