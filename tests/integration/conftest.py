"""The servers under test. `--server redis` proves the tests right, the default tests Cloakroom."""

import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sentinels import Sentinels  # noqa: E402
from support import servers  # noqa: E402


def pytest_addoption(parser):
    parser.addoption("--server", choices=servers.KINDS, default="cloakroom",
                     help="the server that the tests talk to")


def pytest_configure(config):
    # Both ends need thousands of sockets; a server that is started inherits the limit.
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


@pytest.fixture(scope="session")
def server_kind(request):
    kind = request.config.getoption("--server")
    if not servers.available(kind):
        pytest.exit(f"no program at {servers.binary(kind)}; set CLOAKROOM_SERVER", returncode=2)
    return kind


class _Shared:
    """One server for all tests that need no special settings; a crashed one is replaced."""

    def __init__(self, kind):
        self._kind = kind
        self._server = None

    def fresh(self):
        if self._server is None or not self._server.is_running():
            self.stop()
            self._server = servers.start(self._kind)
        with self._server.connect() as connection:
            connection.ok("FLUSHALL")
            connection.ok("SCRIPT", "FLUSH")
            connection.ok("FUNCTION", "FLUSH")
        return self._server

    def stop(self):
        if self._server is not None:
            self._server.stop()
            self._server = None


@pytest.fixture(scope="session")
def _shared(server_kind):
    shared = _Shared(server_kind)
    yield shared
    shared.stop()


@pytest.fixture(scope="session")
def _commands(_shared):
    with _shared.fresh().connect() as connection:
        return {name.decode() for name in connection.ok("COMMAND", "LIST")}


@pytest.fixture(autouse=True)
def _needs(request):
    """Skips a test marked needs("command") on a server that does not have the command yet."""
    for marker in request.node.iter_markers("needs"):
        absent = set(marker.args) - request.getfixturevalue("_commands")
        if absent:
            pytest.skip("without " + " ".join(sorted(absent)))


@pytest.fixture
def server(_shared):
    """A server with default settings and an empty keyspace; it must outlive the test."""
    running = _shared.fresh()
    yield running
    assert running.is_running(), "the server ended during the test:\n" + running.log()[-4000:]


@pytest.fixture
def start_server(server_kind):
    """Starts servers with the test's own settings: start_server({"timeout": 1})."""
    started = []

    def start(directives=None, **options):
        started.append(servers.start(server_kind, directives, **options))
        return started[-1]

    yield start
    for one in started:
        one.stop()


@pytest.fixture
def start_one():
    """Starts servers of either kind: start_one("redis", {"timeout": 1})."""
    started = []

    def start(kind, directives=None):
        server = servers.Server(kind, directives)
        started.append(server)
        return server.launch()

    yield start
    for one in reversed(started):
        one.stop()


@pytest.fixture
def sentinels(tmp_path):
    """sentinels.start(primary, replicas) starts three redis-sentinels."""
    group = Sentinels(tmp_path)
    yield group
    group.stop()


@pytest.fixture(params=servers.KINDS)
def primary_kind(request):
    """Each kind of server that a replica may follow."""
    if not servers.available(request.param):
        pytest.skip(f"no program at {servers.binary(request.param)}")
    return request.param


@pytest.fixture
def connection(server):
    with server.connect() as one:
        yield one


@pytest.fixture(scope="session")
def program():
    """The path of a program that the test runs; skips the test if it is not installed."""
    def find(name):
        path = shutil.which(name)
        if path is None:
            pytest.skip(f"{name} is not installed")
        return path
    return find


@pytest.fixture(scope="session")
def drill():
    """Starts cloakroom-drill with some arguments."""
    path = Path(os.environ.get("CLOAKROOM_DRILL")
                or Path(servers.binary("cloakroom")).parent / "cloakroom-drill")
    if not path.exists():
        pytest.skip(f"no program at {path}")

    def start(*words, environment=None):
        return subprocess.Popen([str(path), *map(str, words)], stdin=subprocess.DEVNULL, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                env={**os.environ, **(environment or {})})
    return start


@pytest.fixture(scope="session")
def run_drill(drill):
    """Runs cloakroom-drill to its end; its exit status, and what it said."""
    def to_the_end(*words, environment=None):
        process = drill(*words, environment=environment)
        out, err = process.communicate(timeout=60)
        return process.returncode, out + err
    return to_the_end


@pytest.fixture
def environment():
    """The environment of client programs: in C, so that their numbers and texts are the same
    everywhere."""
    return {**os.environ, "LC_ALL": "C.UTF-8", "TZ": "UTC"}

