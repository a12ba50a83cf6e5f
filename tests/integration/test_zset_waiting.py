"""Several clients that wait for sorted sets, as job queues with priorities do."""

import threading
import time

from support import resp, servers

WAITERS, JOBS = 8, 400


def _await_blocked(connection, count):
    deadline = time.monotonic() + 10
    while b"blocked_clients:%d\r\n" % count not in connection.ok("INFO", "clients"):
        assert time.monotonic() < deadline, "nobody waits"


def test_waiting_clients_are_served_in_their_order(server):
    with server.connect() as writer:
        waiters = [server.connect() for _ in range(WAITERS)]
        for number, waiter in enumerate(waiters):
            waiter.send("BZPOPMIN" if number % 2 == 0 else "BZPOPMAX", "other", "jobs", 0)
            _await_blocked(writer, number + 1)
        writer.ok("ZADD", "jobs", *(word for n in range(WAITERS + 2) for word in (n, f"job{n}")))
        low, high = 0, WAITERS + 1
        for number, waiter in enumerate(waiters):
            taken = low if number % 2 == 0 else high
            assert waiter.read() == [b"jobs", b"job%d" % taken, b"%d" % taken]
            low, high = (low + 1, high) if number % 2 == 0 else (low, high - 1)
            waiter.close()
        assert writer.ok("ZCARD", "jobs") == 2


def test_every_job_is_done_once(server):
    """Workers wait for jobs that two writers bring; some workers leave and come back."""
    done, lock = [], threading.Lock()

    def work():
        with server.connect(timeout_s=30) as worker:
            while True:
                reply = worker.ok("BZMPOP", 5, 2, "urgent", "jobs", "MIN", "COUNT", 3)
                names = [member for member, _ in reply[1]]
                with lock:
                    done.extend(name for name in names if name != b"end")
                if b"end" in names:
                    for _ in range(names.count(b"end") - 1):
                        worker.ok("ZADD", "jobs", "inf", "end")
                    worker.ok("ZADD", "jobs", "inf", "end")
                    return

    def bring(key, first):
        with server.connect() as writer:
            for job in range(first, first + JOBS):
                writer.ok("ZADD", key, job % 7, f"job{job}")

    threads = [threading.Thread(target=work) for _ in range(WAITERS)]
    threads += [threading.Thread(target=bring, args=("urgent", 0)),
                threading.Thread(target=bring, args=("jobs", JOBS))]
    for thread in threads:
        thread.start()
    for thread in threads[WAITERS:]:
        thread.join()
    with server.connect() as writer:
        writer.ok("ZADD", "jobs", "inf", "end")
    for thread in threads[:WAITERS]:
        thread.join()
    assert sorted(done) == sorted(b"job%d" % n for n in range(2 * JOBS))


def test_one_who_hangs_up_takes_nothing(server):
    with server.connect() as writer:
        with server.connect() as gone:
            gone.send("BZPOPMIN", "jobs", 0)
            _await_blocked(writer, 1)
        _await_blocked(writer, 0)
        writer.ok("ZADD", "jobs", 1, "kept")
        assert writer.ok("ZRANGE", "jobs", 0, -1) == [b"kept"]


def test_unblocking_replies_as_the_time_limit_does(server):
    with server.connect() as writer, server.connect() as waiter:
        number = waiter.ok("CLIENT", "ID")
        waiter.send("BZPOPMAX", "jobs", 0)
        _await_blocked(writer, 1)
        assert writer.ok("CLIENT", "UNBLOCK", number) == 1
        assert isinstance(waiter.read(), resp.NullArray)
        waiter.send("BZPOPMAX", "jobs", 0)
        _await_blocked(writer, 1)
        assert writer.ok("CLIENT", "UNBLOCK", number, "ERROR") == 1
        assert waiter.read() == b"UNBLOCKED client unblocked via CLIENT UNBLOCK"


def test_the_log_says_what_was_popped(server_kind, tmp_path):
    directives = {"appendonly": "yes", "dir": str(tmp_path)}
    with servers.start(server_kind, directives) as first:
        with first.connect() as writer, first.connect() as waiter:
            waiter.send("BZPOPMIN", "jobs", 0)
            _await_blocked(writer, 1)
            writer.ok("ZADD", "jobs", 1, "a", 2, "b", 3, "c")
            assert waiter.read() == [b"jobs", b"a", b"1"]
            writer.ok("ZPOPMAX", "jobs")
        assert first.terminate() == 0
    with servers.start(server_kind, directives) as second, second.connect() as reader:
        assert reader.ok("ZRANGE", "jobs", 0, -1, "WITHSCORES") == [b"b", b"2"]
