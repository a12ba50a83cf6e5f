"""What clients of a replica may do: reads, refused writes, stale data, its settings, who is listed."""

import re

import pytest

from hand_primary import HandPrimary
from links import PROMPT, assert_same_data, await_link, await_loss, follow, info, replication
from saving import wait_until
from support import resp
from support.resp import Error

READONLY = Error(b"READONLY You can't write against a read only replica.")
MASTERDOWN = Error(b"MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.")
ABORTED = Error(b"EXECABORT Transaction discarded because of previous errors.")
NO_WRITES = Error(b"ERR Write commands are not allowed from read-only scripts.")
LIBRARY = """#!lua name=lib
redis.register_function('put', function(keys, args) return redis.call('SET', keys[1], args[1]) end)
redis.register_function{function_name='get', flags={'no-writes'},
                        callback=function(keys, args) return redis.call('GET', keys[1]) end}"""


@pytest.fixture
def hand():
    primary = HandPrimary()
    yield primary
    primary.close()


@pytest.fixture
def replica(start_server):
    return start_server(PROMPT)


@pytest.fixture
def told(replica):
    with replica.connect() as connection:
        yield connection


@pytest.fixture
def link(hand, replica, told):
    """The link to a replica that has one key, k."""
    told.ok("REPLICAOF", "127.0.0.1", hand.port)
    one = hand.full_sync()
    size = one.send("SELECT", "0") + one.send("SET", "k", "v")
    one.offset = one.executed(size + one.send("FUNCTION", "LOAD", LIBRARY))
    return one


def replies_other_than(expected, connection):
    """The commands that were answered in another way, with their answers."""
    answers = {command: connection.call(*command) for command in expected}
    return {command: reply for command, reply in answers.items() if reply != expected[command]}


# ---- writes ----


def test_every_command_that_writes_is_refused(link, told):
    writers = {row[0].decode(): row[1] for row in told.ok("COMMAND") if b"write" in row[2]}
    assert {"set", "del", "blpop", "flushall", "xreadgroup", "getex", "migrate", "pfadd"} <= set(writers)
    replies = {name: told.call(name, *["k"] * (abs(arity) - 1)) for name, arity in writers.items()}
    assert {name for name, reply in replies.items() if reply != READONLY} == set()
    assert told.ok("KEYS", "*") == [b"k"]
    assert told.ok("GET", "k") == b"v"


def test_flags_decide_and_not_what_a_command_would_do(link, told):
    refused = (("SORT", "k"), ("GEORADIUS", "g", 0, 0, 1, "km"), ("BITFIELD", "k", "GET", "u8", 0),
               ("GETEX", "k"), ("FUNCTION", "LOAD", LIBRARY), ("FUNCTION", "FLUSH"), ("SWAPDB", 0, 1),
               ("FUNCTION", "DELETE", "lib"), ("FUNCTION", "RESTORE", "x"), ("RESTORE", "r", 0, "x"),
               ("XGROUP", "CREATE", "x", "g", "$"), ("FCALL", "put", 1, "k", "w"))
    served = {("SORT_RO", "absent"): [], ("BITFIELD_RO", "k", "GET", "u8", 0): [118],
              ("PUBLISH", "c", "m"): 0, ("SPUBLISH", "c", "m"): 0, ("TOUCH", "k"): 1,
              ("FCALL", "get", 1, "k"): b"v", ("FCALL_RO", "get", 1, "k"): b"v",
              ("PFCOUNT", "absent"): 0, ("SCRIPT", "FLUSH"): b"OK"}
    assert replies_other_than({**dict.fromkeys(refused, READONLY), **served}, told) == {}


def test_arity_and_wrong_names_come_first(link, told):
    assert told.call("SET", "k") == Error(b"ERR wrong number of arguments for 'set' command")
    assert told.call("NOSUCH", "k").startswith(b"ERR unknown command 'NOSUCH'")


def test_a_transaction_is_refused_when_it_is_queued(link, told):
    assert told.pipeline([("MULTI",), ("GET", "k"), ("SET", "k", "w"), ("EXEC",)]) == [
        b"OK", b"QUEUED", READONLY, ABORTED]
    assert told.pipeline([("MULTI",), ("GET", "k"), ("EXEC",)])[-1] == [b"v"]


