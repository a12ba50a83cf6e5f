"""The packages under test, which `./dev test package` built: release 1 and release 2."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support import servers  # noqa: E402
from roots import REPOSITORY, Root, Systemd  # noqa: E402

PACKAGES = REPOSITORY / "build" / "packages"


def _one(pattern):
    found = sorted(PACKAGES.glob(pattern))
    if len(found) != 1:
        pytest.exit(f"{len(found)} packages {PACKAGES / pattern}; run ./dev test package", returncode=2)
    return found[0]


class Packages:
    """Paths, and what the packages say about themselves."""

    deb = _one("*.deb")
    next_deb = _one("next/*.deb")
    rpm = _one("*.rpm")
    next_rpm = _one("next/*.rpm")
    version = subprocess.run(["dpkg-deb", "-f", deb, "Version"], capture_output=True, text=True,
                             check=True).stdout.strip()


@pytest.fixture(scope="session")
def packages():
    if os.geteuid() != 0:
        pytest.skip("installing needs root")
    return Packages


@pytest.fixture(scope="module")
def root(request):
    """A clean Debian 12 for all tests of a file, in their order."""
    one = Root(request.module.__name__)
    yield one
    one.remove()


@pytest.fixture(scope="module")
def systemd(root):
    return Systemd(root)


@pytest.fixture(scope="module")
def port():
    return servers.free_port()


class Visit:
    """A shopper's visits, as Magento's session library makes them; see tests/integration."""

    KEY = "sess_0123456789abcdef0123456789"
    BASKET = b"gz:" + bytes(range(256)) * 8

    @classmethod
    def make(cls, connection):
        """Reads the session under its lock and writes it back, one write more."""
        connection.ok("SELECT", "2")
        assert connection.ok("HINCRBY", cls.KEY, "lock", "1") == 1
        data, writes = connection.ok("HMGET", cls.KEY, "data", "writes")
        assert data in (None, cls.BASKET)
        replies = connection.pipeline([
            ("HMSET", cls.KEY, "pid", "web1|4711", "lock", "1", "req", "GET /checkout"),
            ("EXPIRE", cls.KEY, "21600")])
        assert replies == [b"OK", 1]
        assert connection.ok("HGET", cls.KEY, "pid") == b"web1|4711"
        replies = connection.pipeline([
            ("HMSET", cls.KEY, "data", cls.BASKET, "lock", "0"),
            ("HINCRBY", cls.KEY, "writes", "1"), ("EXPIRE", cls.KEY, "2592000")])
        assert replies == [b"OK", int(writes or 0) + 1, 1]

    @classmethod
    def writes(cls, connection):
        """How many visits the server remembers, with the basket and its expiry intact."""
        connection.ok("SELECT", "2")
        data, writes = connection.ok("HMGET", cls.KEY, "data", "writes")
        if writes is None:
            return 0
        assert data == cls.BASKET and 0 < connection.ok("TTL", cls.KEY) <= 2592000
        return int(writes)


@pytest.fixture(scope="session")
def visit():
    return Visit


@pytest.fixture(scope="session")
def saves(packages):
    """Proves that this build keeps data over a stop; without that the tests of the data prove nothing."""
    with servers.start("cloakroom") as server, server.connect() as connection:
        reply = connection.call("SAVE")
        if reply != b"OK" or not (server.directory / "dump.rdb").is_file():
            pytest.fail(f"SAVE answered {reply!r}; what the packages do with the data can't be checked")
    return True
