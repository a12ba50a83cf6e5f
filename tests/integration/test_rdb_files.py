"""cloakroom-check-rdb on RDB files that redis-server writes, in every encoding: its output and exit code
must be those of redis-check-rdb, for good files and for damaged ones."""

import random
import subprocess
from pathlib import Path

import pytest

from support import servers

CHECK = str(Path(servers.binary("cloakroom")).with_name("cloakroom-check-rdb"))
COMPACT = {"hash-max-listpack-entries": 128, "set-max-intset-entries": 512}
PLAIN = {"hash-max-listpack-entries": 0, "set-max-intset-entries": 0}
SETTINGS = [
    {"rdbcompression": "yes", **COMPACT},
    {"rdbcompression": "no", **COMPACT},
    {"rdbcompression": "yes", **PLAIN},
    {"rdbchecksum": "no", **PLAIN},
    {"maxmemory-policy": "allkeys-lru", **COMPACT},
    {"maxmemory-policy": "allkeys-lfu", **COMPACT},
]


def fill(connection):
    """Strings, hashes, sets, and types that only Redis has, in databases 0, 3 and 9."""
    for number in (0, -1, 127, -128, 128, 32767, 32768, 2**31 - 1, 2**31, -2**31, 2**63 - 1):
        connection.ok("SET", f"int:{number}", str(number))
    for size in (0, 1, 20, 21, 63, 64, 100, 16383, 16384, 100_000):
        connection.ok("SET", f"text:{size}", "abcdefgh" * (size // 8) + "x" * (size % 8))
        connection.ok("SET", f"noise:{size}", random.Random(size).randbytes(size))
    connection.ok("SET", "later", "x", "EX", "100000")
    connection.ok("SELECT", "3")
    for count in (1, 5, 128, 129, 2000):
        for field in range(count):
            connection.ok("HSET", f"hash:{count}", f"field{field}", "v" * (field % 70))
            connection.ok("SADD", f"ints:{count}", str(field * 100_003))
            connection.ok("SADD", f"set:{count}", f"member{field}")
    connection.ok("PEXPIRE", "hash:5", "10000000")
    connection.ok("SELECT", "9")
    for member in range(300):
        connection.ok("RPUSH", "list", f"element{member}")
        connection.ok("ZADD", "zset", str(member / 7), f"m{member}")
        connection.ok("XADD", "stream", "*", "field", str(member))
    connection.ok("XGROUP", "CREATE", "stream", "group", "0")
    connection.ok("XREADGROUP", "GROUP", "group", "consumer", "COUNT", "5", "STREAMS", "stream", ">")
    connection.ok("FUNCTION", "LOAD", "#!lua name=lib\nredis.register_function('f', function() end)")


@pytest.fixture(scope="module", params=range(len(SETTINGS)))
def dump(request, tmp_path_factory):
    """A file that redis-server has written under one of SETTINGS."""
    folder = tmp_path_factory.mktemp("rdb")
    server = servers.start("redis", {"dir": str(folder), **SETTINGS[request.param]})
    try:
        with server.connect() as connection:
            fill(connection)
            connection.ok("SAVE")
    finally:
        server.stop()
    return folder / "dump.rdb"


def told(program, path):
    """Exit code and output."""
    done = subprocess.run([program, path.name], cwd=path.parent, capture_output=True, text=True,
                          errors="backslashreplace", timeout=60)
    return done.returncode, done.stdout


def test_good_files_read_as_redis_reads_them(dump, program):
    ours = told(CHECK, dump)
    assert ours == told(program("redis-check-rdb"), dump)
    assert ours[0] == 0 and "RDB looks OK" in ours[1]


def test_files_cut_short_fail_alike(dump, program, tmp_path):
    content = dump.read_bytes()
    chosen = random.Random(1)
    for size in [0, 5, 8, 9, 10, *(chosen.randrange(len(content)) for _ in range(40))]:
        path = tmp_path / "cut.rdb"
        path.write_bytes(content[:size])
        ours, theirs = told(CHECK, path), told(program("redis-check-rdb"), path)
        if "rdb.c:" in theirs[1]:  # Redis names a line of its source, which we cannot.
            ours, theirs = ours[:1], theirs[:1]
        assert ours == theirs, f"cut at {size}"


def test_a_changed_byte_never_goes_unnoticed(dump, tmp_path):
    content = bytearray(dump.read_bytes())
    if content.endswith(bytes(8)):
        pytest.skip("without a checksum nobody notices")
    chosen = random.Random(2)
    for _ in range(100):
        place = chosen.randrange(len(content))
        content[place] ^= 1 << chosen.randrange(8)
        path = tmp_path / "changed.rdb"
        path.write_bytes(content)
        assert told(CHECK, path)[0] == 1, f"byte {place}"
        content[:] = dump.read_bytes()
