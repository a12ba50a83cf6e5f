"""Native sessions over real connections: queues, hang-ups, restarts, the log, replicas, a ledger."""

import random
import time

import pytest

from saving import wait_until
from support import resp, servers


@pytest.fixture
def server(server_kind):
    if server_kind != "cloakroom":
        pytest.skip("native sessions are Cloakroom's own")
    started = servers.start(server_kind, {"io-threads": 2})
    yield started
    started.stop()


@pytest.fixture
def operator(server):
    with server.connect() as connection:
        yield connection


def fields(flat):
    return dict(zip(flat[::2], flat[1::2]))


def info(connection, key="s"):
    return fields(connection.ok("SESSION.INFO", key))


def waiting(connection, count, key="s"):
    wait_until(lambda: len(info(connection, key)[b"waiters"]) == count, f"{count} requests wait")


def figure(connection, name):
    lines = connection.ok("INFO", "sessions").decode().split("\r\n")
    return int(next(line for line in lines if line.startswith(name + ":")).split(":")[1])


def open_session(connection, *options, key="s"):
    state = connection.call("SESSION.OPEN", key, *options)
    assert isinstance(state, list), state
    return state


def await_log(server, text):
    wait_until(lambda: text in server.log(), f"it is logged: {text}")


def test_a_hundred_requests_get_the_lock_in_the_order_of_their_arrival(server, operator):
    fence = open_session(operator)[0]
    clients = [server.connect() for _ in range(100)]
    with server.connect() as watcher:
        for number, client in enumerate(clients):
            client.send("SESSION.OPEN", "s", "OWNER", f"c|{number}")
            waiting(watcher, number + 1)
    operator.ok("SESSION.COMMIT", "s", fence, "DATA", "")
    for number, client in enumerate(clients):
        state = client.read()
        assert state[1] == b"x" * number
        assert client.ok("SESSION.COMMIT", "s", state[0], "DATA", "x" * (number + 1)) == number + 2
        client.close()
    assert operator.ok("HGET", "s", "data") == b"x" * 100


def test_one_who_hangs_up_leaves_the_queue_or_gives_the_lock_back(server, operator):
    fence = open_session(operator)[0]
    gone, stays = server.connect(), server.connect()
    gone.send("SESSION.OPEN", "s")
    waiting(operator, 1)
    stays.send("SESSION.OPEN", "s")
    waiting(operator, 2)
    gone.close()
    waiting(operator, 1)
    operator.ok("SESSION.RELEASE", "s", fence)
    assert stays.read()[0] > fence
    stays.close()
    assert open_session(operator)[0] > fence


def test_a_killed_holder_passes_the_lock_on(server, operator):
    holder, waiter = server.connect(), server.connect()
    open_session(holder)
    waiter.send("SESSION.OPEN", "s")
    waiting(operator, 1)
    operator.ok("CLIENT", "KILL", "ID", holder.ok("CLIENT", "ID"))
    assert isinstance(waiter.read(), list)


def test_what_is_pipelined_behind_a_waiting_open_waits(server, operator):
    fence = open_session(operator)[0]
    with server.connect() as client:
        client.send("SESSION.OPEN", "s")
        client.send("SET", "k", "v")
        waiting(operator, 1)
        assert operator.ok("EXISTS", "k") == 0
        operator.ok("SESSION.RELEASE", "s", fence)
        assert isinstance(client.read(), list)
        assert client.read() == b"OK"


def test_a_lease_ends_while_somebody_waits(server, operator):
    fence = open_session(operator, "LEASE", 200, "OWNER", "slow|1", "REQ", "GET /slow")[0]
    with server.connect() as client:
        began = time.monotonic()
        state = open_session(client)
        assert time.monotonic() - began >= 0.15
        assert state[5].startswith(b"slow|1 ") and state[5].endswith(b"ms GET /slow")
        refused = operator.call("SESSION.COMMIT", "s", fence, "DATA", "x")
        assert refused.startswith(b"FENCED broken")
    await_log(server, "the lock of slow|1 (GET /slow) was broken after")
    await_log(server, "slow|1 (GET /slow) was answered FENCED broken by ")


