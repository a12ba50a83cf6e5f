"""Amounts that move between accounts: the sum of all accounts is the same at every instant.

A restart that shows another sum has mixed two instants.
"""

import threading

from support import resp

ACCOUNTS = [f"account{n}" for n in range(24)]
BALANCE = 1000
SCRIPT = """redis.call('DECRBY', KEYS[1], ARGV[1])
redis.call('HINCRBY', 'moves', KEYS[1], 1)
return redis.call('INCRBY', KEYS[2], ARGV[1])"""


def prepare(connection):
    connection.ok("MSET", *[word for name in ACCOUNTS for word in (name, BALANCE)])


def difference(connection):
    """The error in the accounts of a restarted server, or None."""
    balances = connection.ok("MGET", *ACCOUNTS)
    if None in balances:
        return f"{balances.count(None)} accounts are gone"
    total = sum(map(int, balances))
    expected = BALANCE * len(ACCOUNTS)
    return None if total == expected else f"the accounts hold {total}, not {expected}"


class Mover(threading.Thread):
    """Moves amounts by transactions and by scripts until the server is gone."""

    def __init__(self, server, rng):
        super().__init__(daemon=True)
        self.error = None
        self._server, self._rng = server, rng
        self._stopping = False

    def finish(self):
        self._stopping = True

    def run(self):
        try:
            with self._server.connect(timeout_s=60) as connection:
                while not self._stopping:
                    self._move(connection)
        except (OSError, resp.ConnectionClosed):
            pass
        except (AssertionError, resp.ReplyTimeout) as error:
            self.error = f"a transfer: {error}"

    def _move(self, connection):
        source, target = self._rng.sample(ACCOUNTS, 2)
        amount = self._rng.randrange(90)
        if self._rng.random() < 0.5:
            connection.ok("EVAL", SCRIPT, 2, source, target, amount)
            return
        replies = connection.pipeline([("MULTI",), ("DECRBY", source, amount),
                                       ("INCRBY", target, amount), ("EXEC",)])
        if not isinstance(replies[-1], list):
            raise AssertionError(f"EXEC answered {replies[-1]!r}")
