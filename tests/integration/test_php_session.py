"""PHP sessions: phpredis' own save handler, and the visits of Magento's session library."""

import subprocess
import time
from pathlib import Path

import pytest

from programs import run, together

PHP = Path(__file__).parent / "php"
PROCESSES = 8
VISITS = 40
ID = "156d906d0753f2d0f40b013a44"


@pytest.fixture
def php(program):
    """The command line of one of our PHP programs."""
    def command(script, *arguments):
        return [program("php"), str(PHP / script), *map(str, arguments)]
    return command


def test_native_handler_with_locking_loses_no_write(server, php):
    together([php("native_session.php", server.port, ID, VISITS)] * PROCESSES)
    last = run(php("native_session.php", server.port, ID, 0)).stdout
    assert int(last) == PROCESSES * VISITS


def test_native_handler_leaves_no_lock_behind(server, php):
    run(php("native_session.php", server.port, ID, 2))
    with server.connect() as connection:
        connection.ok("SELECT", "2")
        assert connection.call("KEYS", "*") == [b"sess_" + ID.encode()]
        assert 0 < connection.call("TTL", "sess_" + ID) <= 1440


def test_native_handler_works_without_locking(server, php):
    assert run(php("native_session.php", server.port, ID, 5, 0)).stdout == b"5\n"


def _fields(server):
    with server.connect() as connection:
        connection.ok("SELECT", "2")
        flat = connection.call("HGETALL", "sess_" + ID)
    return dict(zip(flat[::2], flat[1::2]))


def test_shop_visits_lose_no_write(server, php):
    together([php("shop_visits.php", server.port, ID, "visit", VISITS)] * PROCESSES)
    fields = _fields(server)
    assert b's:5:"count";i:%d;' % (PROCESSES * VISITS) in fields[b"data"]
    assert int(fields[b"writes"]) == PROCESSES * VISITS
    assert fields[b"lock"] == b"0"
    assert fields.get(b"wait", b"0") == b"0"


def test_shop_session_keeps_its_time_to_live(server, php):
    run(php("shop_visits.php", server.port, ID, "visit", 1))
    with server.connect() as connection:
        connection.ok("SELECT", "2")
        assert 21590 <= connection.call("TTL", "sess_" + ID) <= 21600


def test_visitor_waits_for_the_holder_of_the_lock(server, php):
    holder = subprocess.Popen(php("shop_visits.php", server.port, ID, "hold", 0.6),
                              stdout=subprocess.PIPE)
    assert holder.stdout.readline() == b"locked\n"
    waited_s = float(run(php("shop_visits.php", server.port, ID, "break", 30)).stdout)
    assert holder.communicate(timeout=10)[0] == b"kept\n"
    assert 0.4 < waited_s < 20
    assert b's:5:"count";i:2;' in _fields(server)[b"data"]


def test_broken_lock_costs_the_holder_its_write(server, php):
    holder = subprocess.Popen(php("shop_visits.php", server.port, ID, "hold", 3),
                              stdout=subprocess.PIPE)
    assert holder.stdout.readline() == b"locked\n"
    run(php("shop_visits.php", server.port, ID, "break", 0.5))
    assert holder.communicate(timeout=10)[0] == b"lost\n"
    fields = _fields(server)
    assert b's:5:"count";i:1;' in fields[b"data"] and fields[b"writes"] == b"1"


def test_destroyed_session_is_gone(server, php):
    run(php("shop_visits.php", server.port, ID, "visit", 1))
    run(php("shop_visits.php", server.port, ID, "destroy", 0))
    assert _fields(server) == {}


def test_a_storm_of_different_sessions(server, php):
    start = time.monotonic()
    together([php("shop_visits.php", server.port, f"storm{n}", "visit", 100) for n in range(8)])
    assert time.monotonic() - start < 60
    with server.connect() as connection:
        connection.ok("SELECT", "2")
        assert connection.call("DBSIZE") == 8
