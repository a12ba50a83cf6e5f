#!/usr/bin/python3
"""Many connections on all threads of a running server, whose data must stay true to itself.

    run.py                   20 seconds; CLOAKROOM_SERVER names the binary, best one built for TSan
    run.py --server redis    proves the checks

Each worker is a process with connections of its own that does one kind of work until the time is
up. What must hold (nothing torn, nothing lost, sums and members conserved) is checked by the workers
as they go and by the main process in the end. The last line is "N passed, N failed".
"""

import argparse
import math
import multiprocessing
import os
import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support import resp, servers  # noqa: E402
from support.session_ledger import NativeWorker, PlainWorker, Run  # noqa: E402

THREADS = 4
ACCOUNTS = [f"account{i}" for i in range(10)]
BALANCE = 1000
SETS = [f"set{i}" for i in range(6)]
MEMBERS = [f"member{i}" for i in range(80)]
KEYS = [f"key{i}" for i in range(10)]
TRANSFER = "redis.call('DECRBY', ARGV[1], ARGV[3]) return redis.call('INCRBY', ARGV[2], ARGV[3])"
SUM = "local s = 0 for i = 1, #KEYS do s = s + redis.call('GET', KEYS[i]) end return s"
MAXMEMORY = 24 * 1024 * 1024  # the expiring keys alone would take twice as much


class Broken(Exception):
    """Something that must hold did not."""


def expect(condition, text):
    if not condition:
        raise Broken(text)


def never_torn(connection, rng):
    """MGET and a transaction see an MSET as a whole or not at all."""
    value = rng.randrange(1 << 40)
    order = rng.sample(KEYS, len(KEYS))
    connection.ok("MSET", *[part for key in order for part in (key, value)])
    for values in (connection.ok("MGET", *KEYS), transaction(connection, [("GET", k) for k in KEYS])):
        expect(len(set(values)) == 1, f"torn: {values}")


def counters(connection, rng):
    """No increment that EXEC acknowledged after WATCH is lost; returns how many were done."""
    if rng.random() < 0.3:
        connection.ok("INCR", "counter")
        return 1
    connection.ok("WATCH", "counter")
    value = int(connection.ok("GET", "counter"))
    return 0 if transaction(connection, [("SET", "counter", value + 1)]) is None else 1


def transfers(connection, rng):
    """The sum of all accounts is the same for every reader, from beginning to end."""
    source, target, amount = rng.choice(ACCOUNTS), rng.choice(ACCOUNTS), rng.randrange(90)
    if rng.random() < 0.5:
        transaction(connection, [("DECRBY", source, amount), ("INCRBY", target, amount)])
    else:
        connection.ok("EVAL", TRANSFER, 0, source, target, amount)
    total = sum(map(int, connection.ok("MGET", *ACCOUNTS)))
    expect(total == BALANCE * len(ACCOUNTS), f"the accounts hold {total}")
    total = connection.ok("EVAL", SUM, len(ACCOUNTS), *ACCOUNTS)
    expect(total == BALANCE * len(ACCOUNTS), f"a script counts {total}")


def moves(connection, rng):
    """SMOVE never shows a member twice or not at all."""
    connection.pipeline([("SMOVE", rng.choice(SETS), rng.choice(SETS), rng.choice(MEMBERS))
                         for _ in range(8)])
    union = connection.ok("SUNIONSTORE", f"union{rng.randrange(3)}", *SETS)
    expect(union == len(MEMBERS), f"a union of {union} members")
    sizes = transaction(connection, [("SCARD", name) for name in SETS])
    expect(sum(sizes) == len(MEMBERS), f"{sum(sizes)} members")


def whole_databases(connection, rng):
    """Others see FLUSHDB and SWAPDB as a whole or not at all, and they break WATCH."""
    connection.ok("SELECT", rng.choice((6, 7)))
    kind = rng.randrange(8)
    if kind == 0:
        connection.ok("FLUSHDB")
    elif kind < 3:
        connection.ok("SWAPDB", 6, 7)
    elif kind < 5:
        value = rng.randrange(1 << 40)
        connection.ok("MSET", *[part for key in KEYS for part in (key, value)])
    values = connection.ok("MGET", *KEYS)
    expect(len(set(values)) == 1, f"torn: {values}")
    connection.ok("WATCH", KEYS[0])
    before = connection.ok("GET", KEYS[0])
    after = transaction(connection, [("GET", KEYS[0])])
    expect(after in (None, [before]), f"watched {before}, found {after}")


def disturb(connection, rng):
    """Everything else, on databases of its own: flushes, swaps, expiries, evictions, scans."""
    kind = rng.randrange(7)
    if kind == 0:
        connection.pipeline([("SELECT", 1), ("SET", "x", 1), ("FLUSHDB",)])
    elif kind == 1:
        connection.pipeline([("SELECT", 2), ("SET", "x", 1), ("SWAPDB", 2, 3)])
    elif kind == 2:
        connection.pipeline([("SELECT", 0), ("KEYS", "*"), ("SCAN", 0), ("DBSIZE",), ("INFO",)])
    else:
        many = [("SET", f"mortal{rng.randrange(20000)}", "m" * 2000, "PX", rng.randrange(1, 9000))
                for _ in range(30)]
        connection.pipeline([("SELECT", 4), *many, ("GET", "mortal1")])


