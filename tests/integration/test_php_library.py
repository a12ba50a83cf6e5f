"""The unmodified library of Magento beside native clients on one session.

Composer fetches the library into ~/.cache/cloakroom-php. Where it cannot, the test is skipped: the
package's plain store, whose transcript is compared with the library's recorded traffic, stands for it
(test_php_package.py)."""

import shutil
import subprocess
import threading
from pathlib import Path

import pytest

PHP = Path(__file__).parent / "php"
LIBRARY = "colinmollenhour/php-redis-session-abstract"
VERSIONS = ("1.6.0", "2.1.0")
VISITS = 5


@pytest.fixture(params=VERSIONS)
def autoload(request):
    if shutil.which("composer") is None:
        pytest.skip(f"composer is not installed, so {LIBRARY} cannot be fetched")
    folder = Path.home() / ".cache" / "cloakroom-php" / request.param
    found = folder / "vendor" / "autoload.php"
    if not found.exists():
        folder.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            ["composer", "require", "--no-interaction", "--quiet", f"{LIBRARY}:{request.param}"],
            cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120,
            env={"HOME": str(Path.home()), "PATH": "/usr/bin:/bin", "COMPOSER_ALLOW_SUPERUSER": "1",
                 "COMPOSER_PROCESS_TIMEOUT": "60"}, check=False)
        if done.returncode != 0 or not found.exists():
            why = " ".join(done.stderr.split())[:200]
            pytest.skip(f"composer cannot fetch {LIBRARY} {request.param}: {why}")
    return found


@pytest.mark.needs("session.open")
def test_the_library_and_native_clients_lose_no_write(autoload, server):
    def visit_natively():
        with server.connect(timeout_s=30) as client:
            client.ok("SELECT", 2)
            for _ in range(VISITS):
                state = client.ok("SESSION.OPEN", "sess_shared", "WAIT", 20000)
                count = int(state[1] or 0)
                client.ok("SESSION.COMMIT", "sess_shared", state[0], "DATA", count + 1, "EX", 3600)

    natives = [threading.Thread(target=visit_natively) for _ in range(2)]
    plains = [subprocess.Popen(["php", str(PHP / "library_visits.php"), str(autoload),
                                str(server.port), "shared", str(VISITS)]) for _ in range(2)]
    for native in natives:
        native.start()
    for native in natives:
        native.join(60)
    assert [plain.wait(60) for plain in plains] == [0, 0]
    with server.connect() as client:
        client.ok("SELECT", 2)
        assert int(client.ok("HGET", "sess_shared", "data")) == 4 * VISITS