def test_who_lost_a_lock_and_who_took_it_is_logged(server, operator):
    fence = open_session(operator, "OWNER", "a|1", "REQ", "GET /a")[0]
    operator.ok("HINCRBY", "s", "lock", 1)
    operator.ok("HSET", "s", "lock", 1, "pid", "b|2", "req", "GET /b")
    assert operator.call("SESSION.COMMIT", "s", fence, "DATA", "x").startswith(b"FENCED taken")
    await_log(server, "a|1 (GET /a) lost the lock after ")
    await_log(server, "taken by a client that polls, by b|2 (GET /b)")
    await_log(server, "a|1 (GET /a) was answered FENCED taken by b|2")
    fence = open_session(operator, "OWNER", "a|2", key="t")[0]
    operator.ok("DEL", "t")
    await_log(server, "a|2 lost the lock after ")
    await_log(server, "the session was deleted, by 127.0.0.1:")
    operator.ok("HSET", "orphan", "lock", 1000000, "pid", "c|3|7", "req", "GET /c")
    assert operator.call("SESSION.BREAK", "orphan") == 1
    await_log(server, "the lock of c|3 (GET /c) was broken by SESSION.BREAK")


def test_a_busy_script_delays_only_the_delivery(server, operator):
    operator.ok("CONFIG", "SET", "busy-reply-threshold", "60000")
    fence = open_session(operator)[0]
    with server.connect() as client, server.connect() as script:
        client.send("SESSION.OPEN", "s")
        waiting(operator, 1)
        operator.ok("SESSION.RELEASE", "s", fence)
        script.send("EVAL", "local t = redis.call('TIME') repeat local n = redis.call('TIME') "
                    "until n[1] * 1000000 + n[2] - t[1] * 1000000 - t[2] > 300000", 0)
        assert isinstance(client.read(), list)
        script.read()


def test_the_log_and_the_snapshot_have_sessions_and_no_locks(server_kind):
    if server_kind != "cloakroom":
        pytest.skip("native sessions are Cloakroom's own")
    with servers.start(server_kind, {"appendonly": "yes", "appendfsync": "always"}) as server:
        with server.connect() as client:
            fence = open_session(client, "OWNER", "a|1")[0]
            client.ok("SESSION.COMMIT", "s", fence, "DATA", "mine", "EX", 1000)
            open_session(client, key="s")
            late = open_session(client, "OWNER", "a|1", key="t")[0]
            version = client.ok("SESSION.READ", "t")[3]
        server.kill()
        server.launch()
        with server.connect() as client:
            assert fields(client.ok("HGETALL", "s")) == {
                b"data": b"mine", b"writes": b"1", b"pid": b"a|1|%d" % fence}
            assert client.ok("SESSION.COMMIT", "s", fence, "DATA", "mine") == 1  # it had been done
            assert client.ok("SESSION.COMMIT", "t", late, "DATA", "x", "IF", version) == 1  # C3
            assert open_session(client)[0] > late


def test_sessions_move_to_redis_and_back(server, operator, start_one):
    fence = open_session(operator)[0]
    operator.ok("SESSION.COMMIT", "s", fence, "DATA", "mine", "EX", 1000)
    redis = start_one("redis")
    with redis.connect() as other:
        other.ok("RESTORE", "s", 0, operator.ok("DUMP", "s"))
        assert other.ok("HINCRBY", "s", "lock", 1) == 1
        other.ok("HSET", "s", "data", "theirs", "lock", 0, "pid", "b|2")
        other.ok("HINCRBY", "s", "writes", 1)
        operator.ok("RESTORE", "s", 0, other.ok("DUMP", "s"), "REPLACE")
    state = open_session(operator)
    assert state[1:4] == [b"theirs", 2, b"2-0"]


def test_a_replica_reads_sessions_and_gives_no_locks(server, operator, start_one):
    fence = open_session(operator)[0]
    operator.ok("SESSION.COMMIT", "s", fence, "DATA", "mine")
    replica = start_one("cloakroom", {"replicaof": f"127.0.0.1 {server.port}"})
    with replica.connect() as reader:
        wait_until(lambda: reader.call("SESSION.READ", "s")[1] == b"mine", "the session is there")
        assert reader.call("SESSION.OPEN", "s").startswith(b"READONLY")
        assert reader.call("SESSION.COMMIT", "s", 0, "DATA", "x").startswith(b"READONLY")


