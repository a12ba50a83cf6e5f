"""A log on a disk that fills up, and what survives."""

import subprocess

import pytest

from saving import PATIENCE_S, crash, info, wait_until, wait_until_written
from support import resp

DISK_MB = 16


@pytest.fixture
def small_disk(tmp_path, program):
    """An empty file system in memory of DISK_MB; skips the test if it cannot be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run([program("mount"), "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", folder],
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"no tmpfs here: {done.stderr.strip()}")
    yield folder
    # Lazy, because a dying server may still use it.
    subprocess.run(["umount", "--lazy", folder], check=True)


def _fill_up(path):
    with open(path, "wb", buffering=0) as filler:
        with pytest.raises(OSError, match="No space left"):
            while True:
                filler.write(bytes(64 * 1024))


def _refused(reply):
    refused = isinstance(reply, resp.Error)
    assert reply.startswith(b"MISCONF ") if refused else reply in (b"OK", b"PONG"), reply
    return refused


def _on(disk, appendfsync):
    return {"dir": disk, "appendonly": "yes", "appendfsync": appendfsync, "auto-aof-rewrite-percentage": "0"}


@pytest.fixture
def cramped(small_disk, start_server):
    """A server that keeps its log on the small disk."""
    return start_server(_on(small_disk, "everysec"))


def test_full_disk_stops_writes_until_there_is_room(small_disk, cramped):
    acknowledged = {}

    def write(value):
        """Writes one more key; returns whether the write was refused."""
        key = b"key%d" % len(acknowledged)
        if _refused(connection.call("SET", key, value)):
            return True
        acknowledged[key] = value
        return False

    with cramped.connect() as connection:
        for _ in range(100):
            assert not write(b"v" * 1000)
        wait_until_written(connection)
        _fill_up(small_disk / "filler")
        wait_until(lambda: write(b"w" * 1000), "refused")
        assert info(connection)["aof_last_write_status"] == "err"
        assert connection.call("GET", "key7") == b"v" * 1000
        assert connection.call("EVAL", "return redis.call('GET', KEYS[1])", 1, "key7") == b"v" * 1000
        (small_disk / "filler").unlink()
        wait_until(lambda: not write(b"x" * 1000), "written again")
        assert info(connection)["aof_last_write_status"] == "ok"
        assert not write(b"y" * 1000)
        wait_until_written(connection)
    crash(cramped)
    with cramped.connect() as connection:
        assert dict(zip(acknowledged, connection.ok("MGET", *acknowledged))) == acknowledged
        assert connection.ok("DBSIZE") == len(acknowledged)


def test_every_refusal_on_a_full_disk_names_the_log_and_the_disk(small_disk, cramped):
    """Every one: there are no save points, so no refusal is about a snapshot."""
    replies = set()

    def refused():
        replies.add(connection.call("SET", "key", "v" * 1000))
        return resp.Error in map(type, replies)

    def written():
        replies.add(connection.call("SET", "key", "v" * 1000))
        return b"OK" in replies

    with cramped.connect() as connection:
        _fill_up(small_disk / "filler")
        wait_until(refused, "refused")
        replies.discard(b"OK")
        (small_disk / "filler").unlink()
        wait_until(written, "written again")
    replies.discard(b"OK")
    for reply in replies:
        assert reply.startswith(b"MISCONF Errors writing to the AOF file: "), reply
        assert reply.endswith(b"No space left on device"), reply


def test_crash_on_a_full_disk_keeps_what_was_there_before(small_disk, cramped):
    with cramped.connect() as connection:
        before = {b"key%d" % n: b"v" * 1000 for n in range(100)}
        connection.pipeline([("SET", key, value) for key, value in before.items()])
        wait_until_written(connection)
        _fill_up(small_disk / "filler")
        wait_until(lambda: _refused(connection.call("SET", "trouble", "w" * 1000)), "refused")
    cramped.kill()
    (small_disk / "filler").unlink()
    cramped.launch()
    with cramped.connect() as connection:
        assert dict(zip(before, connection.ok("MGET", *before))) == before
        assert connection.call("SET", "key", 1) == b"OK"


def test_write_that_must_be_sure_is_answered_when_there_is_room(small_disk, start_server, server_kind):
    """An executed write can no longer be refused, and is not acknowledged before it is on the disk."""
    if server_kind == "redis":
        pytest.skip("redis-server ends when it cannot write what must be sure")
    server = start_server(_on(small_disk, "always"))
    _fill_up(small_disk / "filler")
    large = b"v" * 100_000
    with server.connect() as unlucky, server.connect() as other:
        unlucky.send("SET", "large", large)
        wait_until(lambda: _refused(other.call("PING")), "refused")
        assert _refused(other.call("SET", "key", 1))
        (small_disk / "filler").unlink()
        assert unlucky.read(PATIENCE_S) == b"OK"
    crash(server)
    with server.connect() as connection:
        assert connection.ok("GET", "large") == large
        assert connection.ok("EXISTS", "key") == 0
