"""Chaos with a ledger: no acknowledged commit of a session is lost, no refused one is applied, and no
plain client waits for more than five seconds."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from links import PROMPT, await_link
from sentinels import NAME, ask, known, wait_longer
from support import servers
from support.session_ledger import NativeWorker, Run

pytestmark = pytest.mark.needs("session.open")


def figure(server, name):
    with server.connect() as connection:
        lines = connection.ok("INFO", "sessions").decode().split("\r\n")
    return int(next(line for line in lines if line.startswith(name + ":")).split(":")[1])


def test_native_and_plain_clients_lose_nothing(start_server):
    server = start_server({"io-threads": 2})
    run = Run(server, workers=12, loses=True)
    run.start()
    time.sleep(8)
    run.end()
    assert run.verify() == []
    assert run.done() > 100
    assert all(hole.holes > 5 for hole in run.holes.values())
    assert figure(server, "session_commits") > 50


def test_polls_that_are_parked_lose_nothing(start_server):
    server = start_server({"io-threads": 2, "session-park-polls": 450})
    run = Run(server, workers=6, sessions=1, prefix="sess_")
    run.start()
    time.sleep(4)
    run.end()
    assert run.verify() == []
    assert run.done() > 50


@pytest.mark.parametrize("appendfsync, lost_s", [("always", 0), ("everysec", 1.5), ("no", 1.5)])
def test_crashes_lose_no_more_than_the_log_may(start_server, appendfsync, lost_s):
    server = start_server({"appendonly": "yes", "appendfsync": appendfsync})
    run, losses = Run(server, workers=10, kinds=(NativeWorker,), loses=True), []
    run.start()
    for _ in range(3):
        time.sleep(1.5)
        server.kill()
        losses.append((time.monotonic() - lost_s, time.monotonic()))
        server.launch()
    run.end()
    assert run.verify([] if appendfsync == "always" else losses) == []
    assert run.done() > 30


HOLDER = """
import sys
sys.path.insert(0, sys.argv[1])
from support import resp
connection = resp.Connection(int(sys.argv[2]), timeout_s=30)
fence = connection.ok("SESSION.OPEN", "s", "LEASE", 300, "OWNER", "web|1")[0]
print(fence, flush=True)
sys.stdin.readline()
print(connection.call("SESSION.COMMIT", "s", fence, "DATA", "mine").decode(), flush=True)
"""


@pytest.fixture
def holder(start_server):
    """A server, and a process that has the lock of the session "s" and commits when it is told to."""
    server = start_server()
    tests = Path(__file__).resolve().parents[1]
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(tests), str(server.port)],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    process.fence = int(process.stdout.readline())
    yield server, process
    process.kill()
    process.wait()


def test_a_killed_worker_gives_its_lock_back_at_once(holder):
    server, process = holder
    with server.connect() as client:
        client.send("SESSION.OPEN", "s", "WAIT", 20000, "LEASE", 600000)
        process.kill()
        assert client.read()[0] > process.fence
        assert figure(server, "session_freed_by_disconnect") == 1


def test_a_stopped_worker_loses_its_lock_and_is_told(holder):
    server, process = holder
    process.send_signal(signal.SIGSTOP)
    with server.connect() as client:
        state = client.ok("SESSION.OPEN", "s", "WAIT", 20000)
        assert state[5].startswith(b"web|1 ")
        assert client.ok("SESSION.COMMIT", "s", state[0], "DATA", "theirs") == 1
        process.send_signal(signal.SIGCONT)
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline().startswith("FENCED broken")
        assert client.ok("HGET", "s", "data") == b"theirs"


class Shop:
    """Whoever the Sentinels say is the primary."""

    def __init__(self, sentinels):
        self._sentinels = sentinels

    @property
    def port(self):
        found = known(self._sentinels.ports[0], "SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME)
        if found is None:
            raise OSError("no Sentinel")
        return int(found[1])

    def connect(self):
        return servers.resp.Connection(self.port, timeout_s=20)


def test_a_failover_loses_only_what_the_replica_did_not_have(start_server, sentinels):
    primary, replica = start_server(PROMPT), start_server(PROMPT)
    with replica.connect() as connection:
        connection.ok("REPLICAOF", "127.0.0.1", primary.port)
    await_link(replica)
    sentinels.start(primary, [replica])
    shop = Shop(sentinels)
    run = Run(shop, workers=8, kinds=(NativeWorker,))
    run.start()
    time.sleep(2)
    before = run.done()
    primary.kill()
    killed = time.monotonic()
    wait_longer(lambda: ask(sentinels.ports[0], "SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME)[1]
                == b"%d" % replica.port, "failed over")
    wait_longer(lambda: run.done() > before + 100, "at work again")
    run.end()
    assert run.verify([(killed - 1, killed)]) == []