def test_a_logout_stands_against_the_fences_of_another_server(operator, start_one):
    """As after a failover: the session had not been made when the first server went."""
    with start_one("cloakroom").connect() as successor:
        for key, destroys in (("s", True), ("t", False)):
            fence = open_session(operator, key=key)[0]
            if destroys:
                assert successor.ok("SESSION.DESTROY", key) == 0
            late = successor.call("SESSION.COMMIT", key, fence, "DATA", "x", "IF", "0-0")
            assert late == (b"FENCED deleted" if destroys else 1)


def test_a_demotion_unblocks_those_who_wait(server, operator):
    open_session(operator)
    with server.connect() as client:
        client.send("SESSION.OPEN", "s")
        waiting(operator, 1)
        operator.ok("REPLICAOF", "127.0.0.1", 1)
        assert client.read().startswith(b"UNBLOCKED")
        with pytest.raises(resp.ConnectionClosed):
            client.call("PING")
        operator.ok("REPLICAOF", "NO", "ONE")


def test_a_reload_ends_all_locks(server, operator):
    fence = open_session(operator)[0]
    operator.ok("DEBUG", "RELOAD")
    assert operator.call("SESSION.COMMIT", "s", fence, "DATA", "x").startswith(b"FENCED")


def test_neither_holders_nor_those_who_were_just_granted_are_idle(server, operator):
    operator.ok("CONFIG", "SET", "timeout", 1)
    with server.connect() as holder, server.connect() as waiter:
        fence = open_session(holder)[0]
        waiter.send("SESSION.OPEN", "s")
        time.sleep(2.5)
        holder.ok("SESSION.COMMIT", "s", fence, "DATA", "x")
        granted = waiter.read()[0]
        time.sleep(0.8)
        assert waiter.ok("SESSION.COMMIT", "s", granted, "DATA", "y") == 2


def test_long_waits_and_holds_are_told(server, operator):
    operator.ok("CONFIG", "SET", "latency-monitor-threshold", 50, "session-log-slow-wait", 100)
    with server.connect() as holder, server.connect() as waiter:
        fence = open_session(holder, key="sess_0123456789")[0]
        waiter.send("SESSION.OPEN", "sess_0123456789", "OWNER", "web2|7", "REQ", "GET /cart")
        time.sleep(0.2)
        holder.ok("SESSION.COMMIT", "sess_0123456789", fence, "DATA", "x")
        assert waiter.read()[1] == b"x"
    await_log(server, "Session 01234567…: web2|7 waited ")
    wait_until(lambda: operator.ok("LATENCY", "HISTORY", "session-hold"), "the hold is an event")
    assert [took_ms for _, took_ms in operator.ok("LATENCY", "HISTORY", "session-wait") if took_ms >= 190]
    assert figure(operator, "session_opens_waited") == 1
    for name in ("session_wait_usec", "session_wait_p99_usec", "session_hold_usec", "session_hold_p99_usec"):
        assert figure(operator, name) >= 180_000, name


