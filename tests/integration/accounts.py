"""Amounts that move between accounts: the sum of all accounts is the same at every instant."""

import random
import threading
from contextlib import contextmanager

from support import resp

ACCOUNTS = [f"account{n}" for n in range(100)]
BALANCE = 1000
SCRIPT = """redis.call('INCR', KEYS[3])
redis.call('DECRBY', KEYS[1], ARGV[1])
return redis.call('INCRBY', KEYS[2], ARGV[1])"""


def open_all(connection):
    connection.ok("MSET", *(word for name in ACCOUNTS for word in (name, BALANCE)))


def assert_conserved(server):
    """Some amount has moved, and the sum is unchanged."""
    with server.connect() as connection:
        balances = connection.ok("MGET", *ACCOUNTS)
    assert None not in balances
    assert sum(map(int, balances)) == BALANCE * len(ACCOUNTS)
    assert any(int(balance) != BALANCE for balance in balances)


class Mover(threading.Thread):
    """One connection that moves amounts until it is told to stop or the server is gone. It counts its
    moves in a key of its own, in the same transaction or script."""

    def __init__(self, server, number):
        super().__init__(daemon=True)
        self.counter = f"moves{number}"
        self.acknowledged = 0
        self.error = None
        self.crash_is_due = False
        self.ending = threading.Event()
        self._server, self._rng = server, random.Random(number)
        self._move = self._by_script if number % 2 else self._by_transaction

    def run(self):
        try:
            with self._server.connect(timeout_s=60) as connection:
                while not self.ending.is_set():
                    source, target = self._rng.sample(ACCOUNTS, 2)
                    self._move(connection, source, target, self._rng.randrange(1, 90))
                    self.acknowledged += 1
        except (OSError, resp.ConnectionClosed) as error:
            self.error = None if self.crash_is_due else error
        except Exception as error:
            self.error = error

    def _by_script(self, connection, source, target, amount):
        connection.ok("EVAL", SCRIPT, 3, source, target, self.counter, amount)

    def _by_transaction(self, connection, source, target, amount):
        replies = connection.pipeline([("MULTI",), ("INCR", self.counter), ("DECRBY", source, amount),
                                       ("INCRBY", target, amount), ("EXEC",)])
        assert isinstance(replies[-1], list), replies


@contextmanager
def moving(server, count):
    """Runs `count` movers, every other one with scripts, and stops them when the block ends. An error
    in one of them is raised here."""
    movers = [Mover(server, number) for number in range(count)]
    for mover in movers:
        mover.start()
    try:
        yield movers
    finally:
        for mover in movers:
            mover.ending.set()
        for mover in movers:
            mover.join(60)
    assert [mover.error for mover in movers] == [None] * count
