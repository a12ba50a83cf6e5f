"""Snapshots that are damaged, before and after `--repair`, and in each version of the format.

Redis has nothing of this; the tests are skipped on redis-server.
"""

import re
import shutil
import subprocess

import pytest

import holdings
from saving import dump, info, wait_until
from support import resp, servers

KEYS = 2000
ENDS_WITHIN_S = 20


@pytest.fixture(autouse=True)
def _cloakroom_only(server_kind):
    if server_kind != "cloakroom":
        pytest.skip("about settings that only cloakroom-server has")


# --- Repair ---------------------------------------------------------------------------------------


def _value(name):
    return b"value of " + name + b" " * 20


@pytest.fixture
def expected():
    """Key -> value of the snapshot that is then damaged."""
    return {name: _value(name) for name in (b"key%06d" % n for n in range(KEYS))}


@pytest.fixture
def stopped(start_server, expected):
    """A stopped server with an uncompressed snapshot of `expected`."""
    server = start_server({"rdbcompression": "no"})
    with server.connect() as connection:
        connection.ok("MSET", *(word for pair in expected.items() for word in pair))
        connection.ok("SAVE")
    server.kill()
    return server


def _middle_record(data):
    """Where the record of a string in the middle of the file begins, with its type, and its key's name."""
    at = data.index(b"key", len(data) // 2)
    while data[at - 2:at] != b"\x00\x09":
        at = data.index(b"key", at + 1)
    return at - 2, bytes(data[at:at + 9])


def _damage(server, offset_in_record, byte):
    """Changes a byte of a record in the middle of the snapshot: (the record's offset, its key)."""
    data = bytearray(dump(server).read_bytes())
    at, key = _middle_record(data)
    assert data[at + offset_in_record] != byte
    data[at + offset_in_record] = byte
    dump(server).write_bytes(data)
    return at, key


def _start_that_fails(server):
    """Exit status and output of a start that must fail."""
    server.log_path.unlink()
    server.spawn()
    return server.exit_status(), server.log()


def _content(connection):
    keys = connection.ok("KEYS", "*")
    return dict(zip(keys, connection.ok("MGET", *keys)))


DAMAGES = {
    "type that there is not": (0, 0x1E), "key longer than the file": (1, 0x80),
    "string that says it is shorter": (2 + 9, 0x05), "string that says it is longer": (2 + 9, 0x3F),
    "string of no known encoding": (2 + 9, 0xFE),
}


@pytest.mark.parametrize("offset, byte", DAMAGES.values(), ids=DAMAGES.keys())
def test_damage_in_the_middle_is_named_with_its_place_and_what_to_do(stopped, offset, byte):
    at, _ = _damage(stopped, offset, byte)
    status, log = _start_that_fails(stopped)
    assert status == 1
    assert "dump.rdb" in log and "--repair yes" in log and "cloakroom-check-rdb" in log
    offsets = [int(number) for number in re.findall(r"offset (\d+)", log)]
    assert offsets and any(at - 10 <= number <= at + 200 for number in offsets), (at, log)


def test_damaged_value_is_named_with_its_key(stopped):
    _, key = _damage(stopped, *DAMAGES["string of no known encoding"])
    _, log = _start_that_fails(stopped)
    assert f"key '{key.decode()}'" in log


@pytest.mark.parametrize("offset, byte", DAMAGES.values(), ids=DAMAGES.keys())
def test_repair_loads_all_but_what_the_damage_touched(stopped, expected, offset, byte):
    at, victim = _damage(stopped, offset, byte)
    damaged = dump(stopped).read_bytes()
    stopped.directives["repair"] = "yes"
    stopped.launch()
    with stopped.connect() as connection:
        found = _content(connection)
        connection.ok("SET", "after", 1)
    assert dump(stopped).read_bytes() == damaged
    assert "Lost: " in stopped.log()
    # The damaged record is lost, and perhaps the one where its end is taken to be.
    assert len(found) >= KEYS - 3
    found.pop(victim, None)
    assert {key: value for key, value in found.items() if expected.get(key) != value} == {}


def test_repaired_data_is_saved_and_needs_no_repair_again(stopped):
    _damage(stopped, 0, 0x1E)
    stopped.directives["repair"] = "yes"
    stopped.launch()
    with stopped.connect() as connection:
        content = _content(connection)
        connection.ok("SAVE")
    stopped.kill()
    del stopped.directives["repair"]
    stopped.launch()
    with stopped.connect() as connection:
        assert _content(connection) == content != {}


def test_repaired_log_needs_no_repair_again(start_server, expected):
    server = start_server({"rdbcompression": "no", "appendonly": "yes"})
    with server.connect() as connection:
        connection.ok("MSET", *(word for pair in expected.items() for word in pair))
        connection.ok("BGREWRITEAOF")
        wait_until(lambda: info(connection)["aof_rewrites"] == "1", "rewritten")
    server.kill()
    base = next(server.directory.glob("appendonlydir/*.base.rdb"))
    data = bytearray(base.read_bytes())
    data[_middle_record(data)[0]] = 0x1E
    base.write_bytes(data)
    assert _start_that_fails(server)[0] == 1
    assert base.read_bytes() == data
    server.directives["repair"] = "yes"
    server.launch()
    with server.connect() as connection:
        wait_until(lambda: info(connection)["aof_rewrites"] == "1", "rewritten")
    assert not base.exists()
    server.kill()
    del server.directives["repair"]
    server.launch()
    with server.connect() as connection:
        assert KEYS - 3 <= connection.ok("DBSIZE") < KEYS


def test_repair_is_an_option_of_the_command_line(stopped):
    _damage(stopped, 0, 0x1E)
    command = [servers.binary("cloakroom"), str(stopped.directory / "server.conf")]
    refused = subprocess.run(command, cwd=stopped.directory, capture_output=True, text=True,
                             timeout=ENDS_WITHIN_S, check=False)
    assert refused.returncode == 1 and "--repair yes" in refused.stdout + refused.stderr
    with subprocess.Popen([*command, "--repair", "yes"], cwd=stopped.directory, stdout=subprocess.DEVNULL,
                          stderr=subprocess.STDOUT) as process:
        try:
            wait_until(lambda: process.poll() is not None or _is_ready(stopped), "started")
            with stopped.connect() as connection:
                assert connection.ok("DBSIZE") >= KEYS - 3
        finally:
            process.kill()


def _is_ready(server):
    try:
        with server.connect() as connection:
            return connection.call("PING") == b"PONG"
    except (OSError, resp.ConnectionClosed):
        return False


# --- Versions of the format -----------------------------------------------------------------------


@pytest.fixture
def written(start_server):
    """Starts a server that saves in a version, with data of every kind: returns the stopped server, its
    data, and when its keys expire."""
    def write(version):
        server = start_server({"rdb-version": version})
        with server.connect(timeout_s=30) as connection:
            holdings.fill(connection)
            if version < 10:  # it lacks what XINFO counts of a stream's entries
                connection.ok("SELECT", 1)
                connection.ok("DEL", *connection.ok("SCAN", 0, "COUNT", 10_000, "TYPE", "stream")[1])
            connection.ok("SAVE")
        held = holdings.values(holdings.of(server)), holdings.expiries_ms(server)
        assert held[1] != {} and {0, 1, 3} <= {database for database, _ in held[0]}
        server.kill()
        assert dump(server).read_bytes()[:9] == b"REDIS%04d" % version
        return server, held
    return write


@pytest.mark.parametrize("version", [9, 10, 11, 12])
def test_snapshot_of_each_version_is_read_again(written, version):
    server, held = written(version)
    server.launch()
    assert (holdings.values(holdings.of(server)), holdings.expiries_ms(server)) == held


@pytest.mark.parametrize("version", [9, 10])
def test_snapshot_of_an_older_version_is_read_by_redis(written, tmp_path, version):
    server, held = written(version)
    shutil.copy(dump(server), tmp_path / "dump.rdb")
    with servers.start("redis", directory=tmp_path) as redis:
        assert (holdings.values(holdings.of(redis)), holdings.expiries_ms(redis)) == held


@pytest.mark.parametrize("version", [9, 10, 11, 12])
def test_version_is_changed_while_it_runs(start_server, version):
    server = start_server()
    with server.connect() as connection:
        connection.ok("SET", "key", 1)
        connection.ok("CONFIG", "SET", "rdb-version", version)
        connection.ok("SAVE")
        assert dump(server).read_bytes()[:9] == b"REDIS%04d" % version
