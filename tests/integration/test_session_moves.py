"""Shops that are switched while they are open, node by node and server by server, and a shop that falls
apart into two: what their sessions' ledger (support/session_ledger.py) says in the end."""

import math
import time

import pytest

from links import PROMPT, await_replica, digest, follow, info, replication
from saving import wait_until
from support import session_ledger
from support.session_ledger import DONE, NativeWorker, Run
from support.session_workers import LOST, TurningWorker

pytestmark = pytest.mark.needs("session.open")


def await_traffic(run, commits=3):
    """Waits until each session has so many more commits that were acknowledged."""
    goals = {session: run.done(session) + commits for session in run.sessions}
    wait_until(lambda: all(run.done(session) >= goal for session, goal in goals.items()), "at work")


def native_commits(run):
    return int(info(run.server, "sessions")["session_commits"])


def turn(run, is_native):
    """Switches one worker after the other, while all go on."""
    for worker in run.workers:
        worker.is_native = is_native
        await_traffic(run, commits=1)
    wait_until(lambda: all(worker.visits_natively == is_native for worker in run.workers), "switched")


@pytest.fixture
def shop(start_server):
    """Eight workers who are plain, and share three sessions on one server."""
    run = Run(start_server({"io-threads": 2, **PROMPT}), workers=8, sessions=3, kinds=(TurningWorker,))
    run.start()
    yield run
    run.stop.set()


def test_workers_become_native_one_by_one_and_plain_again(shop):
    await_traffic(shop)
    assert native_commits(shop) == 0
    turn(shop, is_native=True)
    before = native_commits(shop)
    await_traffic(shop, commits=10)
    assert native_commits(shop) >= before + 30
    turn(shop, is_native=False)
    before = native_commits(shop)
    await_traffic(shop, commits=10)
    assert native_commits(shop) == before
    shop.end()
    assert shop.verify() == []


def test_a_shop_goes_back_to_redis_with_its_sessions(shop, start_one):
    turn(shop, is_native=True)
    await_traffic(shop)
    cloakroom, redis = shop.server, start_one("redis")
    follow(redis, cloakroom)
    turn(shop, is_native=False)
    await_traffic(shop)
    # A client that is cut off at the move leaves a lock. One worker alone breaks it: two that do so
    # at once may overwrite each other's data, as the library may.
    for worker in shop.workers:
        worker.break_after_s = 1 if worker is shop.workers[0] else math.inf
    with cloakroom.connect() as operator:
        operator.ok("CLIENT", "PAUSE", 60000, "WRITE")
    await_replica(redis, cloakroom)
    with redis.connect() as operator:
        operator.ok("REPLICAOF", "NO", "ONE")
    before = shop.outcomes()[DONE]
    assert digest(redis) == digest(cloakroom)
    cloakroom.kill()
    shop.server = redis
    await_traffic(shop)
    shop.end()
    assert shop.verify(plain_wait_s=math.inf) == []
    assert shop.done() > before > 0


class Sides:
    """Two primaries that take each other's sessions for their own: each has natives of its own."""

    def __init__(self, old, new):
        self.old, self.new = old, new
        self.cut_began = self.cut = self.joined_began = self.joined = None
        self.stayed = Run(old, workers=5, sessions=3, kinds=(NativeWorker,), names="old-")
        self.went = Run(new, workers=5, sessions=3, kinds=(NativeWorker,), names="new-", seed=2)
        self.workers = [*self.stayed.workers, *self.went.workers]

    def fall_apart(self):
        self.cut_began = time.monotonic()
        with self.new.connect() as operator:
            operator.ok("REPLICAOF", "NO", "ONE")
        self.cut = time.monotonic()
        self.went.start()

    def rejoin(self):
        self.joined_began = time.monotonic()
        follow(self.old, self.new)
        self.stayed.server = self.new  # as Sentinel would tell the workers
        self.joined = time.monotonic()

    def end(self):
        for run in (self.stayed, self.went):
            run.stop.set()
        self.stayed.end()
        self.went.end()

    def wrong(self):
        """By the ledger's rules, with the commits of the side that lost forgiven."""
        with self.new.connect() as connection:
            wrong = session_ledger.verify(connection, self.stayed.sessions, self.workers,
                                          [(self.cut_began - 1, self.joined + 1)])
            contents = {session: session_ledger.content_of(connection, session)
                        for session in self.stayed.sessions}
        for run, must_stay in ((self.went, True), (self.stayed, False)):
            for worker in run.workers:
                found = {(session, number) for session, content in contents.items()
                         for number in session_ledger.numbers(content, worker)}
                wrong += [f"{worker.name}'s commit {its}: {'lost' if must_stay else 'not undone'}"
                          for its, (outcome, at) in worker.ledger.items()
                          if outcome == DONE and self.cut < at < self.joined_began
                          and (its in found) != must_stay]
        return wrong


def count_on(server):
    """Where in a millisecond the process begins to count its fences."""
    with server.connect() as connection:
        return connection.ok("SESSION.OPEN", "scratch")[0] % 2048


def two_that_count_apart(start_server):
    """A primary and its replica. Once in a thousand times two processes would draw the same start."""
    primary, replica = start_server(PROMPT), start_server(PROMPT)
    while abs(count_on(primary) - count_on(replica)) < 10:
        replica.kill()
        replica.launch()
    follow(replica, primary)
    return primary, replica


def commit_natively(server, session):
    """One more write on this side, with what is there; what to send to do the same again."""
    while True:
        try:
            with server.connect(timeout_s=30) as client:
                state = client.ok("SESSION.OPEN", session, "WAIT", 20000)
                again = ("SESSION.COMMIT", session, state[0], "DATA", state[1], "IF", state[3])
                client.ok(*again)
                return again
        except LOST:  # the run's disturber kills whom it finds
            pass


def test_of_two_primaries_one_keeps_its_sessions_and_refuses_the_others_commits(start_server):
    old, new = two_that_count_apart(start_server)
    sides = Sides(old, new)
    sides.stayed.start()
    await_traffic(sides.stayed)
    sides.fall_apart()
    await_traffic(sides.stayed, commits=20)
    await_traffic(sides.went, commits=20)
    lost = [commit_natively(old, session) for session in sides.stayed.sessions]
    kept = [commit_natively(new, session) for session in sides.stayed.sessions]
    assert not {again[2] for again in lost} & {again[2] for again in kept}
    sides.rejoin()
    with new.connect() as client:
        for again in lost:
            assert client.call(*again).startswith(b"FENCED")
    await_traffic(sides.stayed)
    await_traffic(sides.went)
    sides.end()
    assert sides.wrong() == []
    await_replica(old, new)
    assert digest(old) == digest(new)
    assert replication(old)["role"] == "slave"