def test_a_transaction_that_was_queued_on_a_primary(replica, told, hand):
    told.pipeline([("MULTI",), ("SET", "k", "w")])
    with replica.connect() as other:
        other.ok("CONFIG", "SET", "close-after-readonly", "no")
        other.ok("REPLICAOF", "127.0.0.1", hand.port)
    hand.full_sync()
    await_link(replica)
    assert told.call("EXEC") == Error(b"EXECABORT Transaction discarded because of: " + READONLY)
    assert told.ok("EXISTS", "k") == 0
    told.pipeline([("MULTI",), ("GET", "k")])
    assert told.ok("EXEC") == [None]


def test_scripts_are_refused_at_their_first_write(link, told):
    write = "return redis.call('SET', KEYS[1], 'w')"
    refused = told.call("EVAL", write, 1, "k")
    assert re.fullmatch(rb"READONLY You can't write against a read only replica\. "
                        rb"script: [0-9a-f]{40}, on @user_script:1\.", refused), refused
    assert told.call("EVAL", "return redis.pcall('SET', KEYS[1], 'w')", 1, "k") == READONLY
    assert told.call("EVAL", "return redis.pcall('SET', KEYS[1], 'w').err", 1, "k") == READONLY
    assert told.ok("EVAL", "return redis.call('GET', KEYS[1])", 1, "k") == b"v"
    assert told.call("EVAL_RO", "return redis.pcall('SET', KEYS[1], 'w')", 1, "k") == NO_WRITES
    assert told.ok("GET", "k") == b"v"


def test_scripts_that_declare_themselves_are_refused_when_they_are_queued(link, told):
    for command in (("EVAL", "#!lua\nreturn 1", 0), ("EVAL_RO", "#!lua\nreturn 2", 0),
                    ("FCALL", "put", 1, "k", "v"), ("FCALL_RO", "put", 1, "k", "v")):
        assert told.ok("MULTI") == b"OK"
        assert told.call(*command) == READONLY, command
        assert told.call("EXEC") == ABORTED
    assert told.pipeline([("MULTI",), ("FCALL", "get", 1, "k"), ("EXEC",)])[-1] == [b"v"]


def test_scripts_that_declare_themselves_are_refused_before_they_run(link, told):
    assert told.call("EVAL", "#!lua\nreturn redis.call('GET', KEYS[1])", 1, "k") == READONLY
    assert told.ok("EVAL", "#!lua flags=no-writes\nreturn redis.call('GET', KEYS[1])", 1, "k") == b"v"
    assert told.call("FCALL", "put", 1, "k", "w") == READONLY
    assert told.call("FCALL_RO", "put", 1, "k", "w") == READONLY


def test_wait_is_for_primaries(link, told):
    text = Error(b"ERR WAIT cannot be used with replica instances. Please also note that since Redis 4.0 if "
                 b"a replica is configured to be writable (which is not the default) writes to replicas are "
                 b"just local and are not propagated.")
    for arguments in ((0, 0), (1, 1), (1, 100_000)):
        assert told.call("WAIT", *arguments) == text


@pytest.mark.needs("failover")
def test_failover_is_for_primaries(link, told):
    assert told.call("FAILOVER") == Error(b"ERR FAILOVER is not valid when server is a replica.")


def test_a_writable_replica_keeps_its_writes_to_itself(hand, link, replica, told, start_one):
    below = start_one("redis", PROMPT)
    follow(below, replica)
    told.ok("CONFIG", "SET", "replica-read-only", "no")
    assert replication(replica)["slave_read_only"] == "0"
    offset = replication(replica)["master_repl_offset"]
    assert told.ok("SET", "local", "1") == b"OK"
    assert told.ok("EVAL", "return redis.call('APPEND', KEYS[1], 'x')", 1, "k") == 2
    assert told.pipeline([("MULTI",), ("INCR", "local"), ("EXEC",)])[-1] == [2]
    assert replication(replica)["master_repl_offset"] == offset
    link.executed(link.offset + link.send("APPEND", "k", "y"))
    assert told.ok("GET", "k") == b"vxy"
    with below.connect() as connection:
        wait_until(lambda: connection.ok("GET", "k") == b"vy", "replicated")
        assert connection.ok("EXISTS", "local") == 0
    told.ok("CONFIG", "SET", "replica-read-only", "yes")
    assert told.call("SET", "local", "2") == READONLY
    assert told.ok("GET", "local") == b"2"


# ---- stale data ----


@pytest.fixture
def stale(link, replica, told):
    """A connection to a replica that has lost its primary and may not serve what it has."""
    told.ok("CONFIG", "SET", "replica-serve-stale-data", "no")
    assert told.ok("GET", "k") == b"v"
    link.close()
    await_loss(replica)
    return told


