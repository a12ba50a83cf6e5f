"""Workers who share sessions, for the ledger (session_ledger.py) and for stress/run.py.

Each commit adds 1 to a counter in the session, and its own number to a list there. A worker notes
for each number what it was told: done, refused, or nothing (the reply was lost and a repeat was
refused).
"""

import json
import random
import threading
import time

from . import resp


class Loading(Exception):
    """The server has been restarted and loads."""


LOST = (OSError, resp.ConnectionClosed, resp.ReplyTimeout, Loading)
LEASE_MS = 200
PLAIN_BREAK_AFTER_S = 5.0
PLAIN_POLL_S = 0.05
# A plain client that has had the lock for so long does not write: natives may take it at any moment.
PLAIN_HOLD_S = LEASE_MS / 2000
AGAIN_S = 0.02
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
        self._visits = 0
        self._numbers = dict.fromkeys(sessions, 0)
        self.ledger = {}
        self.failure = None
        self.fences = []  # of native visits: session, fence
        self.plain_waits = []

    def run(self):
        try:
            while not self._stop_event.is_set():
                try:
                    self.visit(self._random.choice(self._sessions))
                except LOST:
                    self.drop()
                    time.sleep(AGAIN_S)
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
                time.sleep(AGAIN_S)
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
        state = self.connection().call("SESSION.OPEN", session, "WAIT", 15000, "LEASE", LEASE_MS,
                                       "OWNER", f"{self.name}|1", "REQ", "GET /ledger")
        if isinstance(state, resp.Error):
            code = state.split()[0]
            assert code in (b"LOCKED", b"TOOMANY", *ELSEWHERE), state
            if code in ELSEWHERE:
                raise Loading
            return
        fence, data, _, version = state[:4]
        self.fences.append((session, fence))
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
    slow between them overwrites what others have written. That hole is the library's own. A worker
    that was slow, as threads on a busy machine are, is one that died with the lock instead."""

    break_after_s = PLAIN_BREAK_AFTER_S

    def visit(self, session):
        connection = self.connection()
        if connection.call("PING").startswith(b"LOADING"):
            raise Loading
        self._visits += 1
        pid = f"{self.name}|{self._visits}"
        since = self.acquire(connection, session)
        if since is None:
            return
        data = connection.ok("HGET", session, "data")
        connection.ok("HSET", session, "pid", pid, "lock", 1, "req", "GET /plain")
        self.work()
        if connection.ok("HGET", session, "pid") != pid.encode():
            return
        number = self.next_number(session)
        # As the library does: in one write, but no transaction.
        write = (resp.encode(("HSET", session, "data", merge(data, self.name, number), "lock", 0))
                 + resp.encode(("HINCRBY", session, "writes", 1))
                 + resp.encode(("EXPIRE", session, 3600)))
        self.note(session, number, UNKNOWN)
        if time.monotonic() - since > PLAIN_HOLD_S:
            self.note(session, number, REFUSED)
            self.drop()
            return
        connection.send_raw(write)
        replies = [connection.read() for _ in range(3)]
        assert all(isinstance(reply, int) for reply in replies), replies
        self.note(session, number, DONE)

    def acquire(self, connection, session):
        """Polls; returns when it sent the poll that got the lock, None when it was told to stop. Breaks
        a lock only when its owner is the same for longer than a plain client holds it."""
        began = same_since = time.monotonic()
        owner = None
        while True:
            since = time.monotonic()
            is_mine = connection.ok("HINCRBY", session, "lock", 1) == 1
            if not is_mine and since - began > self.break_after_s:
                before, owner = owner, connection.ok("HGET", session, "pid")
                same_since = same_since if owner == before else since
                is_mine = since - same_since > 2 * PLAIN_HOLD_S
            if is_mine or self._stop_event.is_set():
                self.plain_waits.append(time.monotonic() - began)
                return since if is_mine else None
            time.sleep(PLAIN_POLL_S)


class TurningWorker(NativeWorker, PlainWorker):
    """Native or plain, as it was told last: a web node of a shop that is being switched. A visit ends
    as what it began."""

    is_native = visits_natively = False

    def visit(self, session):
        self.visits_natively = self.is_native
        kind = NativeWorker if self.visits_natively else PlainWorker
        return kind.visit(self, session)


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