def test_info_counts_what_became_of_sessions(server, operator):
    with server.connect() as holder:
        version = b"1-%d" % open_session(holder)[0]
        fence = version[2:]
        assert holder.call("SESSION.OPEN", "s", "LIMIT", 0)[0] == int(fence)
        assert operator.call("SESSION.OPEN", "s", "WAIT", 0).startswith(b"LOCKED")
        assert operator.call("SESSION.OPEN", "s", "LIMIT", 0).startswith(b"TOOMANY")
        for _ in range(2):
            assert holder.ok("SESSION.COMMIT", "s", fence, "DATA", "x") == 1
        assert operator.ok("SESSION.COMMIT", "s", 0, "IF", version) == 2
        operator.ok("SESSION.READ", "s")
        fence = open_session(holder)[0]
        assert operator.ok("SESSION.BREAK", "s") == 1
        assert holder.call("SESSION.COMMIT", "s", fence).startswith(b"FENCED")
        open_session(holder)
        operator.ok("DEL", "s")
        open_session(holder)
    wait_until(lambda: figure(operator, "session_freed_by_disconnect") == 1, "the lock is given back")
    counted = {name: figure(operator, "session_" + name) for name in (
        "opens", "reads", "commits", "commits_unchanged", "commits_late", "commits_repeated", "fenced",
        "breaks", "revoked", "timeouts", "refused_limit", "opens_waited", "plain_turns")}
    assert counted == {
        "opens": 5, "reads": 1, "commits": 2, "commits_unchanged": 1, "commits_late": 1,
        "commits_repeated": 1, "fenced": 1, "breaks": 1, "revoked": 1, "timeouts": 1,
        "refused_limit": 1, "opens_waited": 0, "plain_turns": 0}


def test_who_has_lost_the_lock_is_idle(server, operator):
    operator.ok("CONFIG", "SET", "timeout", 1)
    with server.connect() as former:
        open_session(former)
        assert operator.ok("SESSION.BREAK", "s") == 1
        assert former.is_closed()


@pytest.mark.parametrize("directives", [{"appendonly": "yes"}, {"save": "3600 1"}, {}])
def test_the_server_ends_in_peace_while_requests_wait(server_kind, directives):
    if server_kind != "cloakroom":
        pytest.skip("native sessions are Cloakroom's own")
    with servers.start(server_kind, directives) as server:
        with server.connect() as holder:
            fence = open_session(holder)[0]
            clients = [server.connect() for _ in range(50)]
            for client in clients:
                client.send("SESSION.OPEN", "s")
            waiting(holder, 50)
            holder.ok("SET", "k", "v")
            holder.ok("SESSION.RENEW", "s", fence)
            assert server.terminate() == 0


def test_thousands_may_wait_for_one_session(server, operator):
    operator.ok("CONFIG", "SET", "session-max-waiters", 100000)
    fence = open_session(operator)[0]
    clients = [server.connect() for _ in range(3000)]
    for client in clients:
        client.send("SESSION.OPEN", "s", "WAIT", 600000)
    waiting(operator, 3000)
    for client in clients[:-1]:
        client.close()
    waiting(operator, 1)
    operator.ok("SESSION.RELEASE", "s", fence)
    assert isinstance(clients[-1].read(), list)


LOCK_FIELDS = {b"lock", b"pid", b"req"}


def content(connection, key):
    return {name: value for name, value in fields(connection.ok("HGETALL", key)).items()
            if name not in LOCK_FIELDS}


def random_command(chance, exists):
    """A command on the content of one of three sessions; some only where there is one."""
    key, field = f"s{chance.randrange(3)}", f"f{chance.randrange(4)}"
    commands = [("HSET", key, field, chance.randrange(100)), ("HINCRBY", key, "count", 1),
                ("HGET", key, field), ("HDEL", key, field), ("HEXISTS", key, field),
                ("HMSET", key, field, "x" * chance.randrange(200), "data", "d")]
    if key in exists:
        commands += [("DEL", key), ("RENAME", key, f"s{chance.randrange(3)}"),
                     ("COPY", key, f"s{chance.randrange(3)}", "REPLACE"), ("EXPIRE", key, 1000)]
    return chance.choice(commands)


def test_commands_on_held_sessions_do_what_they_do_in_redis(server, operator, start_one):
    seed = random.SystemRandom().randrange(1 << 31)
    chance = random.Random(seed)
    keys = ["s0", "s1", "s2"]
    with start_one("redis").connect() as redis, server.connect() as native:
        for step in range(1500):
            if step % 5 == 0:
                native.ok("SESSION.RESET")
                for key in keys:
                    assert content(operator, key) == content(redis, key), f"seed {seed}, step {step}"
                for key in chance.sample(keys, 2):
                    native.ok("SESSION.OPEN", key)
            exists = {key for key in keys if redis.ok("EXISTS", key)}
            command = random_command(chance, exists)
            assert operator.call(*command) == redis.call(*command), f"seed {seed}: {command}"
