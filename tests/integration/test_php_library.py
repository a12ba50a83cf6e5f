"""The unmodified library of Magento beside native clients on one session.

Composer fetches the library into ~/.cache/cloakroom-php. Where it cannot, its tests are skipped: the
package's plain store, whose transcript is compared with the library's recorded traffic
(test_php_package.py), does the same."""

import shutil
import subprocess
import threading
import time
from pathlib import Path

import pytest

from programs import together
from saving import wait_until
from support.session_ledger import PLAIN_WAIT_S

PHP = Path(__file__).parent / "php"
LIBRARY = "colinmollenhour/php-redis-session-abstract"
VERSIONS = ("1.6.0", "2.1.0")
PACKAGE = "cloakroom/session"


def autoload_of(version):
    if shutil.which("composer") is None:
        pytest.skip(f"composer is not installed, so {LIBRARY} cannot be fetched")
    folder = Path.home() / ".cache" / "cloakroom-php" / version
    found = folder / "vendor" / "autoload.php"
    if not found.exists():
        folder.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            ["composer", "require", "--no-interaction", "--quiet", f"{LIBRARY}:{version}"],
            cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120,
            env={"HOME": str(Path.home()), "PATH": "/usr/bin:/bin", "COMPOSER_ALLOW_SUPERUSER": "1",
                 "COMPOSER_PROCESS_TIMEOUT": "60"}, check=False)
        if done.returncode != 0 or not found.exists():
            why = " ".join(done.stderr.split())[:200]
            pytest.skip(f"composer cannot fetch {LIBRARY} {version}: {why}")
    return found


@pytest.fixture(params=[PACKAGE, *VERSIONS])
def visits(request, program):
    """What to run to visit the session "shared" so many times as a plain client."""
    if request.param == PACKAGE:
        command = [program("php"), PHP / "plain_visits.php"]
    else:
        command = [program("php"), PHP / "library_visits.php", autoload_of(request.param)]
    return lambda port, number: [*command, port, "shared", number]


class Natives:
    """Two native clients who visit the session in turn. `pause_s`: how long each rests after a visit;
    without that the lock is never free."""

    def __init__(self, server, pause_s=0):
        self._server, self._pause_s = server, pause_s
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._visit, daemon=True) for _ in range(2)]
        self.fences = []
        for thread in self._threads:
            thread.start()

    def _visit(self):
        with self._server.connect(timeout_s=30) as client:
            client.ok("SELECT", 2)
            while not self._stop.wait(self._pause_s):
                state = client.ok("SESSION.OPEN", "sess_shared", "WAIT", 20000)
                time.sleep(0.005)
                client.ok("SESSION.COMMIT", "sess_shared", state[0], "DATA", int(state[1] or 0) + 1,
                          "EX", 3600)
                self.fences.append(state[0])

    def end(self):
        self._stop.set()
        for thread in self._threads:
            thread.join(60)


def longest_wait_s(server, natives, commands):
    """Of the plain clients, with natives beside them until they end. No write may be lost."""
    try:
        wait_until(lambda: natives.fences, "natives visit the session")
        waits = [float(wait) for wait in b"".join(together(commands)).split()]
    finally:
        natives.end()
    with server.connect() as client:
        client.ok("SELECT", 2)
        count = int(client.ok("HGET", "sess_shared", "data"))
    assert count == len(waits) + len(natives.fences)
    return max(waits)


@pytest.mark.needs("session.open")
def test_plain_and_native_clients_lose_no_write(visits, server):
    commands = [visits(server.port, 5) for _ in range(2)]
    assert longest_wait_s(server, Natives(server, pause_s=0.05), commands) <= PLAIN_WAIT_S


@pytest.mark.needs("session.open")
def test_plain_clients_get_their_turns_among_natives_who_always_queue(visits, server):
    commands = [visits(server.port, 2) for _ in range(3)]
    assert longest_wait_s(server, Natives(server), commands) <= PLAIN_WAIT_S