def test_reads_are_refused_while_the_link_is_down(stale):
    commands = (("GET", "k"), ("PING",), ("DBSIZE",), ("KEYS", "*"), ("RANDOMKEY",), ("SCAN", 0),
                ("TYPE", "k"), ("EXISTS", "k"), ("EVAL", "return 1", 0), ("EVAL_RO", "return 1", 0),
                ("SAVE",), ("BGSAVE",), ("PFCOUNT", "k"), ("MEMORY", "USAGE", "k"), ("LOLWUT",),
                ("FUNCTION", "LIST"), ("FUNCTION", "STATS"), ("WAIT", 0, 0), ("OBJECT", "ENCODING", "k"),
                ("BGREWRITEAOF",), ("SORT_RO", "k"), ("SCRIPT", "EXISTS", "x"))
    assert replies_other_than(dict.fromkeys(commands, MASTERDOWN), stale) == {}
    assert stale.call("SET", "k", "w") == READONLY


def test_what_a_stale_replica_still_answers(stale, replica):
    assert replies_other_than(dict((
            (("ECHO", "a"), b"a"), (("SELECT", 1), b"OK"), (("SELECT", 0), b"OK"), (("PUBLISH", "a", "b"), 0),
            (("WATCH", "k"), b"OK"), (("UNWATCH",), b"OK"), (("MULTI",), b"OK"), (("DISCARD",), b"OK"),
            (("EXEC",), Error(b"ERR EXEC without MULTI")), (("SLOWLOG", "LEN"), 0),
            (("CONFIG", "GET", "port"), [b"port", str(replica.port).encode()]),
            (("SUBSCRIBE", "c"), [b"subscribe", b"c", 1]), (("UNSUBSCRIBE", "c"), [b"unsubscribe", b"c", 0]),
            (("RESET",), b"RESET"),
            (("SHUTDOWN", "ABORT"), Error(b"ERR No shutdown in progress.")),
            (("CLIENT", "GETNAME"), None), (("REPLCONF", "capa", "eof"), b"OK"),
            (("EVAL", "#!lua flags=allow-stale,no-writes\nreturn 7", 0), 7),
            (("EVAL", "#!lua flags=no-writes\nreturn 7", 0), MASTERDOWN))), stale) == {}
    assert stale.ok("ROLE")[0] == b"slave"
    assert len(stale.ok("TIME")) == 2
    assert stale.ok("INFO", "server").startswith(b"# Server")
    assert stale.ok("LASTSAVE") > 0
    assert stale.ok("COMMAND", "COUNT") > 100
    assert stale.ok("HELLO", 2)[0] == b"server"


def test_transactions_of_a_stale_replica(stale):
    assert stale.pipeline([("MULTI",), ("PING",), ("EXEC",)]) == [b"OK", MASTERDOWN, ABORTED]
    replies = stale.pipeline([("MULTI",), ("ECHO", "a"), ("EXEC",)])
    assert replies == [b"OK", b"QUEUED", [b"a"]]


def test_it_serves_again_when_the_link_is_up(stale, hand, replica):
    assert stale.call("GET", "k") == MASTERDOWN
    hand.partial_sync()
    await_link(replica)
    assert stale.ok("GET", "k") == b"v"


def test_stale_data_is_served_again_when_the_setting_says_so(stale):
    assert stale.call("GET", "k") == MASTERDOWN
    stale.ok("CONFIG", "SET", "replica-serve-stale-data", "yes")
    assert stale.ok("GET", "k") == b"v"


def test_promotion_ends_staleness(stale):
    assert stale.call("GET", "k") == MASTERDOWN
    stale.ok("REPLICAOF", "NO", "ONE")
    assert stale.ok("GET", "k") == b"v"


def test_a_replica_that_never_had_data_is_stale_from_the_start(replica, told):
    told.ok("CONFIG", "SET", "replica-serve-stale-data", "no")
    told.ok("SET", "k", "v")
    told.ok("REPLICAOF", "127.0.0.1", 1)
    assert told.call("GET", "k") == MASTERDOWN


# ---- settings ----


@pytest.mark.parametrize("name, old, value", [
    ("serve-stale-data", "slave-serve-stale-data", "no"), ("read-only", "slave-read-only", "no"),
    ("priority", "slave-priority", "7"), ("lazy-flush", "slave-lazy-flush", "yes"),
    ("ignore-maxmemory", "slave-ignore-maxmemory", "no"), ("announce-ip", "slave-announce-ip", "10.9.8.7"),
    ("announce-port", "slave-announce-port", "4321"), ("announced", None, "no"),
    ("ignore-disk-write-errors", None, "yes")])
