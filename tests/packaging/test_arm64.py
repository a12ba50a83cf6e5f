"""The arm64 packages that `./dev package arm64` leaves, with their server run by qemu-user."""

import re
import subprocess
import time

import pytest

from roots import REPOSITORY
from support import resp, servers

FOLDER = REPOSITORY / "build" / "packages" / "arm64"
QEMU = ["qemu-aarch64", "-L", "/usr/aarch64-linux-gnu"]
START_TIMEOUT_S = 60


def _output(*command):
    return subprocess.run([*map(str, command)], capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The program out of the .deb."""
    found = list(FOLDER.glob("*_arm64.deb"))
    if not found:
        pytest.skip("no arm64 packages; ./dev package arm64 builds them")
    folder = tmp_path_factory.mktemp("arm64")
    subprocess.run(["dpkg-deb", "-x", found[0], folder], check=True)
    return folder / "usr/bin/cloakroom-server"


def test_it_is_for_arm64_and_loads_nothing_but_glibc(server):
    headers = _output("aarch64-linux-gnu-objdump", "-p", server)
    assert "file format elf64-littleaarch64" in headers
    needed = set(re.findall(r"NEEDED\s+(\S+)", headers))
    assert needed and needed <= {"libc.so.6", "libm.so.6", "ld-linux-aarch64.so.1"}


def test_it_runs_on_the_oldest_glibc(server):
    symbols = re.findall(r"\(GLIBC_2\.(\d+)\)\s+(\S+)", _output("aarch64-linux-gnu-objdump", "-T", server))
    assert len(symbols) > 50
    assert [symbol for symbol in symbols if int(symbol[0]) > 34] == []


def test_packages_say_so(server):
    deb, = FOLDER.glob("*.deb")
    rpm, = FOLDER.glob("*.rpm")
    assert _output("dpkg-deb", "-f", deb, "Architecture").strip() == "arm64"
    assert "libc6 (>= 2.34)" in _output("dpkg-deb", "-f", deb, "Depends")
    assert _output("rpm", "-qp", "--queryformat", "%{ARCH}", rpm) == "aarch64"
    assert "libc.so.6(GLIBC_2.34)(64bit)" in _output("rpm", "-qp", "--requires", rpm)


def test_it_serves_a_shopper(server, visit, tmp_path):
    port = servers.free_port()
    process = subprocess.Popen([*QEMU, server, "--port", str(port), "--bind", "127.0.0.1"], cwd=tmp_path,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            try:
                connection = resp.Connection(port)
                break
            except OSError:
                assert process.poll() is None and time.monotonic() < deadline
                time.sleep(0.05)
        with connection:
            visit.make(connection)
            visit.make(connection)
            assert visit.writes(connection) == 2
            assert connection.call("EVAL", "return {KEYS[1], 1.5 + 1.5}", "1", "k") == [b"k", 3]
        process.terminate()
        assert process.wait(timeout=30) == 0
    finally:
        process.kill()
        process.wait()
