"""The configurations of packaging/magento/env.md, served exactly as they are there."""

import re

import pytest

from support import servers

from roots import REPOSITORY, Service

CONF = "/etc/cloakroom/cloakroom.conf"
SOCKET, CACHE_SOCKET = "/run/cloakroom/cloakroom.sock", "/run/cloakroom-cache/cloakroom.sock"
PING = r"""use IO::Socket::UNIX; my $s = IO::Socket::UNIX->new(Peer => shift) or die "$!\n";
           print $s "PING\r\n"; print scalar <$s>;"""


def _block(title):
    """The indented lines of the guide below `# title`."""
    guide = (REPOSITORY / "packaging/magento/env.md").read_text()
    found, = re.findall(rf"(?m)^    # {re.escape(title)}\n((?:    \S.*\n)+)", guide)
    return [line.strip() for line in found.splitlines()]


def _set(text, line):
    """The configuration with `line` in place of the line of its directive."""
    text, count = re.subn(rf"(?m)^{line.split()[0]} .*$", line, text)
    assert count == 1, line
    return text


@pytest.fixture(scope="module")
def packaged(root, packages):
    """The configuration as the package installs it."""
    root.dpkg("-i", packages.deb)
    return (root / CONF).read_text()


def _write(root, path, text):
    (root / path).write_text(text)
    root.run("chown", "cloakroom:cloakroom", path)


def _check(root, path):
    status, output = root.run_as("cloakroom", "cloakroom", "cloakroom-server", "--check-config", path)
    assert status == 0 and "no errors found" in output, output


def _are_two(first, second):
    with first.connect() as connection, second.connect() as another:
        connection.ok("SET", "key", "sessions")
        assert another.call("GET", "key") is None
        assert connection.ok("CONFIG", "REWRITE") == another.ok("CONFIG", "REWRITE") == b"OK"


def test_two_servers_over_tcp(root, packaged, port):
    other = servers.free_port()
    cache = "\n".join(_block("/etc/cloakroom/cache.conf, over TCP")) + "\n"
    _write(root, CONF, _set(_set(packaged, f"port {port}"), f"unixsocket {SOCKET}"))
    _write(root, "/etc/cloakroom/cache.conf", _set(cache, f"port {other}"))
    _check(root, "/etc/cloakroom/cache.conf")
    with Service(root, port) as first, Service(root, other, "cloakroom-server@.service", "cache") as second:
        _are_two(first, second)


@pytest.fixture(scope="module")
def sockets(root, packaged):
    """Two servers over their sockets, as the guide has them."""
    text = packaged
    for line in _block(f"{CONF}, these lines"):
        text = _set(text, line)
    _write(root, CONF, text)
    cache = _block("/etc/cloakroom/cache.conf, over its socket")
    _write(root, "/etc/cloakroom/cache.conf", "\n".join(cache) + "\n")
    _check(root, CONF)
    _check(root, "/etc/cloakroom/cache.conf")
    with Service(root, 0, unix_socket=SOCKET) as first, Service(
            root, 0, "cloakroom-server@.service", "cache", unix_socket=CACHE_SOCKET) as second:
        yield first, second


def test_two_servers_over_their_sockets(sockets):
    _are_two(*sockets)


def test_with_sockets_nobody_listens_on_a_port(sockets):
    for service in sockets:
        with service.connect() as connection:
            assert connection.call("CONFIG", "GET", "port")[1] == b"0"


def test_group_may_use_the_sockets_and_nothing_else(root, sockets):
    for path in (SOCKET, CACHE_SOCKET):
        assert root.run_as("www-data", "cloakroom", "perl", "-e", PING, path) == (0, "+PONG\n"), path
    for command in (("cat", CONF), ("cat", "/etc/cloakroom/cache.conf"), ("ls", "/etc/cloakroom"),
                    ("touch", "/etc/cloakroom/x.conf"), ("rm", "-f", CONF), ("ls", "/var/lib/cloakroom"),
                    ("ls", "/var/log/cloakroom"), ("touch", "/run/cloakroom/x")):
        status, output = root.run_as("www-data", "cloakroom", *command)
        assert status != 0 and "Permission denied" in output, command


def test_others_may_not_use_the_sockets(root, sockets):
    for path in (SOCKET, CACHE_SOCKET):
        status, output = root.run_as("www-data", "www-data", "perl", "-e", PING, path)
        assert status != 0 and "Permission denied" in output, path
