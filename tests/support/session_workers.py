"""Workers who share sessions, and a ledger of what they did: no acknowledged commit may be lost.

    tests/support/session_ledger.py [--seconds 3600] [--workers 50] [--seed 1] [--crash]

Each commit adds 1 to a counter in the session, and its own number to a list there. A worker notes
for each number what it was told: done, refused, or nothing (the reply was lost and a repeat was
refused). At the end the session must have every number that was done, once; none that was refused;
and of the others none twice. The counter must be their sum.

Half of the workers know SESSION.*, the others poll the hash, as Magento's library does. Workers lose
their connections, are killed by CLIENT KILL, and hold locks beyond their leases. With --crash the
server is killed as well, and restarts from its log.
"""

import argparse
import json
import random
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support import resp, servers  # noqa: E402



class Loading(Exception):
    """The server has been restarted and loads."""


LOST = (OSError, resp.ConnectionClosed, resp.ReplyTimeout, Loading)
LEASE_MS = 1000
PLAIN_BREAK_AFTER_S = 5.0
PLAIN_POLL_S = 0.05
DONE, REFUSED, UNKNOWN = "done", "refused", "unknown"
# What a server answers that is not, or not any more, the one to ask.
ELSEWHERE = (b"LOADING", b"UNBLOCKED", b"READONLY", b"MASTERDOWN")


def merge(session, worker, number):
    """The session's text with one more commit in it. The numbers of a worker are kept as ranges."""
    content = json.loads(session or b'{"count": 0, "by": {}}')
    content["count"] += 1
    ranges = content["by"].setdefault(worker, [])
    if ranges and ranges[-1][1] + 1 == number:
        ranges[-1][1] = number
    else:
        ranges.append([number, number])
    return json.dumps(content).encode()


class Worker(threading.Thread):
    """Commits to random sessions until it is told to stop. `ledger`: (session, number) -> outcome, and
    when it was known."""

    def __init__(self, port_of, name, sessions, stop, seed):
        super().__init__(name=name, daemon=True)
        self._port_of = port_of
        self._sessions = sessions
        self._stop_event = stop
        self._random = random.Random(seed)
        self._connection = None
        self._numbers = dict.fromkeys(sessions, 0)
        self.ledger = {}
        self.failure = None
        self.waits = []

    def run(self):
        try:
            while not self._stop_event.is_set():
                try:
                    self.visit(self._random.choice(self._sessions))
                except LOST:
                    self.drop()
        except Exception as failure:  # a thread's exception must reach the test
            self.failure = failure
        finally:
            self.drop()

    def connection(self):
        while self._connection is None:
            try:
                self._connection = resp.Connection(self._port_of(), timeout_s=20)
            except OSError:
                if self._stop_event.is_set():
                    raise
                time.sleep(0.02)
        return self._connection

    def drop(self):
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def note(self, session, number, outcome):
        self.ledger[session, number] = outcome, time.monotonic()

    def next_number(self, session):
        self._numbers[session] += 1
        return self._numbers[session]

    def work(self):
        time.sleep(self._random.choice([0, 0, 0.001, 0.002, 0.005, 0.02]))

    def visit(self, session):
        raise NotImplementedError


class NativeWorker(Worker):
    def visit(self, session):
        began = time.monotonic()
        state = self.connection().call("SESSION.OPEN", session, "WAIT", 15000, "LEASE", LEASE_MS,
                                       "OWNER", f"{self.name}|1", "REQ", "GET /ledger")
        if isinstance(state, resp.Error):
            code = state.split()[0]
            assert code in (b"LOCKED", b"TOOMANY", *ELSEWHERE), state
            if code in ELSEWHERE:
                raise Loading
            return
        self.waits.append(time.monotonic() - began)
        fence, data, _, version = state[:4]
        chance = self._random.random()
        if chance < 0.02:
            return self.drop()
        if chance < 0.04:
            self.connection().call("SESSION.RELEASE", session, fence)
            return None
        self.work()
        if self._random.random() < 0.02:
            time.sleep(1.6 * LEASE_MS / 1000)
        number = self.next_number(session)
        self.note(session, number, UNKNOWN)
        commit = ["SESSION.COMMIT", session, fence, "DATA", merge(data, self.name, number), "EX", 3600,
                  "IF", version]
        self.note(session, number, self.commit(commit))
        return None

    def commit(self, commit):
        """Sends it, and once more when the reply is lost."""
        lost = False
        for _ in range(2):
            try:
                connection = self.connection()
                if self._random.random() < 0.03:
                    connection.send(*commit)
                    self.drop()  # as if the reply were lost
                    lost = True
                    continue
                reply = connection.call(*commit)
            except LOST:
                self.drop()
                lost = True
                continue
            if isinstance(reply, int):
                return DONE
            code = reply.split()[0]
            assert code in (b"FENCED", *ELSEWHERE), reply
            if code in ELSEWHERE:
                self.drop()
                lost = True
                continue
            return UNKNOWN if lost else REFUSED
        return UNKNOWN


