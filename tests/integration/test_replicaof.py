"""REPLICAOF and the setting replicaof: replies, roles, the configuration file, what is logged."""

import re
import subprocess

import pytest

from links import PROMPT, assert_same_data, await_link, follow, info, replication
from saving import wait_until
from support import resp, servers
from support.resp import Error, Simple

IMMUTABLE = ("ERR CONFIG SET failed (possibly related to argument '%s') - can't set immutable config")
BAD_PORT = Error(b"ERR Invalid master port")
YOUNG_LINK = (b"connect", b"connecting", b"handshake", b"sync")


@pytest.fixture
def primary(start_one, primary_kind):
    return start_one(primary_kind, PROMPT)


@pytest.fixture
def replica(start_server):
    return start_server()


@pytest.fixture
def told(replica):
    with replica.connect() as connection:
        yield connection


def await_role(connection, *role):
    wait_until(lambda: tuple(connection.ok("ROLE")[:len(role)]) == role, role)


# ---- the command ----


@pytest.mark.parametrize("command", ["REPLICAOF", "SLAVEOF", "replicaof"])
def test_arguments_are_checked(told, command):
    few = Error(b"ERR wrong number of arguments for '%s' command" % command.lower().encode())
    for arguments in ((), ("a",), ("a", "b", "c")):
        assert resp.same(told.call(command, *arguments), few)
    for port in ("b", "", "-1", "65536", "1.5", "99999999999999999999", "ONE"):
        assert resp.same(told.call(command, "127.0.0.1", port), BAD_PORT)
    assert resp.same(told.call(command, "NO", "TWO"), BAD_PORT)
    assert told.ok("ROLE") == [b"master", 0, []]


@pytest.mark.parametrize("words", [("REPLICAOF", "NO", "ONE"), ("slaveof", "no", "one"),
                                   ("ReplicaOf", "No", "oNE")])
def test_no_one_leaves_a_primary_as_it_is(replica, told, words):
    before = replication(replica)
    assert resp.same(told.call(*words), Simple(b"OK"))
    assert replication(replica) == before


def test_a_script_may_not_change_roles(told):
    refused = told.call("EVAL", "return redis.call('REPLICAOF', 'NO', 'ONE')", 0)
    assert refused.startswith(b"ERR This Redis command is not allowed from script script: ")
    assert b"role:master" in told.ok("INFO", "replication")


def test_the_same_primary_again_changes_nothing(primary, replica, told):
    assert resp.same(told.call("REPLICAOF", "localhost", primary.port), Simple(b"OK"))
    again = Simple(b"OK Already connected to specified master")
    assert resp.same(told.call("REPLICAOF", "localhost", primary.port), again)
    await_link(replica)
    assert resp.same(told.call("SLAVEOF", "LocalHost", primary.port), again)
    assert resp.same(told.call("REPLICAOF", "localhost", f"0{primary.port}"), BAD_PORT)
    assert info(primary, "stats")["sync_full"] == "1"
    assert told.ok("ROLE")[:4] == [b"slave", b"localhost", primary.port, b"connected"]
    assert replication(replica)["master_host"] == "localhost"


def test_another_name_of_the_same_primary_goes_on_by_psync(primary, replica, told):
    follow(replica, primary)
    assert resp.same(told.call("REPLICAOF", "localhost", primary.port), Simple(b"OK"))
    await_role(told, b"slave", b"localhost", primary.port, b"connected")
    stats = info(primary, "stats")
    assert (stats["sync_full"], stats["sync_partial_ok"]) == ("1", "1")