def storm(connection, rng):
    """Connections that come and go."""
    with resp.Connection(connection.port, timeout_s=60) as short:
        short.pipeline([("PING",), ("SELECT", 5), ("INCR", "visits"), ("EXPIRE", "visits", 100)])
        if rng.random() < 0.5:
            short.send("MULTI")
            short.send("SET", "never", 1)
    expect(connection.call("GET", "never") is None, "half a transaction was executed")


def transaction(connection, commands):
    replies = connection.pipeline([("MULTI",), *commands, ("EXEC",)])
    for reply in replies:
        if isinstance(reply, resp.Error):
            raise Broken(f"{commands[0]}: {reply.decode()}")
    return None if replies[-1] is resp.NULL_ARRAY else replies[-1]


WORK = [never_torn, never_torn, counters, counters, counters, transfers, transfers, moves, moves,
        whole_databases, whole_databases, whole_databases, disturb, disturb, storm]


def worker(port, kind, seed, until, results):
    """One process: its connection, its kind of work, and its result."""
    rng, done, rounds, error = random.Random(seed), 0, 0, None
    try:
        with resp.Connection(port, timeout_s=60) as connection:
            connection.port = port
            while time.monotonic() < until:
                done += WORK[kind](connection, rng) or 0
                rounds += 1
    except (Broken, OSError, AssertionError, TypeError, resp.ConnectionClosed,
            resp.ReplyTimeout) as problem:
        error = f"{type(problem).__name__}: {problem}"
    results.put((kind, rounds, done, error))


def prepare(connection):
    connection.ok("MSET", *[part for name in ACCOUNTS for part in (name, BALANCE)])
    connection.ok("MSET", *[part for name in KEYS for part in (name, 0)])
    connection.ok("SET", "counter", 0)
    for i, member in enumerate(MEMBERS):
        connection.ok("SADD", SETS[i % len(SETS)], member)


def storm_of_workers(server, seconds):
    """Runs all workers; returns (kind, rounds, done, error) of each."""
    until, results = time.monotonic() + seconds, multiprocessing.Queue()
    seed = random.SystemRandom().randrange(1 << 31)
    print(f"seed {seed}, {len(WORK)} processes, {seconds} s", flush=True)
    processes = [multiprocessing.Process(target=worker, args=(server.port, i, seed + i, until, results))
                 for i in range(len(WORK))]
    for process in processes:
        process.start()
    answers = [results.get(timeout=seconds + 120) for _ in processes]
    for process in processes:
        process.join()
    return sorted(answers, key=lambda answer: answer[0])


def final_errors(connection, answers):
    """The errors at the end of the run."""
    counted = sum(done for kind, _, done, _ in answers if WORK[kind] is counters)
    counter = int(connection.ok("GET", "counter"))
    if counter != counted:
        yield f"{counted} increments, but the counter says {counter}"
    members = connection.ok("SUNION", *SETS)
    if sorted(members) != sorted(name.encode() for name in MEMBERS):
        yield f"{len(members)} members are left of {len(MEMBERS)}"


def session_errors(kind, seconds):
    """Clients who share sessions, on a server of their own; what is wrong afterwards."""
    ours = kind == "cloakroom"
    directives = {"io-threads": THREADS, "session-park-polls": 450} if ours else {}
    with servers.start(kind, directives) as server:
        ledger = Run(server, workers=16, kinds=(NativeWorker, PlainWorker) if ours else (PlainWorker,),
                     prefix="sess_")
        ledger.start()
        time.sleep(seconds / 2)
        ledger.end()
        # A sanitizer's server is slow, so nobody looks at how long plain clients waited.
        wrong = ledger.verify(plain_wait_s=math.inf) if server.is_running() else []
        print(f"sessions: {ledger.done()} commits")
        status, log = server.terminate(), server.log()
    if "Sanitizer" in log or status != 0:
        wrong.append(f"the server ended with {status}:\n{log[-6000:]}")
    return "; ".join(wrong or ([] if ledger.done() else ["no session was committed"]))


def run(kind, seconds):
    # With TSan a report ends the server, and its exit status shows that.
    server = servers.start(kind, {"io-threads": THREADS, "maxmemory": MAXMEMORY,
                                  "maxmemory-policy": "volatile-lru"})
    with server:
        with server.connect(timeout_s=60) as connection:
            prepare(connection)
            answers = storm_of_workers(server, seconds)
            errors = []
            for work, rounds, done, error in answers:
                print(f"{WORK[work].__name__}: {rounds} rounds" + (f", {done} done" if done else ""))
                errors.append(error if error or rounds else "did nothing")
            errors.append("; ".join(final_errors(connection, answers)) if server.is_running() else "")
        status, log = server.terminate(), server.log()
        reported = "Sanitizer" in log or status != 0
        errors.append(f"the server ended with {status}:\n{log[-6000:]}" if reported else "")
    errors.append(session_errors(kind, seconds))
    for error in filter(None, errors):
        print(f"FAILED {error}")
    failed = sum(1 for error in errors if error)
    return len(errors) - failed, failed


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--server", choices=servers.KINDS, default="cloakroom")
    options = parser.parse_args()
    # TSan's own search for deadlocks fails with more than 64 locks held; closing all gates takes more.
    os.environ.setdefault("TSAN_OPTIONS", "halt_on_error=1:detect_deadlocks=0")
    try:
        passed, failed = run(options.server, options.seconds)
    except (servers.ServerFailed, AssertionError, OSError, resp.ConnectionClosed) as error:
        print(f"FAILED {error}")
        passed, failed = 0, 1
    print(f"{passed} passed, {failed} failed")
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