class PlainWorker(Worker):
    """It never holds a lock for long: its check of the pid and its write are two requests, so who is
    slow between them overwrites what others have written. That hole is the library's own."""

    def visit(self, session):
        connection = self.connection()
        if connection.call("PING").startswith(b"LOADING"):
            raise Loading
        pid = f"{self.name}|{threading.get_ident()}"
        if not self.acquire(connection, session):
            return
        data = connection.ok("HGET", session, "data")
        connection.ok("HSET", session, "pid", pid, "lock", 1, "req", "GET /plain")
        self.work()
        if connection.ok("HGET", session, "pid") != pid.encode():
            return
        number = self.next_number(session)
        self.note(session, number, UNKNOWN)
        # As the library does: in one write, but no transaction.
        connection.send_raw(
            resp.encode(("HSET", session, "data", merge(data, self.name, number), "lock", 0))
            + resp.encode(("HINCRBY", session, "writes", 1)) + resp.encode(("EXPIRE", session, 3600)))
        replies = [connection.read() for _ in range(3)]
        assert all(isinstance(reply, int) for reply in replies), replies
        self.note(session, number, DONE)

    def acquire(self, connection, session):
        began = time.monotonic()
        while connection.ok("HINCRBY", session, "lock", 1) != 1:
            if self._stop_event.is_set():
                return False
            if time.monotonic() - began > PLAIN_BREAK_AFTER_S:
                break
            time.sleep(PLAIN_POLL_S)
        self.waits.append(time.monotonic() - began)
        return True


def disturb(port_of, sessions, stop, seed):
    """Kills connections now and then, and writes beside the workers what they do not use."""
    chance = random.Random(seed)
    while not stop.wait(0.05):
        try:
            with resp.Connection(port_of(), timeout_s=10) as connection:
                clients = connection.ok("CLIENT", "LIST").decode().splitlines()
                ids = [line.split()[0][3:] for line in clients if "session.open" in line]
                if ids and chance.random() < 0.2:
                    connection.call("CLIENT", "KILL", "ID", chance.choice(ids))
                connection.call("HSET", chance.choice(sessions), "beside", chance.random())
        except LOST:
            pass


class Run:
    """One run against a server that may be restarted meanwhile."""

    def __init__(self, server, workers=20, sessions=5, seed=1, kinds=(NativeWorker, PlainWorker),
                 prefix="ledger:"):
        self.server = server
        self.stop = threading.Event()
        self.sessions = [f"{prefix}{i}" for i in range(sessions)]
        self.workers = []
        for i in range(workers):
            kind = kinds[i % len(kinds)]
            name = f"{'p' if kind is PlainWorker else 'n'}{i}"
            self.workers.append(kind(lambda: server.port, name, self.sessions, self.stop, seed * 1000 + i))
        self.disturber = threading.Thread(target=disturb, daemon=True,
                                          args=(lambda: server.port, self.sessions, self.stop, seed))

    def start(self):
        for thread in [*self.workers, self.disturber]:
            thread.start()

    def end(self):
        self.stop.set()
        for thread in [*self.workers, self.disturber]:
            thread.join(60)
            assert not thread.is_alive(), f"{thread.name} hangs"
        for worker in self.workers:
            if worker.failure is not None:
                raise worker.failure

    def done(self):
        return sum(outcome == DONE for worker in self.workers
                   for outcome, _ in worker.ledger.values())

    def verify(self, losses=()):
        """Returns what is wrong; empty: nothing. `losses`: pairs of times between which the server may
        have lost what it had acknowledged: a crash without appendfsync always, a failover."""
        wrong = []
        with self.server.connect() as connection:
            for session in self.sessions:
                text = connection.ok("HGET", session, "data")
                content = json.loads(text) if text else {"count": 0, "by": {}}
                wrong += self._verify_session(session, content, losses)
        return wrong

    def _verify_session(self, session, content, losses):
        wrong, total = [], 0
        for worker in self.workers:
            found = [n for low, high in content["by"].get(worker.name, ()) for n in range(low, high + 1)]
            total += len(found)
            if len(found) != len(set(found)):
                wrong.append(f"{session}: {worker.name} has a number twice")
            for (its, number), (outcome, at) in worker.ledger.items():
                forgiven = any(begin <= at <= end for begin, end in losses)
                if its == session and outcome == DONE and number not in found and not forgiven:
                    wrong.append(f"{session}: {worker.name}'s commit {number} is lost")
                if its == session and outcome == REFUSED and number in found:
                    wrong.append(f"{session}: {worker.name}'s refused commit {number} is there")
        if total != content["count"]:
            wrong.append(f"{session}: the counter says {content['count']} for {total} commits")
        return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--workers", type=int, default=50)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--crash", action="store_true", help="kill the server every few seconds")
    options = parser.parse_args()
    directives = {"appendonly": "yes", "appendfsync": "always"} if options.crash else {}
    with servers.start("cloakroom", directives) as server:
        run = Run(server, workers=options.workers, seed=options.seed)
        print(f"seed {options.seed}")
        run.start()
        end = time.monotonic() + options.seconds
        while time.monotonic() < end:
            time.sleep(min(5, max(0.1, end - time.monotonic())))
            print(f"{run.done()} commits acknowledged", flush=True)
            if options.crash:
                server.kill()
                server.launch()
        run.end()
        wrong = run.verify()
    print(*wrong[:20], sep="\n")
    print(f"{0 if wrong else 1} passed, {1 if wrong else 0} failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