def test_in_a_transaction(primary, replica, told):
    for words in (("MULTI",), ("REPLICAOF", "no", "one"), ("REPLICAOF", "a", "b"),
                  ("REPLICAOF", "127.0.0.1", primary.port), ("ROLE",)):
        assert not isinstance(told.call(*words), Error)
    replies = told.ok("EXEC")
    assert resp.same(replies[:3], [Simple(b"OK"), BAD_PORT, Simple(b"OK")])
    assert replies[3][:3] == [b"slave", b"127.0.0.1", primary.port]
    assert replies[3][3] in YOUNG_LINK and replies[3][4] == -1
    await_link(replica)
    for words in (("MULTI",), ("SLAVEOF", "NO", "ONE"), ("SET", "k", "v")):
        told.call(*words)
    # The write was refused when it came, because the server was a replica then.
    assert told.call("EXEC") == Error(b"EXECABORT Transaction discarded because of previous errors.")
    assert is_replica(told)
    assert told.pipeline([("MULTI",), ("REPLICAOF", "NO", "ONE"), ("ROLE",), ("EXEC",)])[-1][0] == b"OK"
    assert told.ok("SET", "k", "v") == b"OK"


def is_replica(connection):
    return connection.ok("ROLE")[0] == b"slave"


def test_another_primary_takes_the_place_of_the_first(primary, replica, told, start_one):
    other = start_one("redis", PROMPT)
    for server, value in ((primary, "first"), (other, "second")):
        with server.connect() as connection:
            connection.ok("SET", f"of {value}", value)
    follow(replica, primary)
    assert told.ok("KEYS", "*") == [b"of first"]
    told.ok("REPLICAOF", "127.0.0.1", other.port)
    await_role(told, b"slave", b"127.0.0.1", other.port, b"connected")
    assert_same_data(replica, other)
    assert told.ok("KEYS", "*") == [b"of second"]
    wait_until(lambda: replication(primary)["connected_slaves"] == "0", "left")


def test_a_replica_of_itself_answers_and_is_freed(replica, told):
    told.ok("SET", "k", "v")
    told.ok("REPLICAOF", "127.0.0.1", replica.port)
    assert told.ok("GET", "k") == b"v"
    assert told.ok("ROLE")[:3] == [b"slave", b"127.0.0.1", replica.port]
    wait_until(lambda: "NOMASTERLINK" in replica.log(), "refused by itself")
    assert replication(replica)["master_link_status"] == "down"
    told.ok("REPLICAOF", "NO", "ONE")
    assert told.ok("SET", "k", "w") == b"OK"


def test_a_name_that_does_not_resolve_holds_up_nobody(replica, told):
    told.ok("SET", "k", "v")
    assert told.ok("REPLICAOF", "no such host.invalid", 6379) == b"OK"
    await_role(told, b"slave", b"no such host.invalid", 6379, b"connect", -1)
    assert told.ok("GET", "k") == b"v"
    assert replication(replica)["master_link_status"] == "down"


def test_hello_names_the_role(primary, replica, told):
    assert dict(zip(*[iter(told.hello(2))] * 2))[b"role"] == b"master"
    follow(replica, primary)
    assert dict(zip(*[iter(told.hello(2))] * 2))[b"role"] == b"replica"


