"""PHP caches: Symfony's adapters, and both layouts of Magento with their tag indexes checked."""

import time
from pathlib import Path

import pytest

from programs import run, together

PHP = Path(__file__).parent / "php"
WORKERS = 4
SAVES = 600


@pytest.fixture
def php(program):
    """The command line of one of our PHP programs."""
    def command(script, *arguments):
        return [program("php"), str(PHP / script), *map(str, arguments)]
    return command


@pytest.mark.parametrize("library", ["phpredis", "predis"])
@pytest.mark.parametrize("kind", ["plain", "tags"])
def test_symfony_adapter(server, php, library, kind):
    assert run(php("symfony_cache.php", server.port, library, kind)).stdout == b"ok\n"


def _keys(connection, pattern):
    cursor, names = b"0", set()
    while True:
        cursor, page = connection.call("SCAN", cursor, "MATCH", pattern, "COUNT", 1000)
        names.update(page)
        if cursor == b"0":
            return names


def _check_cm_index(connection):
    """Every live entry is in the set of each of its tags; no tag set names a dead entry."""
    live = _keys(connection, "zc:k:*")
    indexed = connection.call("SMEMBERS", "zc:tags")
    for key in live:
        tags = connection.call("HGET", key, "t")
        for tag in tags.split(b",") if tags else []:
            assert connection.call("SISMEMBER", b"zc:ti:" + tag, key[5:]) == 1, (key, tag)
            assert tag in indexed
    for tag in _keys(connection, "zc:ti:*"):
        for one in connection.call("SMEMBERS", tag):
            assert b"zc:k:" + one in live, (tag, one)
    return len(live)


def test_cm_cache_keeps_its_tag_index(server, php):
    cleaned = together([php("cm_cache.php", server.port, "work", f"w{n}", SAVES, n)
                        for n in range(WORKERS)])
    assert all(int(count) > 0 for count in cleaned)
    time.sleep(1.1)  # the entries that live for a second
    assert int(run(php("cm_cache.php", server.port, "gc")).stdout) > 0
    with server.connect() as connection:
        assert _check_cm_index(connection) > 100


def test_cm_cache_flush_empties_one_database(server, php):
    run(php("cm_cache.php", server.port, "work", "w0", 50, 1))
    with server.connect() as connection:
        connection.ok("SELECT", "1")
        connection.ok("SET", "page", "kept")
        connection.ok("SELECT", "0")
        connection.ok("FLUSHDB")
        assert connection.call("DBSIZE") == 0
        connection.ok("SELECT", "1")
        assert connection.call("GET", "page") == b"kept"


def _check_tagged_index(connection, dead_allowed):
    """Each entry, its set of tags, the tags' sets and the set of all ids agree with each other."""
    live = {key[len(b"mage_:"):] for key in _keys(connection, "mage_:*")}
    all_ids = set(connection.call("SMEMBERS", "cache:all_ids"))
    assert live <= all_ids
    assert dead_allowed or live == all_ids
    for one in all_ids:
        tags = connection.call("SMEMBERS", b"cache:id_tags:mage_" + one)
        assert tags, one
        for tag in tags:
            assert connection.call("SISMEMBER", b"cache:tags:mage_" + tag, one) == 1, (one, tag)
    for tag in _keys(connection, "cache:tags:mage_*"):
        for one in connection.call("SMEMBERS", tag):
            name = tag[len(b"cache:tags:mage_"):]
            assert connection.call("SISMEMBER", b"cache:id_tags:mage_" + one, name) == 1, (tag, one)
            assert one in all_ids
    return len(live)


def test_tagged_cache_keeps_its_index_between_processes(server, php):
    removed = together([php("tagged_cache.php", server.port, "work", SAVES, n)
                        for n in range(WORKERS)])
    assert sum(map(int, removed)) > 0
    time.sleep(1.1)  # the entries that live for a second
    with server.connect() as connection:
        _check_tagged_index(connection, dead_allowed=True)
    assert int(run(php("tagged_cache.php", server.port, "gc")).stdout) > 0
    with server.connect() as connection:
        assert _check_tagged_index(connection, dead_allowed=False) > 50
        assert _keys(connection, "lock:*") == set()