def test_settings_change_while_it_serves(link, replica, told, name, old, value):
    before = told.ok("CONFIG", "GET", f"replica-{name}")
    assert before[1] != value.encode()
    told.ok("CONFIG", "SET", f"replica-{name}", value)
    assert told.ok("CONFIG", "GET", f"replica-{name}") == [f"replica-{name}".encode(), value.encode()]
    if old is not None:
        assert told.ok("CONFIG", "GET", old) == [old.encode(), value.encode()]
        told.ok("CONFIG", "SET", old, before[1])
        assert told.ok("CONFIG", "GET", f"replica-{name}")[1] == before[1]
    assert replication(replica)["master_link_status"] == "up"


def test_settings_show_in_info(link, replica, told):
    told.ok("CONFIG", "SET", "replica-priority", 0, "replica-announced", "no", "replica-read-only", "no",
            "repl-backlog-size", "2mb")
    said = replication(replica)
    assert (said["slave_priority"], said["replica_announced"], said["slave_read_only"]) == ("0", "0", "0")
    assert said["repl_backlog_size"] == str(2 << 20)


def test_an_announced_address_is_listed_by_the_primary(start_one, primary_kind, start_server):
    primary = start_one(primary_kind, PROMPT)
    replica = start_server({"replica-announce-ip": "10.9.8.7", "replica-announce-port": "4321"})
    follow(replica, primary)
    wait_until(lambda: replication(primary).get("slave0", "").startswith(
        "ip=10.9.8.7,port=4321,state=online"), "announced")
    with primary.connect() as connection:
        assert connection.ok("ROLE")[2][0][:2] == [b"10.9.8.7", b"4321"]


# ---- who is listed ----


def clients(connection, *filters):
    return [dict(field.partition("=")[::2] for field in line.split(" "))
            for line in connection.ok("CLIENT", "LIST", *filters).decode().splitlines()]


def test_the_primary_is_listed_as_a_client(start_one, primary_kind, replica, told):
    primary = start_one(primary_kind, PROMPT)
    follow(replica, primary)
    assert_same_data(replica, primary)
    listed = clients(told, "TYPE", "master")
    assert len(listed) == 1
    one = listed[0]
    assert one["flags"] == "M"
    assert one["addr"] == f"127.0.0.1:{primary.port}"
    assert (one["name"], one["db"], one["multi"], one["resp"]) == ("", "0", "-1", "2")
    assert one["user"] == "(superuser)"
    assert one["id"] in [client["id"] for client in clients(told)]
    assert clients(told, "TYPE", "replica") == []
    with primary.connect() as connection:
        assert [client["flags"] for client in clients(connection, "TYPE", "replica")] == ["S"]
        assert [client["flags"] for client in clients(connection, "TYPE", "slave")] == ["S"]
        assert clients(connection, "TYPE", "master") == []
        address = clients(connection, "TYPE", "replica")[0]["addr"]
    assert one["laddr"] == address


def test_a_primary_counts_as_a_client_and_a_replica_does_not(start_one, primary_kind, replica, told):
    def clients_of(server):
        return int(info(server, "clients")["connected_clients"])

    primary = start_one(primary_kind, PROMPT)
    wait_until(lambda: clients_of(replica) == 2, "alone")
    follow(replica, primary)
    wait_until(lambda: clients_of(replica) == 3, "counted")
    wait_until(lambda: clients_of(primary) == 1, "not counted")
    assert replication(primary)["connected_slaves"] == "1"


def test_killing_the_primary_by_type_id_and_address(hand, link, replica, told):
    for how in (lambda: ("TYPE", "master"), lambda: ("ID", clients(told, "TYPE", "master")[0]["id"]),
                lambda: ("ADDR", f"127.0.0.1:{hand.port}")):
        assert told.ok("CLIENT", "KILL", *how()) == 1
        with pytest.raises((resp.ConnectionClosed, ConnectionError)):
            while True:
                link.read()
        link, _ = hand.partial_sync()
        await_link(replica)
    wait_until(lambda: len(clients(told, "TYPE", "normal")) == 1, "those who have looked at the link are gone")
    assert told.ok("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes") == 0
    assert replication(replica)["master_link_status"] == "up"
    assert told.ok("CLIENT", "KILL", "TYPE", "master") == 1
    wait_until(lambda: told.ok("CLIENT", "KILL", "TYPE", "master") == 0, "gone")
