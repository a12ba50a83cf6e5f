"""Links between a replica and its primary: what both say of them, and what to wait for."""

import re

import holdings
from saving import wait_until

DATABASES = 16
# Nobody waits for the delays that Redis has by default.
PROMPT = {"repl-diskless-sync-delay": "0", "repl-ping-replica-period": "1"}


def info(server, section):
    with server.connect() as connection:
        text = connection.ok("INFO", section).decode()
    return dict(re.findall(r"^(\w+):(.*?)\r?$", text, re.MULTILINE))


def replication(server):
    return info(server, "replication")


def syncs(server):
    """How many full syncs and partial ones the server has granted, and how many it has refused."""
    stats = info(server, "stats")
    return tuple(int(stats[name]) for name in ("sync_full", "sync_partial_ok", "sync_partial_err"))


def is_up(replica):
    return replication(replica).get("master_link_status") == "up"


def await_link(replica):
    wait_until(lambda: is_up(replica), "linked")


def await_loss(replica):
    wait_until(lambda: not is_up(replica), "cut")


def follow(replica, primary):
    with replica.connect() as connection:
        connection.ok("REPLICAOF", "127.0.0.1", primary.port)
    await_link(replica)


def await_offset(replica, offset):
    """Waits until the replica has executed its stream up to there."""
    wait_until(lambda: replication(replica)["slave_repl_offset"] == str(offset), f"at {offset}")


def await_replica(replica, primary):
    """Waits until the replica has executed everything that the primary has sent."""
    def has_all():
        ours, its = replication(primary), replication(replica)
        return (its["master_link_status"] == "up"
                and its["slave_repl_offset"] == ours["master_repl_offset"])
    wait_until(has_all, "replicated")


def await_log(server, line):
    """Waits until the server's own log has the line, which may come a moment after what it tells of."""
    wait_until(lambda: f"{line}\n" in server.log(), line)


def digest(server):
    with server.connect(timeout_s=30) as connection:
        return connection.ok("DEBUG", "DIGEST")


def values(server):
    """Types and values, and which keys expire. An encoding may depend on how a value grew."""
    return {key: (kind, value, ttl_ms >= 0)
            for key, (kind, value, ttl_ms, _) in holdings.of(server).items()}


def functions(server):
    """The libraries with their code, in a fixed order, for Redis lists them in any."""
    with server.connect() as connection:
        return _in_order(connection.ok("FUNCTION", "LIST", "WITHCODE"))


def _in_order(reply):
    return sorted(map(_in_order, reply), key=repr) if isinstance(reply, list) else reply


def assert_same_data(replica, primary):
    """Waits until the replica is as far as its primary; then both have the same."""
    await_replica(replica, primary)
    assert digest(replica) == digest(primary)


def kill_replicas(primary):
    """Closes the links of all replicas from the primary's side; returns how many there were."""
    with primary.connect() as connection:
        return connection.ok("CLIENT", "KILL", "TYPE", "replica")