def test_the_log_tells_the_story(primary, replica, told):
    follow(replica, primary)
    with primary.connect() as connection:
        connection.ok("CLIENT", "KILL", "TYPE", "replica")
    wait_until(lambda: "accepted a Partial" in replica.log() or "Full resync" in
               replica.log().partition("Connection with master lost.")[2], "back")
    await_link(replica)
    told.ok("REPLICAOF", "NO", "ONE")
    at = f"127.0.0.1:{primary.port}"
    expected = (
        f"Connecting to MASTER {at}", "MASTER <-> REPLICA sync started",
        f"REPLICAOF {at} enabled \\(user request from 'id=\\d+ addr=.* cmd=replicaof user=default .*'\\)",
        "Non blocking connect for SYNC fired the event.",
        "Master replied to PING, replication can continue...",
        "Full resync from master: [0-9a-f]{40}:\\d+",
        "MASTER <-> REPLICA sync: receiving (streamed RDB from master with EOF|\\d+ bytes from "
        "master) to (disk|parser)",
        "MASTER <-> REPLICA sync: Flushing old data", "MASTER <-> REPLICA sync: Loading DB in memory",
        "MASTER <-> REPLICA sync: Finished with success",
        "Connection with master lost.", "Caching the disconnected master state.",
        f"Reconnecting to MASTER {at}",
        "Trying a partial resynchronization \\(request [0-9a-f]{40}:\\d+\\).",
        "Successful partial resynchronization with master.",
        "MASTER <-> REPLICA sync: Master accepted a Partial Resynchronization.",
        "Discarding previously cached master state.",
        "Setting secondary replication ID to [0-9a-f]{40}, valid up to offset: \\d+. "
        "New replication ID is [0-9a-f]{40}",
        "MASTER MODE enabled \\(user request from 'id=\\d+ addr=.*'\\)")
    wait_until(lambda: "MASTER MODE enabled" in replica.log(), "told")
    log = replica.log()
    assert [line for line in expected if not re.search(f"[*#] {line}$", log, re.MULTILINE)] == []
    assert re.search(r":M .* Ready to accept", log) and re.search(r":S .* MASTER <-> REPLICA sync: Fin", log)


# ---- the setting ----


def config(connection, name):
    return connection.ok("CONFIG", "GET", name)


def test_config_get_has_both_names(primary, told):
    for name in ("replicaof", "slaveof"):
        assert config(told, name) == [name.encode(), b""]
    told.ok("SLAVEOF", "localhost", primary.port)
    for name in ("replicaof", "slaveof"):
        assert config(told, name) == [name.encode(), f"localhost {primary.port}".encode()]
    assert set(config(told, "*laveof")[::2]) == {b"slaveof"}
    told.ok("REPLICAOF", "no", "one")
    assert config(told, "replicaof") == [b"replicaof", b""]


@pytest.mark.parametrize("name", ["replicaof", "slaveof"])
def test_config_set_refuses(told, name):
    for value in ("127.0.0.1 1", "no one", ""):
        assert told.call("CONFIG", "SET", name, value) == Error((IMMUTABLE % name).encode())
    assert told.ok("ROLE")[0] == b"master"


@pytest.mark.parametrize("name", ["replicaof", "slaveof"])
def test_the_file_may_say_it(start_server, primary, name):
    with primary.connect() as connection:
        connection.ok("SET", "k", "v")
    replica = start_server({name: f"127.0.0.1 {primary.port}"})
    await_link(replica)
    assert_same_data(replica, primary)
    with replica.connect() as connection:
        assert config(connection, "replicaof")[1] == f"127.0.0.1 {primary.port}".encode()
        assert connection.ok("ROLE")[:4] == [b"slave", b"127.0.0.1", primary.port, b"connected"]


@pytest.mark.parametrize("arguments", ["--replicaof {at}", "--replicaof 127.0.0.1 {port}",
                                       "--slaveof {at} --timeout 0"])
def test_the_command_line_may_say_it(server_kind, start_one, tmp_path, arguments):
    primary, port = start_one("redis", PROMPT), servers.free_port()
    words = [word.format(at=f"127.0.0.1 {primary.port}", port=primary.port)
             for word in arguments.split(" ")]
    process = subprocess.Popen(
        [servers.binary(server_kind), "--port", str(port), "--bind", "127.0.0.1", "--save", "", *words],
        cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: replication(primary)["connected_slaves"] == "1", "linked")
        with resp.Connection(port) as connection:
            await_role(connection, b"slave", b"127.0.0.1", primary.port, b"connected")
    finally:
        process.terminate()
        assert process.wait(timeout=10) == 0


@pytest.mark.parametrize("value, reason", [
    ("127.0.0.1", "wrong number of arguments"), ("127.0.0.1 1 2", "wrong number of arguments"),
    ("127.0.0.1 x", "Invalid master port"), ("127.0.0.1 65536", "Invalid master port"),
    ("127.0.0.1 -1", "Invalid master port")])
def test_a_bad_line_of_the_file_is_named(server_kind, tmp_path, value, reason):
    (tmp_path / "bad.conf").write_text(f"port {servers.free_port()}\nreplicaof {value}\n")
    ended = subprocess.run([servers.binary(server_kind), "bad.conf"], cwd=tmp_path, timeout=10,
                           capture_output=True, check=False, text=True)
    output = ended.stdout + ended.stderr
    assert ended.returncode == 1
    assert f"at line 2\n>>> 'replicaof {value}'\n{reason}\n" in output


@pytest.mark.parametrize("words", ["no one", "NO ONE", "No One"])
def test_the_file_may_say_no_one(start_server, words):
    server = start_server({"replicaof": words})
    with server.connect() as connection:
        assert connection.ok("ROLE") == [b"master", 0, []]
        assert config(connection, "replicaof") == [b"replicaof", b""]


def lines_of_file(server):
    text = (server.directory / "server.conf").read_text()
    return [line for line in text.splitlines() if line.startswith(("replicaof", "slaveof"))]


@pytest.mark.parametrize("name", ["replicaof", "slaveof"])
def test_rewrite_keeps_and_changes_the_line_of_the_file(start_server, primary, name):
    replica = start_server({name: "127.0.0.1 1"})
    with replica.connect() as connection:
        assert lines_of_file(replica) == [f"{name} 127.0.0.1 1"]
        connection.ok("CONFIG", "REWRITE")
        # Cloakroom leaves a line that says the right thing as it is.
        kept = name if replica.kind == "cloakroom" else "replicaof"
        assert lines_of_file(replica) == [f"{kept} 127.0.0.1 1"]
        connection.ok("REPLICAOF", "localhost", primary.port)
        assert lines_of_file(replica) == [f"{kept} 127.0.0.1 1"]
        connection.ok("CONFIG", "REWRITE")
        assert lines_of_file(replica) == [f"replicaof localhost {primary.port}"]
        await_link(replica)
        connection.ok("REPLICAOF", "NO", "ONE")
        connection.ok("CONFIG", "REWRITE")
        assert lines_of_file(replica) == []


def test_rewrite_in_the_transaction_of_a_sentinel(primary, replica, told):
    with replica.connect() as other, replica.connect() as subscriber:
        other.ok("PING")
        subscriber.ok("SUBSCRIBE", "channel")
        replies = told.pipeline([("MULTI",), ("SLAVEOF", "127.0.0.1", primary.port),
                                 ("CONFIG", "REWRITE"), ("CLIENT", "KILL", "TYPE", "normal"),
                                 ("CLIENT", "KILL", "TYPE", "pubsub"), ("EXEC",)])
        assert replies[-1] == [b"OK", b"OK", 1, 1]
        for closed in (other, subscriber):
            with pytest.raises(resp.ConnectionClosed):
                closed.read()
    wait_until(lambda: lines_of_file(replica) == [f"replicaof 127.0.0.1 {primary.port}"], "written")
    await_link(replica)


def test_a_rewritten_file_starts_a_replica(primary, replica, told):
    with primary.connect() as connection:
        connection.ok("SET", "k", "v")
    follow(replica, primary)
    told.ok("CONFIG", "REWRITE")
    replica.kill()
    with primary.connect() as connection:
        connection.ok("SET", "k", "w")
    # `launch` would write the file anew.
    process = subprocess.Popen([servers.binary(replica.kind), "server.conf"], cwd=replica.directory,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: answers(replica.port), "started")
        await_link(replica)
        assert_same_data(replica, primary)
    finally:
        process.kill()
        process.wait()


def answers(port):
    try:
        with resp.Connection(port) as connection:
            return connection.call("PING") == b"PONG"
    except OSError:
        return False
